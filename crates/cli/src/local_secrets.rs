//! `secrets.local.toml`: the values that secrets have on this machine. Git ignores it, and no error shows what is in it.
//!
//! ```toml
//! ["karmacadabra/validator"]      # the secret's name in Secrets Manager
//! OPENAI_API_KEY = "…"            # its json keys
//! ```
//!
//! A secret that is not JSON is a plain line: `"karmacadabra/token" = "…"`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// The file's name, beside the .tf files.
pub(crate) const FILE_NAME: &str = "secrets.local.toml";

/// The values of one secret.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Secret {
    /// The whole secret.
    Text(String),
    /// By json key.
    Keys(BTreeMap<String, String>),
}

/// Values by secret name and json key; the whole secret has no key.
pub(crate) type Values = BTreeMap<(String, Option<String>), String>;

/// Reads the local secrets of a stack; a stack without the file has none.
pub(crate) fn read(directory: &Path) -> Result<Values, Failure> {
    let path = directory.join(FILE_NAME);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text).map_err(|message| Failure::unable(format!("{}: {message}", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Values::new()),
        Err(error) => Err(Failure::caused_by(format!("cannot read {}", path.display()), &error)),
    }
}

fn parse(text: &str) -> Result<Values, String> {
    let file: BTreeMap<String, Secret> = toml::from_str(text).map_err(|error| without_the_text(text, &error))?;
    Ok(file
        .into_iter()
        .flat_map(|(name, secret)| values(&name, secret))
        .collect())
}

fn values(name: &str, secret: Secret) -> Vec<((String, Option<String>), String)> {
    match secret {
        Secret::Text(text) => vec![((name.to_owned(), None), text)],
        Secret::Keys(keys) => keys
            .into_iter()
            .map(|(key, value)| ((name.to_owned(), Some(key)), value))
            .collect(),
    }
}

/// The parser's own message quotes the line, and with it the secret.
fn without_the_text(text: &str, error: &toml::de::Error) -> String {
    let place = error
        .span()
        .and_then(|span| text.get(..span.start))
        .map(|before| before.matches('\n').count() + 1);
    let place = place.map_or_else(String::new, |line| format!("line {line}: "));
    format!("{place}not what is expected here: a table per secret, with a string per json key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_and_key() {
        let values = parse("\"k/token\" = \"t\"\n[\"k/a\"]\nKEY = \"v\"").unwrap();
        assert_eq!(values[&("k/token".to_owned(), None)], "t");
        assert_eq!(values[&("k/a".to_owned(), Some("KEY".to_owned()))], "v");
    }

    #[test]
    fn an_error_names_the_line_and_not_the_secret() {
        let error = parse("[a]\nKEY = hunter2").unwrap_err();
        assert!(error.starts_with("line 2: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
