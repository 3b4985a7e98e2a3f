//! The shape of resources and data sources: the parts of `terraform providers schema -json` that matter, and the defaults it leaves out.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The schemas of one provider.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Schemas {
    /// Resource types by name.
    pub resources: BTreeMap<String, Block>,
    /// Data sources by name.
    pub data_sources: BTreeMap<String, Block>,
}

/// The attributes and nested blocks of a resource, a data source or a nested block.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Block {
    /// Attributes by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, Attribute>,
    /// Nested blocks by name.
    #[serde(default)]
    pub blocks: BTreeMap<String, NestedBlock>,
}

/// One attribute.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the flags of Terraform's own schema format"
)]
#[derive(Debug, Clone, Deserialize)]
pub struct Attribute {
    /// Its type in the notation of `terraform providers schema -json`: `"string"`, `["list", "string"]`, `["object", {..}]`.
    #[serde(rename = "type")]
    pub ty: serde_json::Value,
    /// Must be written.
    #[serde(default)]
    pub required: bool,
    /// Decided by the provider where it is not written.
    #[serde(default)]
    pub computed: bool,
    /// May be written although it is computed; a computed attribute that is not optional is the provider's alone.
    #[serde(default)]
    pub optional: bool,
    /// Must not be shown.
    #[serde(default)]
    pub sensitive: bool,
    /// What the provider fills in at plan time where it is not written. Not part of Terraform's schema: learnt from real plans.
    #[serde(default)]
    pub default: Option<serde_json::Value>,
}

/// A nested block and how often it may stand.
#[derive(Debug, Clone, Deserialize)]
pub struct NestedBlock {
    /// How its occurrences appear in the parent.
    pub nesting: Nesting,
    /// At least so many.
    #[serde(default)]
    pub min_items: usize,
    /// At most so many; zero is no limit.
    #[serde(default)]
    pub max_items: usize,
    /// Decided by the provider where no block is written: the schema's way of saying so is a computed attribute of the same name.
    #[serde(default)]
    pub computed: bool,
    /// What is inside.
    #[serde(flatten)]
    pub block: Block,
}

/// How the occurrences of a nested block appear in the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nesting {
    /// One object or null.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects, keyed by the block's label.
    Map,
}
