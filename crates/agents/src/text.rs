//! Reading what people write: words without accents, sentences, links, emoji, languages. English, Spanish, Portuguese.

mod keyphrases;
mod language;
mod near_duplicates;
mod phrases;

pub(crate) use keyphrases::{Keyphrase, keyphrases};
pub(crate) use language::{Language, is_stop_word};
pub(crate) use near_duplicates::near_duplicates;
pub(crate) use phrases::Phrases;

/// A word as found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Lower case, without accents: what is compared.
    pub(crate) folded: String,
    /// Where it stands in the text, in bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

/// The words of a text in their order. Links and `@mentions` are none.
///
/// A word may hold what technical names hold: `c++`, `c#`, `node.js`, `don't`. A hyphen parts words.
pub(crate) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (offset, chunk) in chunks(text) {
        if !is_link(chunk) && !is_mention(chunk) {
            words_of_chunk(chunk, offset, &mut words);
        }
    }
    words
}

/// Lower case, and without the accents of Latin letters.
pub(crate) fn fold(text: &str) -> String {
    text.chars()
        .filter(|&letter| !is_combining(letter))
        .flat_map(char::to_lowercase)
        .flat_map(unaccent)
        .collect()
}

/// The sentences of a text: what ends with `.`, `!`, `?`, `…` or a line. Ones without a word are left out.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let ends = |letter: char| matches!(letter, '!' | '?' | '…' | '\n');
    let pieces = text.split(ends).flat_map(|piece| piece.split(". "));
    pieces.map(str::trim).filter(|piece| !words(piece).is_empty()).collect()
}

/// How many emoji a text holds. One of several characters (a flag, a family) counts once.
pub(crate) fn count_emoji(text: &str) -> usize {
    let (mut count, mut joined, mut half_flag) = (0, false, false);
    for letter in text.chars() {
        let is_flag_letter = matches!(letter, '\u{1F1E6}'..='\u{1F1FF}');
        half_flag = is_flag_letter && !half_flag;
        let begins = is_emoji(letter) && !joined && (!is_flag_letter || half_flag);
        count += usize::from(begins);
        joined = letter == '\u{200D}';
    }
    count
}

/// How many links a text holds.
pub(crate) fn count_links(text: &str) -> usize {
    text.split_whitespace().filter(|chunk| is_link(chunk)).count()
}

/// Whether a text asks something. A question mark inside a link is no question.
pub(crate) fn is_question(text: &str) -> bool {
    text.split_whitespace()
        .any(|chunk| !is_link(chunk) && chunk.contains('?'))
}

/// The users a text addresses as `@name`, lower case.
pub(crate) fn mentions(text: &str) -> Vec<String> {
    let name = |chunk: &str| {
        let name: String = chunk
            .chars()
            .skip(1)
            .take_while(|&letter| letter.is_alphanumeric() || letter == '_')
            .collect();
        name.to_lowercase()
    };
    text.split_whitespace()
        .filter(|chunk| is_mention(chunk))
        .map(name)
        .collect()
}

/// Whitespace-parted pieces with their offsets.
fn chunks(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    text.split_inclusive(char::is_whitespace).map(move |chunk| {
        let offset = next;
        next += chunk.len();
        (offset, chunk.trim_end())
    })
}

fn words_of_chunk(chunk: &str, offset: usize, words: &mut Vec<Word>) {
    let mut start = None;
    let mut letters = chunk.char_indices().peekable();
    while let Some((index, letter)) = letters.next() {
        let goes_on = letters.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if letter.is_alphanumeric() {
            start.get_or_insert(index);
        } else if let Some(from) = start
            && !may_follow(letter, goes_on)
        {
            words.push(word(chunk, offset, from, index));
            start = None;
        }
    }
    words.extend(start.map(|from| word(chunk, offset, from, chunk.len())));
}

fn word(chunk: &str, offset: usize, from: usize, to: usize) -> Word {
    Word {
        folded: fold(&chunk[from..to]),
        start: offset + from,
        end: offset + to,
    }
}

/// Whether a letter that is not alphanumeric may stand in a word that has begun.
fn may_follow(letter: char, goes_on: bool) -> bool {
    matches!(letter, '+' | '#') || is_combining(letter) || (goes_on && matches!(letter, '\'' | '’' | '.' | '_'))
}

fn is_link(chunk: &str) -> bool {
    ["http://", "https://", "www."]
        .iter()
        .any(|beginning| chunk.starts_with(beginning))
}

fn is_mention(chunk: &str) -> bool {
    chunk
        .strip_prefix('@')
        .is_some_and(|name| name.starts_with(char::is_alphanumeric))
}

fn is_combining(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036F}')
}

fn unaccent(letter: char) -> impl Iterator<Item = char> {
    let plain = match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'ñ' => 'n',
        'ç' => 'c',
        '’' => '\'',
        other => other,
    };
    std::iter::once(plain)
}

/// The blocks of Unicode that hold pictures, without modifiers (skin tones, variation selectors).
/// See <https://www.unicode.org/charts/>, "Symbols and Punctuation: Emoji & Pictographs".
fn is_emoji(letter: char) -> bool {
    matches!(letter,
        '\u{2600}'..='\u{27BF}' | '\u{2B50}' | '\u{2B55}' | '\u{1F1E6}'..='\u{1F1FF}' | '\u{1F300}'..='\u{1F3FA}'
        | '\u{1F400}'..='\u{1F6FF}' | '\u{1F900}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_words(text: &str, expected: &[&str]) {
        let found: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn words_are_folded_and_technical_names_stay_whole() {
        check_words("¿Cómo está el CÓDIGO?", &["como", "esta", "el", "codigo"]);
        check_words("C++, C# and Node.js.", &["c++", "c#", "and", "node.js"]);
        check_words("full-stack don’t", &["full", "stack", "don't"]);
        check_words("see https://x.org/a?b @Ana now", &["see", "now"]);
        check_words("a\u{301}rbol", &["arbol"]);
        check_words("... ! 🔥 ", &[]);
    }

    #[test]
    fn sentences_end_where_one_pauses() {
        assert_eq!(
            sentences("Hola. ¿Todo bien? v1.2 salió!"),
            ["Hola", "¿Todo bien", "v1.2 salió"]
        );
    }

    #[test]
    fn emoji_links_questions_and_mentions_are_counted_once() {
        assert_eq!(count_emoji("🔥🔥 👨‍👩‍👧 🇨🇴 👍🏽 ok"), 5);
        assert_eq!(count_links("http://a https://b www.c d"), 3);
        assert!(is_question("¿seguro?") && !is_question("https://x.org/?q=1"));
        assert_eq!(mentions("@Ana_B: hi @luis, a@b"), ["ana_b", "luis"]);
    }

    proptest! {
        #[test]
        fn a_word_is_where_it_says(text in ".{0,80}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(word.start >= last && word.end > word.start);
                prop_assert_eq!(fold(&text[word.start..word.end]), word.folded);
                last = word.end;
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in "[a-zA-ZáéíóúñçÁÉÍÓÚÑÇ’ ]{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
