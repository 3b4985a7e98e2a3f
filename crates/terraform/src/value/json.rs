//! Values to JSON and back.

use serde_json::Value as Json;

use super::{Number, Unknown, Value};

/// Where a value has nothing that may simply be written down.
#[derive(Debug, Clone, Copy)]
pub enum Hole<'a> {
    /// Not known before apply.
    Unknown(&'a Unknown),
    /// Must not be shown; the caller may ask for what is inside.
    Sensitive(&'a Value),
}

impl Value {
    /// The value as JSON; `None` if anything inside is unknown or sensitive.
    pub fn to_json(&self) -> Option<Json> {
        self.to_json_with(&|_| None)
    }

    /// The value as JSON, with `fill` deciding what stands for the unknown and the sensitive. `None` from it makes the whole `None`.
    pub fn to_json_with(&self, fill: &dyn Fn(Hole<'_>) -> Option<Json>) -> Option<Json> {
        Some(match self {
            Self::Null => Json::Null,
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Number(number) => number.to_json(),
            Self::String(text) => Json::String(text.clone()),
            Self::List(elements) | Self::Set(elements) => elements
                .iter()
                .map(|element| element.to_json_with(fill))
                .collect::<Option<_>>()?,
            Self::Object(members) => members
                .iter()
                .map(|(name, member)| Some((name.clone(), member.to_json_with(fill)?)))
                .collect::<Option<_>>()?,
            Self::Unknown(unknown) => fill(Hole::Unknown(unknown))?,
            Self::Sensitive(inner) => fill(Hole::Sensitive(inner))?,
        })
    }

    /// JSON as a value: arrays become lists, objects become objects.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => Self::Number(Number::from_json(number)),
            Json::String(text) => Self::String(text.clone()),
            Json::Array(elements) => Self::List(elements.iter().map(Self::from_json).collect()),
            Json::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), Self::from_json(member)))
                    .collect(),
            ),
        }
    }
}
