//! The patterns of `fileset`: `*`, `**`, `?`, `[a-z]`, `{a,b}`; see
//! <https://developer.hashicorp.com/terraform/language/functions/fileset>.

/// A pattern, one part for each directory.
pub(super) struct Pattern {
    /// The alternatives that braces open.
    alternatives: Vec<Vec<Part>>,
}

enum Part {
    /// `**`: any number of directories.
    AnyDepth,
    Name(Vec<Token>),
}

enum Token {
    Any,
    One,
    Exactly(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// `None` if brackets or braces do not match.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let alternatives = expanded(text)?;
        let parts = |text: String| {
            let mut parts: Vec<Part> = text.split('/').map(part).collect::<Option<_>>()?;
            parts.dedup_by(|a, b| matches!((a, b), (Part::AnyDepth, Part::AnyDepth)));
            Some(parts)
        };
        Some(Self {
            alternatives: alternatives.into_iter().map(parts).collect::<Option<_>>()?,
        })
    }

    /// Whether the whole path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        let names: Vec<Vec<char>> = path.split('/').map(|name| name.chars().collect()).collect();
        self.alternatives.iter().any(|parts| matches_path(parts, &names))
    }
}

/// The pattern without braces: one text for each way of choosing, up to a limit nobody meets by hand.
fn expanded(text: &str) -> Option<Vec<String>> {
    const MOST: usize = 1000;
    let mut done = Vec::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        match first_brace(&text) {
            Ok(None) => done.push(text),
            Ok(Some((start, end))) => {
                let choices = choices(&text[start + 1..end]);
                open.extend(
                    choices
                        .iter()
                        .map(|choice| format!("{}{choice}{}", &text[..start], &text[end + 1..])),
                );
            }
            Err(()) => return None,
        }
        if open.len() + done.len() > MOST {
            return None;
        }
    }
    Some(done)
}

/// Where the first pair of braces opens and closes.
fn first_brace(text: &str) -> Result<Option<(usize, usize)>, ()> {
    let (mut start, mut depth, mut escaped) = (None, 0, false);
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => {
                start = start.or(Some(position));
                depth += 1;
            }
            '}' if depth == 1 => return Ok(start.map(|start| (start, position))),
            '}' if depth > 1 => depth -= 1,
            _ => {}
        }
    }
    if start.is_some() { Err(()) } else { Ok(None) }
}

/// The texts between the commas, inner braces left alone.
fn choices(inside: &str) -> Vec<String> {
    let mut choices = vec![String::new()];
    let mut depth = 0;
    for character in inside.chars() {
        match character {
            ',' if depth == 0 => {
                choices.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        choices.last_mut().expect("there is always one").push(character);
    }
    choices
}

fn part(text: &str) -> Option<Part> {
    if text == "**" {
        return Some(Part::AnyDepth);
    }
    let mut tokens = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Any,
            '?' => Token::One,
            '[' => class(&mut characters)?,
            '\\' => Token::Exactly(characters.next()?),
            plain => Token::Exactly(plain),
        });
    }
    Some(Part::Name(tokens))
}

fn class(characters: &mut std::str::Chars<'_>) -> Option<Token> {
    let negated = characters.as_str().starts_with('^');
    if negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    loop {
        let first = match characters.next()? {
            ']' if !ranges.is_empty() => return Some(Token::Class { negated, ranges }),
            ']' => return None,
            '\\' => characters.next()?,
            plain => plain,
        };
        let is_range = characters.as_str().starts_with('-') && !characters.as_str().starts_with("-]");
        let last = if is_range { characters.nth(1)? } else { first };
        ranges.push((first, last));
    }
}

fn matches_path(parts: &[Part], names: &[Vec<char>]) -> bool {
    match parts.split_first() {
        None => names.is_empty(),
        Some((Part::AnyDepth, rest)) => (0..=names.len()).any(|skipped| matches_path(rest, &names[skipped..])),
        Some((Part::Name(tokens), rest)) => match names.split_first() {
            Some((name, others)) => matches_name(tokens, name) && matches_path(rest, others),
            None => false,
        },
    }
}

/// On a mismatch the last `*` takes one character more, so that time stays proportional to pattern times name.
fn matches_name(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < name.len() {
        match tokens.get(token) {
            Some(Token::Any) => {
                retry = Some((token, position));
                token += 1;
            }
            Some(other) if matches_one(other, name[position]) => {
                token += 1;
                position += 1;
            }
            _ => {
                let Some((star, start)) = retry else { return false };
                retry = Some((star, start + 1));
                (token, position) = (star + 1, start + 1);
            }
        }
    }
    tokens[token..].iter().all(|token| matches!(token, Token::Any))
}

fn matches_one(token: &Token, character: char) -> bool {
    match token {
        Token::Any | Token::One => true,
        Token::Exactly(wanted) => *wanted == character,
        Token::Class { negated, ranges } => {
            let inside = ranges.iter().any(|(first, last)| (*first..=*last).contains(&character));
            inside != *negated
        }
    }
}
