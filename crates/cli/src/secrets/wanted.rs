//! [`StackSecrets`]: the secrets that a stack declares, and what its tasks read of them.

use std::collections::BTreeSet;

use karma_fleet::{Address, Fleet};
use karma_terraform::InstanceKey;

use crate::failure::Failure;

/// From here on two names are taken for a slip of the fingers.
const ALIKE: f64 = 0.8;

/// A secret that a stack declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WantedSecret {
    /// Its name in Secrets Manager.
    pub(crate) name: String,
    /// `aws_secretsmanager_secret.agents["validator"]`
    pub(crate) address: Address,
    /// The json keys that containers read.
    pub(crate) keys: BTreeSet<String>,
    /// Whether a container reads all of it as one text.
    pub(crate) is_read_whole: bool,
}

/// The secrets that a stack declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StackSecrets(Vec<WantedSecret>);

/// What somebody means who writes `validator.OPENAI_API_KEY`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meant<'a> {
    pub(crate) secret: &'a WantedSecret,
    /// All of it where there is no key.
    pub(crate) key: Option<&'a str>,
}

impl StackSecrets {
    /// Those of this stack, by address.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let secrets = fleet.secrets.iter();
        Self(
            secrets
                .map(|(address, secret)| WantedSecret::of(address, &secret.name, fleet))
                .collect(),
        )
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &WantedSecret> {
        self.0.iter()
    }

    /// Their names.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.iter().map(|secret| secret.name.clone()).collect()
    }

    /// The secret, and the key in it, that a text means: a name, an address or a label, and behind a full stop a key.
    pub(crate) fn find<'a>(&'a self, text: &'a str) -> Result<Meant<'a>, Failure> {
        let meant = self.iter().flat_map(|secret| secret.meant_by(text));
        // What is named in full is no shorter name with a key.
        meant
            .min_by_key(|meant| meant.key.map_or(0, str::len))
            .ok_or_else(|| self.unknown(text))
    }

    fn unknown(&self, text: &str) -> Failure {
        let failure = Failure::unable(format!("the stack declares no secret `{text}`"));
        let called: BTreeSet<String> = self.iter().map(WantedSecret::label).collect();
        let name = text.rsplit_once('.').map_or(text, |(name, _)| name);
        let likeness = |known: &str| strsim::jaro_winkler(known, name).max(strsim::jaro_winkler(known, text));
        let known = self
            .iter()
            .flat_map(WantedSecret::designations)
            .collect::<BTreeSet<_>>();
        let nearest = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match nearest.filter(|known| likeness(known) > ALIKE) {
            Some(known) => failure.hint(format!("did you mean `{known}`?")),
            None if called.is_empty() => failure.hint("declare an aws_secretsmanager_secret and deploy it first"),
            None => failure.hint(format!("there are: {}", Vec::from_iter(called).join(", "))),
        }
    }
}

impl WantedSecret {
    fn of(address: &Address, name: &str, fleet: &Fleet) -> Self {
        let definitions = fleet.task_definitions.values();
        let containers = definitions.flat_map(|definition| &definition.containers);
        let references = containers.flat_map(|container| &container.secrets);
        let read: Vec<_> = references
            .filter(|reference| reference.secret.as_ref() == Some(address))
            .map(|reference| reference.json_key.clone())
            .collect();
        Self {
            name: name.to_owned(),
            address: address.clone(),
            is_read_whole: read.contains(&None),
            keys: read.into_iter().flatten().collect(),
        }
    }

    /// What a user calls it: the `for_each` key where the block has one, else its name.
    pub(crate) fn label(&self) -> String {
        match &self.address.key {
            Some(InstanceKey::Key(key)) => key.clone(),
            _ => self.name.clone(),
        }
    }

    fn designations(&self) -> [String; 3] {
        [self.label(), self.name.clone(), self.address.to_string()]
    }

    /// The ways to read a text as one of its designations, with a key or without.
    fn meant_by<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Meant<'a>> {
        self.designations().into_iter().filter_map(move |designation| {
            let rest = text.strip_prefix(&designation)?;
            let key = match rest {
                "" => None,
                rest => Some(rest.strip_prefix('.').filter(|key| !key.is_empty())?),
            };
            Some(Meant { secret: self, key })
        })
    }

    /// A key that tasks read and that is nearly this one.
    pub(crate) fn similar_key(&self, key: &str) -> Option<&str> {
        let likeness = |known: &str| strsim::jaro_winkler(known, key);
        let nearest = self.keys.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        nearest.map(String::as_str).filter(|known| likeness(known) > ALIKE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::secrets;

    #[track_caller]
    fn check(text: &str, name: &str, key: Option<&str>) {
        let secrets = secrets();
        let meant = secrets.find(text).unwrap();
        assert_eq!((meant.secret.name.as_str(), meant.key), (name, key), "{text}");
    }

    #[track_caller]
    fn check_unknown(text: &str, hint: &str) {
        let shown = secrets().find(text).unwrap_err().render();
        assert!(shown.contains(hint), "{shown}");
    }

    #[test]
    fn a_secret_is_meant_by_label_name_and_address() {
        check("validator", "main/validator", None);
        check("main/validator", "main/validator", None);
        check(r#"aws_secretsmanager_secret.agents["hello"]"#, "main/hello", None);
        check("aws_secretsmanager_secret.token", "main.token", None);
    }

    #[test]
    fn behind_a_full_stop_is_a_key_and_a_name_may_have_one_too() {
        check("validator.OPENAI_API_KEY", "main/validator", Some("OPENAI_API_KEY"));
        check(
            r#"aws_secretsmanager_secret.agents["hello"].K"#,
            "main/hello",
            Some("K"),
        );
        check("main.token", "main.token", None);
        check("main.token.a.b", "main.token", Some("a.b"));
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is() {
        check_unknown("validater", "did you mean `validator`?");
        check_unknown("validater.KEY", "did you mean `validator`?");
        check_unknown("validator.", "did you mean `validator`?");
        check_unknown("x", "there are: hello, main.token, validator");
    }

    #[test]
    fn what_tasks_read_is_known() {
        let secrets = secrets();
        let validator = secrets.find("validator").unwrap().secret;
        assert!(validator.keys.iter().eq(["OPENAI_API_KEY", "WALLET"]));
        assert!(!validator.is_read_whole);
        assert_eq!(validator.similar_key("OPENAI_API_KEYS"), Some("OPENAI_API_KEY"));
        assert!(secrets.find("main.token").unwrap().secret.is_read_whole);
        assert!(secrets.find("hello").unwrap().secret.keys.is_empty());
    }
}
