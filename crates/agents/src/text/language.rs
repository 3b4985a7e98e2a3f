//! Which language a text is in, told by its commonest words.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::words;

/// A language the agents can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) enum Language {
    /// English.
    #[serde(rename = "en")]
    English,
    /// Spanish.
    #[serde(rename = "es")]
    Spanish,
    /// Portuguese.
    #[serde(rename = "pt")]
    Portuguese,
}

impl Language {
    /// The language with the most common words in the text; none where no one leads.
    pub(crate) fn of(text: &str) -> Option<Language> {
        let words = words(text);
        let count = |list: &HashSet<&str>| words.iter().filter(|word| list.contains(word.folded.as_str())).count();
        let counts = LISTS.each_ref().map(|(language, list)| (count(list), *language));
        let (best, language) = counts.into_iter().max_by_key(|&(count, _)| count)?;
        let is_alone = counts.iter().filter(|&&(count, _)| count == best).count() == 1;
        (best > 0 && is_alone).then_some(language)
    }
}

impl Language {
    /// Its code in ISO 639-1.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Spanish => "es",
            Language::Portuguese => "pt",
        }
    }

    /// The language of a code such as `es` or `es-US`.
    pub(crate) fn of_code(code: &str) -> Option<Language> {
        let language = code.split(['-', '_']).next()?.to_ascii_lowercase();
        let all = [Language::English, Language::Spanish, Language::Portuguese];
        all.into_iter().find(|known| known.code() == language)
    }
}

/// Whether a folded word carries no meaning by itself, in any of the languages.
pub(crate) fn is_stop_word(folded: &str) -> bool {
    ALL.contains(folded)
}

/// The lists below, for looking words up.
static LISTS: LazyLock<[(Language, HashSet<&str>); 3]> =
    LazyLock::new(|| STOP_WORDS.map(|(language, list)| (language, list.iter().copied().collect())));

/// Every word without a meaning of its own.
static ALL: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lists = STOP_WORDS.iter().map(|(_, list)| *list);
    lists.chain([CHATTER]).flatten().copied().collect()
});

const STOP_WORDS: [(Language, &[&str]); 3] = [
    (Language::English, ENGLISH),
    (Language::Spanish, SPANISH),
    (Language::Portuguese, PORTUGUESE),
];

#[rustfmt::skip]
const ENGLISH: &[&str] = &[
    "a", "about", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "back", "be", "because",
    "been", "before", "being", "but", "by", "can", "can't", "could", "did", "didn't", "do", "does", "doesn't", "doing",
    "don't", "down", "each", "even", "every", "few", "first", "for", "from", "get", "gets", "go", "going", "good", "got",
    "had", "has", "have", "he", "her", "here", "him", "his", "how", "i", "i'd", "i'll", "i'm", "i've", "if", "in",
    "into", "is", "isn't", "it", "it's", "its", "just", "know", "last", "let", "let's", "like", "make", "many", "me",
    "more", "most", "much", "my", "need", "never", "new", "next", "no", "not", "now", "of", "off", "on", "one", "only",
    "or", "other", "our", "out", "over", "people", "same", "see", "she", "should", "so", "some", "still", "such", "take",
    "than", "that", "that's", "the", "their", "them", "then", "there", "these", "they", "thing", "things", "think",
    "this", "those", "through", "time", "to", "today", "too", "two", "under", "until", "up", "us", "use", "very", "want",
    "was", "way", "we", "we're", "well", "were", "what", "what's", "when", "where", "which", "while", "who", "why",
    "will", "with", "without", "won't", "would", "yes", "yet", "you", "you're", "your",
];

#[rustfmt::skip]
const SPANISH: &[&str] = &[
    "a", "ahi", "ahora", "al", "algo", "algun", "alguien", "antes", "aqui", "asi", "aun", "aunque", "bien", "bueno",
    "cada", "casi", "como", "con", "creo", "cual", "cuando", "cuanto", "de", "del", "desde", "despues", "donde", "dos",
    "el", "ella", "ellos", "en", "entonces", "entre", "era", "es", "esa", "ese", "eso", "esta", "estaba", "estamos",
    "estan", "estas", "este", "esto", "estos", "estoy", "fue", "gente", "ha", "hace", "hacer", "hacia", "han", "hasta",
    "hay", "he", "hoy", "igual", "ir", "la", "las", "le", "les", "lo", "los", "mas", "me", "mejor", "mi", "mis", "mucho",
    "mucha", "muchas", "muchos", "muy", "nada", "ni", "no", "nos", "nosotros", "o", "otra", "otro", "para", "pero",
    "poco", "por", "porque", "primero", "puede", "puedo", "pues", "que", "quien", "quiero", "se", "ser", "si", "siempre",
    "sin", "sobre", "solo", "son", "soy", "su", "sus", "tambien", "tan", "tanto", "te", "tengo", "tiene", "tienen",
    "tiempo", "todo", "toda", "todos", "tu", "tus", "un", "una", "uno", "unos", "va", "vamos", "van", "ver", "vez", "voy",
    "y", "ya", "yo",
];

#[rustfmt::skip]
const PORTUGUESE: &[&str] = &[
    "a", "agora", "ainda", "alguem", "ao", "aos", "aqui", "as", "assim", "ate", "bem", "bom", "cada", "com", "como",
    "da", "das", "de", "depois", "do", "dos", "e", "ela", "ele", "eles", "em", "entao", "era", "essa", "esse", "esta",
    "estamos", "estou", "eu", "faz", "fazer", "foi", "hoje", "isso", "isto", "ja", "mais", "mas", "me", "melhor", "meu",
    "minha", "muito", "muita", "na", "nao", "nas", "nem", "no", "nos", "nossa", "nosso", "num", "numa", "o", "obrigado",
    "onde", "os", "ou", "para", "pela", "pelo", "pode", "posso", "por", "porque", "pra", "quando", "que", "quem", "quero",
    "sao", "se", "sem", "ser", "seu", "so", "sou", "sua", "tambem", "tem", "tenho", "tudo", "um", "uma", "vai", "vamos",
    "voce", "voces", "vou",
];

/// What a chat is full of.
#[rustfmt::skip]
const CHATTER: &[&str] = &[
    "ah", "aja", "buenas", "chat", "dale", "gg", "gracias", "haha", "hahaha", "hello", "hey", "hi", "hola", "jaja",
    "jajaja", "lmao", "lol", "nice", "nope", "oh", "ok", "okay", "please", "pls", "thanks", "wow", "xd", "yeah", "yep",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_told_apart() {
        let check = |text: &str, expected: Option<Language>| assert_eq!(Language::of(text), expected, "{text}");
        check("I think we should ship it", Some(Language::English));
        check("yo creo que ya está muy bien", Some(Language::Spanish));
        check("eu não tenho tempo agora", Some(Language::Portuguese));
        check("docker compose", None);
        check("", None);
    }

    #[test]
    fn the_lists_hold_folded_words_once() {
        for (language, list) in STOP_WORDS {
            for (index, word) in list.iter().enumerate() {
                assert_eq!(&crate::text::fold(word), word);
                assert!(!list[..index].contains(word), "{language:?}: {word} stands twice");
            }
        }
    }
}
