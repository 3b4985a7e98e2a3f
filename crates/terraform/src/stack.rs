//! The result of evaluating a module.

use std::collections::BTreeMap;

use crate::{Address, Object, Span, Value};

/// One evaluated root module.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Every resource instance, data sources included ([`Address::mode`] tells them apart).
    pub resources: BTreeMap<Address, ResourceInstance>,
    /// The root module's outputs.
    pub outputs: BTreeMap<String, Output>,
    /// The root module's variables as they were settled: defaults, files, environment and command line.
    pub variables: BTreeMap<String, Value>,
    /// The evaluated `provider` blocks of the root module by name (`aws`) or name and alias (`aws.west`).
    pub providers: BTreeMap<String, Object>,
}

/// One member of a `resource` or `data` block.
#[derive(Debug, Clone)]
pub struct ResourceInstance {
    /// Its address.
    pub address: Address,
    /// All attributes by name: written, filled in by the provider, or unknown.
    pub attributes: Object,
    /// The block that declares it.
    pub declared_at: Span,
    /// Where each written top-level argument or block stands.
    pub argument_spans: BTreeMap<String, Span>,
}

/// An output of the root module.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its value.
    pub value: Value,
    /// Declared `sensitive`.
    pub sensitive: bool,
}
