//! Reads Terraform files and evaluates them offline into a [`Stack`].

mod address;
mod diagnostic;
pub mod provider;
pub mod schema;
mod sources;
mod stack;
mod value;

pub use address::{Address, AttributePath, InstanceKey, Mode, ModuleStep, PathStep};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use provider::Provider;
pub use sources::{Position, Sources, Span};
pub use stack::{Output, ResourceInstance, Stack};
pub use value::{Number, Object, Unknown, Value};
