//! A policy document and how two of them become one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A policy. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Document {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) id: String,
    #[serde(rename = "Statement", skip_serializing_if = "Vec::is_empty")]
    pub(super) statements: Vec<Statement>,
}

/// One statement, its members in the order in which they are written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Statement {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) sid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) effect: String,
    #[serde(rename = "Action", skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<OneOrMany>,
    #[serde(rename = "NotAction", skip_serializing_if = "Option::is_none")]
    pub(super) not_actions: Option<OneOrMany>,
    #[serde(rename = "Resource", skip_serializing_if = "Option::is_none")]
    pub(super) resources: Option<OneOrMany>,
    #[serde(rename = "NotResource", skip_serializing_if = "Option::is_none")]
    pub(super) not_resources: Option<OneOrMany>,
    #[serde(rename = "Principal", skip_serializing_if = "Principals::is_empty")]
    pub(super) principals: Principals,
    #[serde(rename = "NotPrincipal", skip_serializing_if = "Principals::is_empty")]
    pub(super) not_principals: Principals,
    #[serde(rename = "Condition", skip_serializing_if = "Conditions::is_empty")]
    pub(super) conditions: Conditions,
}

/// A text that stands alone, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Identifiers by the principal's type.
#[derive(Debug, Default)]
pub(super) struct Principals(BTreeMap<String, OneOrMany>);

/// Values by operator and variable.
#[derive(Debug, Default)]
pub(super) struct Conditions(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Takes the other's statements over; one with a known sid replaces its namesake.
    pub(super) fn merge(&mut self, other: Document) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        self.version = std::mem::take(&mut self.version).max(other.version);
        for statement in other.statements {
            match self
                .statements
                .iter_mut()
                .find(|known| !known.sid.is_empty() && known.sid == statement.sid)
            {
                Some(known) => *known = statement,
                None => self.statements.push(statement),
            }
        }
    }
}

impl Principals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds identifiers of a type, last in the alphabet first.
    pub(super) fn add(&mut self, kind: &str, mut identifiers: OneOrMany) {
        if let OneOrMany::Many(many) = &mut identifiers {
            many.sort_unstable_by(|a, b| b.cmp(a));
        }
        let together = match self.0.remove(kind) {
            None => identifiers,
            Some(known) => OneOrMany::Many([known.into_list(), identifiers.into_list()].concat()),
        };
        self.0.insert(kind.to_owned(), together);
    }

    /// `{"*": "*"}` and nothing else is written as `"*"`.
    fn is_everyone(&self) -> bool {
        self.0.len() == 1
            && self
                .0
                .get("*")
                .is_some_and(|identifiers| *identifiers.clone().into_list() == ["*"])
    }
}

impl OneOrMany {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

impl Conditions {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds values for an operator and a variable; their order is kept.
    pub(super) fn add(&mut self, operator: &str, variable: &str, values: Vec<String>) {
        self.0
            .entry(operator.to_owned())
            .or_default()
            .entry(variable.to_owned())
            .or_default()
            .extend(values);
    }
}

impl Serialize for Principals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_everyone() {
            "*".serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Principals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Everyone(String),
            ByType(BTreeMap<String, OneOrMany>),
        }
        let by_type = match Written::deserialize(deserializer)? {
            Written::Everyone(everyone) => BTreeMap::from([("*".to_owned(), OneOrMany::One(everyone))]),
            Written::ByType(by_type) => by_type,
        };
        let mut principals = Self::default();
        for (kind, identifiers) in by_type {
            principals.add(&kind, identifiers);
        }
        Ok(principals)
    }
}

impl Serialize for Conditions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written: BTreeMap<&str, BTreeMap<&str, OneOrMany>> = self
            .0
            .iter()
            .map(|(operator, variables)| {
                (
                    operator.as_str(),
                    variables
                        .iter()
                        .map(|(name, values)| (name.as_str(), written(values)))
                        .collect(),
                )
            })
            .collect();
        written.serialize(serializer)
    }
}

fn written(values: &[String]) -> OneOrMany {
    match values {
        [value] => OneOrMany::One(value.clone()),
        values => OneOrMany::Many(values.to_vec()),
    }
}

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Values {
            Truth(bool),
            Texts(OneOrMany),
        }
        let mut conditions = Self::default();
        for (operator, variables) in BTreeMap::<String, BTreeMap<String, Values>>::deserialize(deserializer)? {
            for (variable, values) in variables {
                let texts = match values {
                    Values::Truth(truth) => vec![truth.to_string()],
                    Values::Texts(texts) => texts.into_list(),
                };
                conditions.add(&operator, &variable, texts);
            }
        }
        Ok(conditions)
    }
}
