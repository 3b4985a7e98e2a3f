//! What `docker login` has written down. <https://docs.docker.com/reference/cli/docker/login/#credential-stores>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Credentials, Password};

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
}

/// `config.json` is not what Docker writes. Nothing of it is shown: it holds passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the JSON that `docker login` writes")]
pub struct InvalidDockerConfig;

impl Credentials {
    /// The name and password that a `~/.docker/config.json` has of a registry; `None` where it has none. What a credential helper keeps is not
    /// asked for.
    pub fn from_docker_config(text: &str, registry: &str) -> Result<Option<Self>, InvalidDockerConfig> {
        let config: Config = serde_json::from_str(text).map_err(|_| InvalidDockerConfig)?;
        let entry = config.auths.iter().find(|(key, _)| host(key) == registry);
        match entry
            .and_then(|(_, entry)| entry.auth.as_deref())
            .filter(|auth| !auth.is_empty())
        {
            Some(auth) => decode(auth).map(Some).ok_or(InvalidDockerConfig),
            None => Ok(None),
        }
    }
}

/// A key is a host, or an address of one: `https://index.docker.io/v1/`.
fn host(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// `name:password` as base64.
fn decode(auth: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Credentials::Basic {
        username: username.to_owned(),
        password: Password::new(password.trim_end_matches('\0')),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `me:open:sesame`
    const CONFIG: &str = r#"{
        "auths": {
            "https://a.example/v1/": { "auth": "bWU6b3BlbjpzZXNhbWU=" },
            "b.example:5000": {},
            "c.example": { "auth": "bWU=" }
        },
        "credsStore": "desktop"
    }"#;

    #[test]
    fn the_entry_of_the_registry_is_found() {
        let found = Credentials::from_docker_config(CONFIG, "a.example").unwrap().unwrap();
        let header = found.basic().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic bWU6b3BlbjpzZXNhbWU=");
        for registry in ["b.example:5000", "b.example", "d.example", ""] {
            assert!(
                Credentials::from_docker_config(CONFIG, registry).unwrap().is_none(),
                "{registry}"
            );
        }
        assert!(Credentials::from_docker_config("{}", "a.example").unwrap().is_none());
    }

    #[test]
    fn what_is_broken_is_not_shown() {
        for (text, registry) in [(CONFIG, "c.example"), ("", "a"), ("3", "a"), (r#"{"auths":3}"#, "a")] {
            assert_eq!(
                Credentials::from_docker_config(text, registry).unwrap_err(),
                InvalidDockerConfig
            );
        }
    }
}
