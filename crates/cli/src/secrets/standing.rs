//! [`Standing`]: what tasks read of a secret beside what is stored.

use std::collections::{BTreeMap, BTreeSet};

use karma_aws::{StoredSecret, ValueShape};

use super::{StackSecrets, WantedSecret};

/// A secret, and what is stored of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) wanted: &'a WantedSecret,
    pub(crate) stored: Option<&'a StoredSecret>,
}

/// What keeps a task from being started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lack<'a> {
    /// There is no such secret.
    Secret,
    /// Somebody has deleted it; AWS waits before it does so.
    Deleted,
    /// It has no value.
    Value,
    /// Its value is no JSON object.
    Object,
    /// These keys are not in it.
    Keys(Vec<&'a str>),
}

impl<'a> Standing<'a> {
    /// Each secret of a stack, beside what is stored.
    pub(crate) fn of_all(wanted: &'a StackSecrets, stored: &'a BTreeMap<String, StoredSecret>) -> Vec<Self> {
        let stand = |wanted: &'a WantedSecret| Self {
            wanted,
            stored: stored.get(&wanted.name),
        };
        wanted.iter().map(stand).collect()
    }

    /// What tasks read and would not find. A secret that nobody reads lacks nothing.
    pub(crate) fn lack(&self) -> Option<Lack<'a>> {
        if self.wanted.keys.is_empty() && !self.wanted.is_read_whole {
            return None;
        }
        let Some(stored) = self.stored else {
            return Some(Lack::Secret);
        };
        if stored.is_being_deleted {
            return Some(Lack::Deleted);
        }
        match &stored.value {
            None => Some(Lack::Value),
            Some(_) if self.wanted.keys.is_empty() => None,
            Some(ValueShape::Text) => Some(Lack::Object),
            Some(ValueShape::Keys(there)) => self.missing_keys(there),
        }
    }

    fn missing_keys(&self, there: &BTreeSet<String>) -> Option<Lack<'a>> {
        let is_missing = |key: &&String| !there.contains(*key);
        let missing: Vec<&str> = self.wanted.keys.iter().filter(is_missing).map(String::as_str).collect();
        (!missing.is_empty()).then_some(Lack::Keys(missing))
    }

    /// The command that mends it.
    pub(crate) fn mend(&self, lack: &Lack<'_>) -> String {
        let label = self.wanted.label();
        match lack {
            Lack::Secret => format!("terraform apply -target='{}'", self.wanted.address),
            Lack::Deleted => format!("aws secretsmanager restore-secret --secret-id {}", self.wanted.name),
            Lack::Keys(keys) => format!("karma secrets set {label}.{}", keys[0]),
            Lack::Value => match self.wanted.keys.first() {
                Some(key) => format!("karma secrets set {label}.{key}"),
                None => format!("karma secrets set {label}"),
            },
            Lack::Object => format!("karma secrets set {label} --from-file FILE.json"),
        }
    }
}

impl Lack<'_> {
    /// In a few words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Secret => "there is no such secret".to_owned(),
            Self::Deleted => "it is being deleted".to_owned(),
            Self::Value => "it has no value".to_owned(),
            Self::Object => "its value is no JSON object".to_owned(),
            Self::Keys(keys) => format!("no key {}", keys.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::secrets;
    use super::*;

    fn stored(value: Option<ValueShape>) -> StoredSecret {
        StoredSecret {
            value,
            last_changed: None,
            is_being_deleted: false,
        }
    }

    fn keys(keys: &[&str]) -> ValueShape {
        ValueShape::Keys(keys.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn check(secret: &str, stored: Option<&StoredSecret>, lack: Option<&Lack<'_>>, mend: &str) {
        let secrets = secrets();
        let wanted = secrets.find(secret).unwrap().secret;
        let standing = Standing { wanted, stored };
        let found = standing.lack();
        assert_eq!(found.as_ref().map(|lack| standing.mend(lack)).unwrap_or_default(), mend);
        assert_eq!(found.as_ref(), lack);
    }

    #[test]
    fn what_is_missing_is_named_with_what_mends_it() {
        let set = "karma secrets set validator.OPENAI_API_KEY";
        check(
            "validator",
            None,
            Some(&Lack::Secret),
            "terraform apply -target='aws_secretsmanager_secret.agents[\"validator\"]'",
        );
        check("validator", Some(&stored(None)), Some(&Lack::Value), set);
        check(
            "validator",
            Some(&stored(Some(ValueShape::Text))),
            Some(&Lack::Object),
            "karma secrets set validator --from-file FILE.json",
        );
        let wallet = stored(Some(keys(&["WALLET", "MORE"])));
        check(
            "validator",
            Some(&wallet),
            Some(&Lack::Keys(vec!["OPENAI_API_KEY"])),
            set,
        );
        check(
            "main.token",
            Some(&stored(None)),
            Some(&Lack::Value),
            "karma secrets set main.token",
        );
        let leaving = StoredSecret {
            is_being_deleted: true,
            ..stored(None)
        };
        check(
            "validator",
            Some(&leaving),
            Some(&Lack::Deleted),
            "aws secretsmanager restore-secret --secret-id main/validator",
        );
    }

    #[test]
    fn what_is_there_or_not_read_lacks_nothing() {
        let both = stored(Some(keys(&["WALLET", "OPENAI_API_KEY"])));
        check("validator", Some(&both), None, "");
        check("main.token", Some(&stored(Some(ValueShape::Text))), None, "");
        check("hello", None, None, "");
    }
}
