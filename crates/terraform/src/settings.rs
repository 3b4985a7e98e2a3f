//! [`Settings`]: what the `terraform` blocks of a root module say about Terraform itself. Nothing of it is evaluated; Terraform wants it literal.
//! <https://developer.hashicorp.com/terraform/language/block/terraform>

use std::collections::BTreeMap;

use crate::Module;
use crate::module::{Block, Body};

/// Which Terraform a module wants, and where its state is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Constraints on Terraform's own version: `>= 1.10`
    pub required_version: Option<String>,
    /// Where the state is kept; `None` where it is a file beside the module.
    pub backend: Option<Backend>,
}

/// Where a state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// `s3`, or `cloud` for HCP Terraform's own block.
    pub kind: String,
    /// What the block says with literal texts: `bucket`, `key`, …
    pub arguments: BTreeMap<String, String>,
}

impl Settings {
    /// Adds what one block says.
    pub(crate) fn read(&mut self, block: &Block) {
        let version = block.body.argument("required_version");
        let version = version.and_then(|argument| argument.value.syntax.as_str());
        self.required_version = version.map(str::to_owned).or(self.required_version.take());
        let backend = block.body.blocks.iter().find_map(Backend::read);
        self.backend = backend.or(self.backend.take());
    }
}

impl Backend {
    fn read(block: &Block) -> Option<Self> {
        let kind = match (block.kind.as_str(), block.labels.as_slice()) {
            ("backend", [kind]) => kind.text.clone(),
            ("cloud", []) => "cloud".to_owned(),
            _ => return None,
        };
        Some(Self {
            kind,
            arguments: literals(&block.body),
        })
    }
}

fn literals(body: &Body) -> BTreeMap<String, String> {
    let literal = |argument: &crate::module::Argument| {
        let text = argument.value.syntax.as_str()?;
        Some((argument.name.clone(), text.to_owned()))
    };
    body.arguments.iter().filter_map(literal).collect()
}

impl Module {
    /// What the root module says about Terraform itself.
    pub fn settings(&self) -> Settings {
        self.root().map(|root| root.settings.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Sources, parse};

    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], version: Option<&str>, backend: Option<(&str, &[(&str, &str)])>) {
        let (module, diagnostics) = parse(&files.iter().copied().collect::<Sources>());
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let settings = module.settings();
        assert_eq!(settings.required_version.as_deref(), version);
        let expected = backend.map(|(kind, arguments)| Backend {
            kind: kind.to_owned(),
            arguments: arguments
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        });
        assert_eq!(settings.backend, expected);
    }

    #[test]
    fn several_blocks_say_it_together() {
        let versions = "terraform {\n  required_version = \">= 1.10\"\n}\n";
        let backend = "terraform {\n  backend \"s3\" {\n    key     = \"a/b\"\n    encrypt = true\n  }\n}\n";
        check(
            &[("a.tf", versions), ("b.tf", backend)],
            Some(">= 1.10"),
            Some(("s3", &[("key", "a/b")])),
        );
        check(&[("a.tf", "")], None, None);
    }

    #[test]
    fn a_cloud_is_a_backend_and_an_override_replaces_one() {
        let cloud = "terraform {\n  cloud {\n    organization = \"o\"\n  }\n}\n";
        check(&[("a.tf", cloud)], None, Some(("cloud", &[("organization", "o")])));
        let (s3, local) = (
            "terraform {\n  backend \"s3\" {}\n}\n",
            "terraform {\n  backend \"local\" {}\n}\n",
        );
        check(&[("a.tf", s3), ("override.tf", local)], None, Some(("local", &[])));
    }
}
