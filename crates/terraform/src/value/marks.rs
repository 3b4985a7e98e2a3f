//! What a value holds besides plain data: unknowns and sensitivity marks.

use super::Value;

impl Value {
    /// The value marked as one that must not be shown; marking twice is marking once.
    #[must_use]
    pub fn sensitive(self) -> Self {
        match self {
            marked @ Self::Sensitive(_) => marked,
            plain => Self::Sensitive(Box::new(plain)),
        }
    }

    /// The value, marked as sensitive where `source` has a mark at any depth: what is made of a secret is a secret.
    #[must_use]
    pub fn sensitive_like(self, source: &Value) -> Self {
        if source.contains_sensitive() {
            self.sensitive()
        } else {
            self
        }
    }

    /// Whether the value itself is marked as sensitive.
    pub fn is_sensitive(&self) -> bool {
        matches!(self, Self::Sensitive(_))
    }

    /// Whether the value or anything inside is marked as sensitive.
    pub fn contains_sensitive(&self) -> bool {
        self.any(&|value| value.is_sensitive())
    }

    /// Whether the value itself is not known before apply.
    pub fn is_unknown(&self) -> bool {
        matches!(self.unmarked(), Self::Unknown(_))
    }

    /// Whether the value or anything inside is not known before apply.
    pub fn contains_unknown(&self) -> bool {
        self.any(&|value| matches!(value, Self::Unknown(_)))
    }

    /// The value without its outermost mark.
    #[must_use]
    pub fn into_unmarked(self) -> Self {
        match self {
            Self::Sensitive(inner) => inner.into_unmarked(),
            plain => plain,
        }
    }

    /// The value without marks at any depth. What an unknown remembers keeps its own.
    #[must_use]
    pub fn revealed(self) -> Self {
        match self {
            Self::Sensitive(inner) => inner.revealed(),
            Self::List(elements) => Self::List(elements.into_iter().map(Self::revealed).collect()),
            Self::Set(elements) => Self::set(elements.into_iter().map(Self::revealed)),
            Self::Object(members) => Self::Object(
                members
                    .into_iter()
                    .map(|(name, member)| (name, member.revealed()))
                    .collect(),
            ),
            plain => plain,
        }
    }

    /// Whether `matches` holds for the value or anything inside, marks included.
    fn any(&self, matches: &impl Fn(&Value) -> bool) -> bool {
        matches(self)
            || match self {
                Self::Sensitive(inner) => inner.any(matches),
                Self::List(elements) | Self::Set(elements) => elements.iter().any(|element| element.any(matches)),
                Self::Object(members) => members.values().any(|member| member.any(matches)),
                _ => false,
            }
    }
}
