//! What Terraform's AWS provider knows, as data and pure functions for the evaluator: schemas, defaults, data sources that can be computed,
//! and what it rewrites while planning.
//!
//! The provider is hashicorp/aws 5.100. `data/aws.json` holds the parts of `terraform providers schema -json` that matter; the defaults in
//! it are not part of that schema and were read off real plans. The end-to-end tests compare the outcome with the provider's own.
//! <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs>

mod crc32;
mod data_sources;
mod go_json;
mod normalise;
mod policy_document;

use std::sync::LazyLock;

use karma_terraform::Provider;
use karma_terraform::provider::Normaliser;
use karma_terraform::schema::Schemas;

/// Read once: normalisers consult it too.
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/aws.json")).expect("the embedded schemas are tested to be readable")
});

/// Terraform's AWS provider, as far as an ECS stack and its surroundings need it.
pub fn provider() -> Provider {
    let normalise: Normaliser = normalise::normalise;
    Provider {
        schemas: SCHEMAS.clone(),
        data_sources: data_sources::TABLE.iter().copied().collect(),
        normalisers: SCHEMAS
            .resources
            .keys()
            .map(|kind| (kind.as_str(), normalise))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_schemas_are_readable_and_complete_for_this_crate() {
        let provider = provider();
        for kind in [
            "aws_ecs_service",
            "aws_ecs_task_definition",
            "aws_lb_listener_rule",
            "aws_secretsmanager_secret",
        ] {
            assert!(provider.schemas.resources.contains_key(kind), "{kind}");
        }
        for name in provider.data_sources.keys() {
            assert!(provider.schemas.data_sources.contains_key(*name), "{name}");
        }
    }
}
