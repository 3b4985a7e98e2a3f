//! Somebody who verifies and settles with x402-facilitator-local, and pays the gas as the account of `PRIVATE_KEY`.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use serde_json::{Value, json};
use x402_chain_eip155::V2Eip155Exact;
use x402_chain_eip155::chain::config::Eip155ChainConfig;
use x402_chain_eip155::chain::{Eip155ChainProvider, Eip155ChainReference};
use x402_facilitator_local::{FacilitatorLocal, handlers};
use x402_types::chain::{ChainProviderOps, ChainRegistry, FromConfig};
use x402_types::scheme::{
    SchemeBlueprints, SchemeConfig, SchemeRegistry, X402SchemeFacilitator, X402SchemeFacilitatorBuilder, X402SchemeId,
};

use crate::{Outcome, listen, variable};

type Provider = Arc<Eip155ChainProvider>;

/// The registry lends what the scheme wants to own.
struct Exact;

impl X402SchemeId for Exact {
    fn namespace(&self) -> &str {
        V2Eip155Exact.namespace()
    }

    fn scheme(&self) -> &str {
        V2Eip155Exact.scheme()
    }
}

impl X402SchemeFacilitatorBuilder<&Provider> for Exact {
    fn build(
        &self,
        provider: &Provider,
        config: Option<Value>,
    ) -> Result<Box<dyn X402SchemeFacilitator>, Box<dyn Error>> {
        V2Eip155Exact.build(Arc::clone(provider), config)
    }
}

/// Serves `/verify` and `/settle` for the chain of `CHAIN_RPC_URL`.
pub async fn serve() -> Outcome {
    let inner = json!({ "signers": [variable("PRIVATE_KEY")?], "rpc": [{ "http": variable("CHAIN_RPC_URL")? }] });
    let config = Eip155ChainConfig {
        chain_reference: Eip155ChainReference::new(variable("CHAIN_ID")?.parse()?),
        inner: serde_json::from_value(inner)?,
    };
    let provider = Arc::new(Eip155ChainProvider::from_config(&config).await?);
    let chains = ChainRegistry::new(HashMap::from([(provider.chain_id(), provider)]));
    let schemes: Vec<SchemeConfig> = serde_json::from_value(json!([{ "id": Exact.id(), "chains": "eip155:*" }]))?;
    let registry = SchemeRegistry::build(chains, SchemeBlueprints::new().and_register(Exact), &schemes);
    listen(handlers::routes().with_state(Arc::new(FacilitatorLocal::new(registry)))).await
}
