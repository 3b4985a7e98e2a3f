//! The literal texts of a template after `~` has eaten the white space beside it and `<<-` the common indentation.
//!
//! As in HCL's own parser, the unit of both is one line of text, not the whole text between two interpolations:
//! <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#template-literals>.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hcl_edit::template::{Directive, Element, HeredocTemplate, Strip, Template};
use hcl_edit::{Span as _, Spanned};

use crate::module::File;

/// The texts of a template, by where they stand.
pub(super) enum Texts {
    /// As the parser read them.
    Plain,
    /// By the offset they begin at.
    Adjusted(BTreeMap<usize, String>),
}

/// How a literal is written.
#[derive(Clone, Copy, PartialEq)]
enum Notation {
    /// In quotes, with backslashes.
    Quoted,
    /// Line by line.
    Lines,
}

/// The template as a row of lines and of what stands between them.
enum Token {
    Line { start: usize, text: String },
    Control(Strip),
}

impl Texts {
    pub(super) fn quoted(template: &Template, file: &File) -> Self {
        Self::when(needs_adjusting(template), template, file, Notation::Quoted, |_| {})
    }

    pub(super) fn heredoc(heredoc: &HeredocTemplate, file: &File) -> Self {
        let flush = heredoc.span().is_some_and(|range| file.slice(range).starts_with("<<-"));
        let template = &heredoc.template;
        if flush {
            return Self::when(true, template, file, Notation::Lines, remove_indentation);
        }
        Self::when(needs_adjusting(template), template, file, Notation::Lines, |_| {})
    }

    pub(super) fn file(template: &Template, file: &File) -> Self {
        Self::when(needs_adjusting(template), template, file, Notation::Lines, |_| {})
    }

    /// The text of one literal.
    pub(super) fn get<'t>(&'t self, literal: &'t Spanned<String>) -> Cow<'t, str> {
        match self {
            Self::Plain => Cow::Borrowed(literal.value()),
            Self::Adjusted(texts) => {
                let start = literal.span().unwrap_or_default().start;
                texts.get(&start).map_or(Cow::Borrowed(""), |text| Cow::Borrowed(text))
            }
        }
    }

    fn when(
        needed: bool,
        template: &Template,
        file: &File,
        notation: Notation,
        flush: impl FnOnce(&mut [Token]),
    ) -> Self {
        if !needed {
            return Self::Plain;
        }
        let mut tokens = Vec::new();
        tokenize(template, file, notation, &mut tokens);
        strip(&mut tokens);
        flush(&mut tokens);
        let mut texts: BTreeMap<usize, String> = BTreeMap::new();
        for token in tokens {
            if let Token::Line { start, text } = token {
                texts.entry(start).or_default().push_str(&text);
            }
        }
        Self::Adjusted(texts)
    }
}

/// The parser's own texts will do where nothing is stripped; inside directives it leaves escapes as they are.
fn needs_adjusting(template: &Template) -> bool {
    template.iter().any(|element| match element {
        Element::Literal(_) => false,
        Element::Interpolation(interpolation) => interpolation.strip != Strip::None,
        Element::Directive(_) => true,
    })
}

fn tokenize(template: &Template, file: &File, notation: Notation, tokens: &mut Vec<Token>) {
    for element in template {
        match element {
            Element::Literal(literal) => tokenize_text(literal, file, notation, tokens),
            Element::Interpolation(interpolation) => tokens.push(Token::Control(interpolation.strip)),
            Element::Directive(directive) => match directive.as_ref() {
                Directive::If(directive) => {
                    tokens.push(Token::Control(directive.if_expr.strip));
                    tokenize(&directive.if_expr.template, file, notation, tokens);
                    if let Some(otherwise) = &directive.else_expr {
                        tokens.push(Token::Control(otherwise.strip));
                        tokenize(&otherwise.template, file, notation, tokens);
                    }
                    tokens.push(Token::Control(directive.endif_expr.strip));
                }
                Directive::For(directive) => {
                    tokens.push(Token::Control(directive.for_expr.strip));
                    tokenize(&directive.for_expr.template, file, notation, tokens);
                    tokens.push(Token::Control(directive.endfor_expr.strip));
                }
            },
        }
    }
}

fn tokenize_text(literal: &Spanned<String>, file: &File, notation: Notation, tokens: &mut Vec<Token>) {
    let range = literal.span().unwrap_or_default();
    let start = range.start;
    let raw = file.slice(range);
    match notation {
        Notation::Quoted => tokens.push(Token::Line {
            start,
            text: unescape(raw, notation),
        }),
        Notation::Lines => {
            let lines = raw.split_inclusive('\n');
            tokens.extend(lines.map(|line| Token::Line {
                start,
                text: unescape(line, notation),
            }));
        }
    }
}

/// The text a literal stands for: `$${` is `${`, and in quotes `\n` is a line feed.
fn unescape(raw: &str, notation: Notation) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(letter) = rest.chars().next() {
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            text.push_str(&rest[1..3]);
            rest = &rest[3..];
        } else if letter == '\\' && notation == Notation::Quoted {
            rest = escape(&rest[1..], &mut text);
        } else {
            text.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    text
}

/// Reads what follows a backslash and says what is left.
fn escape<'r>(rest: &'r str, text: &mut String) -> &'r str {
    let Some(letter) = rest.chars().next() else { return rest };
    let after = &rest[letter.len_utf8()..];
    let digits = match letter {
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let code = after
        .get(..digits)
        .filter(|_| digits > 0)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if let Some(character) = code.and_then(char::from_u32) {
        text.push(character);
        return &after[digits..];
    }
    text.push(match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    });
    after
}

/// `~` eats the white space of the line beside it, up to the end of that line.
fn strip(tokens: &mut [Token]) {
    for position in 0..tokens.len() {
        let Token::Control(strip) = tokens[position] else {
            continue;
        };
        if strip.strip_start()
            && let Some(Token::Line { text, .. }) = position.checked_sub(1).and_then(|before| tokens.get_mut(before))
        {
            text.truncate(text.trim_end().len());
        }
        if strip.strip_end()
            && let Some(Token::Line { text, .. }) = tokens.get_mut(position + 1)
        {
            *text = text.trim_start().to_owned();
        }
    }
}

/// Takes from the beginning of each line as many white-space characters as all lines have.
fn remove_indentation(tokens: &mut [Token]) {
    let mut least = usize::MAX;
    let mut indented = Vec::new();
    let mut at_line_start = true;
    for (position, token) in tokens.iter().enumerate() {
        let begins_line = std::mem::replace(
            &mut at_line_start,
            matches!(token, Token::Line { text, .. } if text.ends_with('\n')),
        );
        match token {
            _ if !begins_line => {}
            Token::Line { text, .. } if text.ends_with('\n') && text.trim().is_empty() => {}
            Token::Line { text, .. } => {
                least = least.min(text.chars().take_while(|letter| letter.is_whitespace()).count());
                indented.push(position);
            }
            Token::Control(_) => least = 0,
        }
    }
    for position in indented {
        if let Token::Line { text, .. } = &mut tokens[position] {
            *text = text.chars().skip(least).collect();
        }
    }
}
