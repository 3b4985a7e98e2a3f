//! Somebody who sells with x402-axum: he gives back what he was sent, for `PRICE` base units.

use alloy_primitives::Address;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use x402_axum::X402Middleware;
use x402_chain_eip155::V2Eip155Exact;
use x402_chain_eip155::chain::{AssetTransferMethod, Eip155ChainReference, Eip155TokenDeployment};

use crate::{Outcome, listen, variable};

/// Sells at `/echo`, to `PAY_TO`, through the facilitator of `FACILITATOR_URL`.
pub async fn serve() -> Outcome {
    let token = Eip155TokenDeployment {
        chain_reference: Eip155ChainReference::new(variable("CHAIN_ID")?.parse()?),
        address: variable("TOKEN_ADDRESS")?.parse()?,
        decimals: 6,
        transfer_method: AssetTransferMethod::Eip3009 {
            name: variable("TOKEN_NAME")?,
            version: variable("TOKEN_VERSION")?,
        },
    };
    let pay_to: Address = variable("PAY_TO")?.parse()?;
    let price = token.amount(variable("PRICE")?.parse::<u64>()?);
    let x402 = X402Middleware::try_new(&variable("FACILITATOR_URL")?)?;
    let paid = post(echo).layer(x402.with_price_tag(V2Eip155Exact::price_tag(pay_to, price)));
    listen(Router::new().route("/echo", paid)).await
}

async fn echo(Json(input): Json<Value>) -> Json<Value> {
    Json(json!({ "sold": input }))
}
