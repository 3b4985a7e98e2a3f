//! The values that secrets have on this machine.

use std::collections::BTreeMap;
use std::fmt;

use karma_fleet::SecretReference;

/// A value that no `Debug`, log or error shows.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

/// Values of secrets by name and json key, and a second place to look: variables by their own names.
#[derive(Debug, Clone, Default)]
pub struct LocalSecrets {
    values: BTreeMap<(String, Option<String>), SecretValue>,
    environment: BTreeMap<String, SecretValue>,
    added: BTreeMap<String, BTreeMap<String, SecretValue>>,
}

impl SecretValue {
    /// Guards a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one who hands it to a task.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl LocalSecrets {
    /// Values by the secret's name and the json key; a secret that is one text has no key.
    pub fn new(values: BTreeMap<(String, Option<String>), String>) -> Self {
        let values = values
            .into_iter()
            .map(|(key, value)| (key, SecretValue(value)))
            .collect();
        Self {
            values,
            environment: BTreeMap::new(),
            added: BTreeMap::new(),
        }
    }

    /// Where no value stands under the secret's name, the variable of the same name as the task's is taken from here.
    #[must_use]
    pub fn or_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment = variables
            .into_iter()
            .map(|(name, value)| (name, SecretValue(value)))
            .collect();
        self
    }

    /// Variables for containers, by their names, that their definitions know nothing of: what only this run knows.
    #[must_use]
    pub fn and_for_containers(mut self, variables: BTreeMap<String, BTreeMap<String, String>>) -> Self {
        let guarded = |variables: BTreeMap<String, String>| {
            let variables = variables.into_iter();
            variables.map(|(name, value)| (name, SecretValue(value))).collect()
        };
        let variables = variables.into_iter();
        self.added = variables.map(|(container, of)| (container, guarded(of))).collect();
        self
    }

    /// What is added to a container.
    pub(crate) fn added_to(&self, container: &str) -> BTreeMap<String, SecretValue> {
        self.added.get(container).cloned().unwrap_or_default()
    }

    /// The value for one variable of a container.
    pub(crate) fn value(&self, reference: &SecretReference) -> Option<&SecretValue> {
        let key = (reference.secret_name.clone(), reference.json_key.clone());
        self.values.get(&key).or_else(|| self.environment.get(&reference.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(name: &str, secret_name: &str, json_key: Option<&str>) -> SecretReference {
        SecretReference {
            name: name.to_owned(),
            secret: None,
            secret_name: secret_name.to_owned(),
            json_key: json_key.map(str::to_owned),
        }
    }

    fn secrets() -> LocalSecrets {
        let key = ("k/validator".to_owned(), Some("api_key".to_owned()));
        LocalSecrets::new([(key, "from-file".to_owned())].into())
            .or_environment([("TOKEN".to_owned(), "from-environment".to_owned())])
    }

    #[test]
    fn a_value_is_found_by_key_first_and_then_by_variable() {
        let check = |name, secret, key, expected: Option<&str>| {
            let secrets = secrets();
            assert_eq!(
                secrets.value(&reference(name, secret, key)).map(SecretValue::expose),
                expected
            );
        };
        check("API_KEY", "k/validator", Some("api_key"), Some("from-file"));
        check("TOKEN", "k/validator", Some("other"), Some("from-environment"));
        check("API_KEY", "k/validator", None, None);
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", secrets());
        assert!(!shown.contains("from-"), "{shown}");
    }
}
