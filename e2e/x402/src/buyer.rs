//! Somebody who pays with x402-reqwest.

use std::sync::Arc;

use alloy_signer_local::PrivateKeySigner;
use axum::http::{self, StatusCode};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use x402_chain_eip155::V2Eip155ExactClient;
use x402_reqwest::{ReqwestWithPayments, ReqwestWithPaymentsBuild, X402Client};
use x402_types::scheme::client::FirstMatch;
use x402_types::util::Base64Bytes;

use crate::{Outcome, variable};

/// Posts an input, pays what is asked, and prints what came of it.
pub async fn buy(url: &str, input: &str) -> Outcome {
    let client = Client::new().with_payments(wallet()?).build();
    let input: Value = serde_json::from_str(input)?;
    let answer = client.post(url).json(&input).send().await?;
    let (status, settled) = (answer.status().as_u16(), answer.headers().get("PAYMENT-RESPONSE"));
    let settled = settled.map(|header| decoded(header.as_bytes())).transpose()?;
    let answer: Value = answer.json().await?;
    println!("{}", json!({ "status": status, "settled": settled, "answer": answer }));
    Ok(())
}

/// Signs what a seller demands, and prints the payment instead of sending it.
pub async fn sign(demand: &str) -> Outcome {
    let demand = Base64Bytes::encode(demand.as_bytes()).to_string();
    let answer = http::Response::builder()
        .status(StatusCode::PAYMENT_REQUIRED)
        .header("PAYMENT-REQUIRED", demand)
        .body("")?;
    let headers = wallet()?.make_payment_headers(Response::from(answer)).await?;
    let payment = headers.get("Payment-Signature").ok_or("nothing was signed")?;
    println!("{}", decoded(payment.as_bytes())?);
    Ok(())
}

fn wallet() -> Result<X402Client<FirstMatch>, Box<dyn std::error::Error>> {
    let key: PrivateKeySigner = variable("PRIVATE_KEY")?.parse()?;
    Ok(X402Client::new().register(V2Eip155ExactClient::new(Arc::new(key))))
}

fn decoded(header: &[u8]) -> Result<Value, Box<dyn std::error::Error>> {
    let json = Base64Bytes::from(header).decode()?;
    Ok(serde_json::from_slice(&json)?)
}
