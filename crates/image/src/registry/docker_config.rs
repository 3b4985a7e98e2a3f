//! What `docker login` has written down, or given to a program to keep. <https://docs.docker.com/reference/cli/docker/login/#credential-stores>

use std::collections::BTreeMap;
use std::process::ExitStatus;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Credentials, Password};

/// The name that stands in place of a user's where what is kept is a token to get tokens with.
/// <https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol>
const TOKEN: &str = "<token>";

/// What a helper says, on its standard output, where it keeps nothing of a registry.
/// <https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go>
const NOTHING_KEPT: &str = "credentials not found in native keychain";

/// Docker's `~/.docker/config.json`, as far as it tells who one is. It holds passwords and has no `Debug`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    /// The helper that keeps all that none of the others does.
    creds_store: Option<String>,
    /// Helpers by registry.
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
}

/// A program that keeps passwords: it is run as `PROGRAM get`, reads `server` from its standard input and answers on its standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialHelper {
    /// `docker-credential-pass`
    pub program: String,
    /// What it knows the registry as.
    pub server: String,
}

/// What a helper answers with.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kept {
    username: String,
    secret: String,
}

/// `config.json` is not what Docker writes. Nothing of it is shown: it holds passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the JSON that `docker login` writes")]
pub struct InvalidDockerConfig;

/// Why a helper gives no password. Nothing of its answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelperError {
    /// It failed.
    #[error("it does not say why")]
    Failed,
    /// It ended well, and said something else.
    #[error("its answer is not the JSON of a credential helper")]
    Answer,
    /// It keeps what a password is not.
    #[error("it keeps an identity token, and no password")]
    Token,
}

impl DockerConfig {
    /// Reads the text of a `config.json`.
    pub fn read(text: &str) -> Result<Self, InvalidDockerConfig> {
        serde_json::from_str(text).map_err(|_| InvalidDockerConfig)
    }

    /// The name and password that the file itself has of a registry; `None` where it has none.
    pub fn credentials(&self, registry: &str) -> Result<Option<Credentials>, InvalidDockerConfig> {
        let written = self.entry(registry).and_then(|(_, entry)| entry.auth.as_deref());
        match written.filter(|auth| !auth.is_empty()) {
            Some(auth) => decode(auth).map(Some).ok_or(InvalidDockerConfig),
            None => Ok(None),
        }
    }

    /// The program that is to be asked about a registry before the file is; `None` where there is none.
    pub fn helper(&self, registry: &str) -> Option<CredentialHelper> {
        let own = self.cred_helpers.iter().find(|(key, _)| host(key) == registry);
        let entry = self.entry(registry).map(|(key, _)| key);
        let (server, name) = match own {
            Some((key, name)) => (Some(key), name),
            None => (entry, self.creds_store.as_ref()?),
        };
        Some(CredentialHelper {
            program: format!("docker-credential-{}", Some(name).filter(|name| !name.is_empty())?),
            server: server.map_or_else(|| registry.to_owned(), Clone::clone),
        })
    }

    fn entry(&self, registry: &str) -> Option<(&String, &Entry)> {
        self.auths.iter().find(|(key, _)| host(key) == registry)
    }
}

impl CredentialHelper {
    /// What its answer means; `None` where it keeps nothing of the registry.
    pub fn read_answer(status: ExitStatus, said: &str) -> Result<Option<Credentials>, HelperError> {
        if !status.success() {
            let is_unknown = said.trim() == NOTHING_KEPT;
            return if is_unknown { Ok(None) } else { Err(HelperError::Failed) };
        }
        let kept: Kept = serde_json::from_str(said).map_err(|_| HelperError::Answer)?;
        kept.credentials().map(Some)
    }
}

impl Kept {
    fn credentials(self) -> Result<Credentials, HelperError> {
        if self.username == TOKEN {
            return Err(HelperError::Token);
        }
        Ok(Credentials::Basic {
            username: self.username,
            password: Password::new(self.secret),
        })
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
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    /// `me:open:sesame`
    const CONFIG: &str = r#"{
        "auths": {
            "https://a.example/v1/": { "auth": "bWU6b3BlbjpzZXNhbWU=" },
            "b.example:5000": {},
            "c.example": { "auth": "bWU=" }
        },
        "credsStore": "desktop",
        "credHelpers": { "d.example": "pass", "https://e.example/v1/": "" }
    }"#;

    fn basic(credentials: &Credentials) -> String {
        credentials.basic().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn the_entry_of_the_registry_is_found() {
        let config = DockerConfig::read(CONFIG).unwrap();
        let found = config.credentials("a.example").unwrap().unwrap();
        assert_eq!(basic(&found), "Basic bWU6b3BlbjpzZXNhbWU=");
        for registry in ["b.example:5000", "b.example", "d.example", ""] {
            assert!(config.credentials(registry).unwrap().is_none(), "{registry}");
        }
        let empty = DockerConfig::read("{}").unwrap();
        assert!(empty.credentials("a.example").unwrap().is_none() && empty.helper("a.example").is_none());
    }

    #[test]
    fn what_is_broken_is_not_shown() {
        let config = DockerConfig::read(CONFIG).unwrap();
        assert_eq!(config.credentials("c.example").unwrap_err(), InvalidDockerConfig);
        for text in ["", "3", r#"{"auths":3}"#] {
            assert_eq!(DockerConfig::read(text).err(), Some(InvalidDockerConfig), "{text}");
        }
    }

    #[track_caller]
    fn check_helper(registry: &str, expected: Option<(&str, &str)>) {
        let helper = DockerConfig::read(CONFIG).unwrap().helper(registry);
        let helper = helper.as_ref().map(|helper| (&*helper.program, &*helper.server));
        assert_eq!(helper, expected);
    }

    #[test]
    fn a_registrys_own_helper_goes_before_the_one_for_all() {
        check_helper("d.example", Some(("docker-credential-pass", "d.example")));
        check_helper("f.example", Some(("docker-credential-desktop", "f.example")));
        check_helper(
            "a.example",
            Some(("docker-credential-desktop", "https://a.example/v1/")),
        );
        // Docker, too, takes a helper without a name for none.
        check_helper("e.example", None);
    }

    #[track_caller]
    fn check_answer(code: i32, said: &str, expected: Result<Option<&str>, HelperError>) {
        let answered = CredentialHelper::read_answer(ExitStatus::from_raw(code << 8), said);
        let header = answered.map(|credentials| credentials.as_ref().map(basic));
        assert_eq!(header, expected.map(|header| header.map(str::to_owned)));
    }

    #[test]
    fn a_helper_answers_with_a_password_or_that_it_has_none() {
        let right = r#"{"ServerURL":"d.example","Username":"me","Secret":"open:sesame"}"#;
        check_answer(0, right, Ok(Some("Basic bWU6b3BlbjpzZXNhbWU=")));
        check_answer(1, "credentials not found in native keychain\n", Ok(None));
        check_answer(1, right, Err(HelperError::Failed));
        check_answer(0, "open sesame", Err(HelperError::Answer));
        check_answer(0, r#"{"Username":"<token>","Secret":"x"}"#, Err(HelperError::Token));
    }
}
