//! Reads Terraform files and evaluates them offline into a [`Stack`], with diagnostics that point at the source.
//!
//! ```text
//! *.tf ─read─▶ Sources ─parse─▶ Module ─evaluate─▶ Stack ─plan_json─▶ what `terraform show -json` says of a first plan
//! ```
//!
//! Everything after [`read`] is pure: no file, no clock, no network, no provider. What a provider knows is handed in as data
//! ([`Provider`]), so this crate names no cloud. What cannot be known before apply is [`Unknown`], and remembers what it is made of; nothing
//! is made up. Provisioners, `external` data sources and whatever else would run something are never run.
//!
//! ```
//! use karma_terraform::{Inputs, Provider, Sources, Value, evaluate, parse};
//!
//! let text = r#"
//!     variable "agents" { default = { validator = 9001, hello = 9002 } }
//!     output "urls" { value = [for name, port in var.agents : "http://${name}:${port}"] }
//! "#;
//! let sources = Sources::from_iter([("main.tf", text)]);
//! let (module, problems) = parse(&sources);
//! assert!(problems.is_empty());
//! let (stack, problems) = evaluate(&module, &Inputs::default(), &Provider::default());
//! assert!(problems.is_empty());
//! let urls = stack.outputs["urls"].value.as_elements().expect("a list");
//! assert_eq!(urls[1], Value::String("http://validator:9001".into()));
//! ```

mod address;
mod diagnostic;
mod evaluate;
mod functions;
mod graph;
mod inputs;
mod interface;
mod module;
mod parse;
mod plan;
pub mod provider;
mod read;
mod references;
pub mod schema;
mod settings;
mod sources;
mod stack;
mod suggest;
mod types;
mod value;

pub use address::{Address, AttributePath, InstanceKey, Mode, ModuleStep, PathStep};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use evaluate::evaluate;
pub use inputs::{CommandLine, Inputs};
pub use interface::{OutputDeclaration, VariableDeclaration};
pub use module::Module;
pub use parse::parse;
pub use plan::plan_json;
pub use provider::Provider;
pub use read::read;
pub use settings::{Backend, Settings};
pub use sources::{Position, Sources, Span};
pub use stack::{Output, ResourceInstance, Stack};
pub use types::{ObjectAttribute, Type, convert};
pub use value::{Hole, Number, Object, Unknown, Value};
