//! What a provider knows, handed in as data and pure functions, so that this crate names no cloud.

use std::collections::BTreeMap;

use crate::{Address, Object, schema::Schemas};

/// Everything the evaluator needs to know of a provider.
#[derive(Debug, Clone, Default)]
pub struct Provider {
    /// The shape of each resource and data source.
    pub schemas: Schemas,
    /// Data sources whose answer can be computed without asking anyone.
    pub data_sources: BTreeMap<&'static str, DataSource>,
    /// What the provider rewrites while planning, by resource type.
    pub normalisers: BTreeMap<&'static str, Normaliser>,
}

/// What surrounds a call of a [`DataSource`] or a [`Normaliser`].
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The resource instance or data source in question.
    pub address: &'a Address,
    /// The evaluated `provider` block that serves it (`region`, `default_tags`).
    pub provider: &'a Object,
    /// What the user told on the command line (`account_id`).
    pub facts: &'a BTreeMap<String, String>,
}

/// Answers a data source from its evaluated arguments, all attributes by name. An attribute it cannot know is left out and becomes
/// unknown; `Ok(None)` leaves all of them unknown. `Err` is a sentence for the user.
pub type DataSource = fn(Context<'_>, &Object) -> Result<Option<Object>, String>;

/// Rewrites the attributes of a planned resource instance as the provider does: after defaults and unknowns were filled in.
/// `Err` is a sentence for the user.
pub type Normaliser = fn(Context<'_>, &mut Object) -> Result<(), String>;
