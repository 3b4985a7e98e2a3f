//! The paywall before the routes that cost something: <https://github.com/coinbase/x402/blob/main/specs/transports-v2/http.md>.
//!
//! The order is: verify, answer, settle. Who gets no answer is not charged, and who does not pay in the end gets no answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::seller::{Admitted, Seller};
use super::wire::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, Requirement, Resource, SettlementResponse, to_header,
};
use crate::chain::{Address, Amount};

/// What was paid for an answer, for the log. It rides on the answer as an extension.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Paid {
    pub(crate) amount: Amount,
    pub(crate) payer: Address,
    pub(crate) transaction: String,
}

/// Lets through what is free or paid for.
pub(crate) async fn paywall(State(seller): State<Arc<Seller>>, request: Request, next: Next) -> Response {
    let asked = request
        .extensions()
        .get::<MatchedPath>()
        .and_then(|path| seller.asks_for(path.as_str()));
    let Some(asked) = asked else {
        return next.run(request).await;
    };
    let resource = resource(&request);
    let Some(payment) = request.headers().get(PAYMENT_SIGNATURE) else {
        let reason = format!("{PAYMENT_SIGNATURE} header is required");
        return demand(&asked, resource, &reason, &reason);
    };
    match seller.admit(payment.as_bytes(), asked.clone(), Timestamp::now()).await {
        Err(refusal) => demand(&asked, resource, refusal.code(), &refusal.to_string()),
        Ok(admitted) => {
            let answer = next.run(request).await;
            complete(&seller, &admitted, resource, answer).await
        }
    }
}

/// Takes the money for an answer that is one, and only then lets go of it.
async fn complete(seller: &Seller, admitted: &Admitted, resource: Resource, mut answer: Response) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    match seller.settle(admitted).await {
        Ok(settlement) => {
            answer.extensions_mut().insert(Paid {
                amount: admitted.asked().amount,
                payer: admitted.payer(),
                transaction: settlement.transaction.clone(),
            });
            set(&mut answer, PAYMENT_RESPONSE, &settlement);
            answer
        }
        Err(refusal) => {
            let network = admitted.asked().network.clone();
            let failed = SettlementResponse::failed(refusal.code(), Some(admitted.payer()), network);
            let mut answer = demand(admitted.asked(), resource, refusal.code(), &refusal.to_string());
            set(&mut answer, PAYMENT_RESPONSE, &failed);
            answer
        }
    }
}

fn demand(asked: &Requirement, resource: Resource, code: &str, reason: &str) -> Response {
    let body = json!({
        "error": "payment_required",
        "reason": reason,
        "help": "the header PAYMENT-REQUIRED says what is asked, in base64; see x402.org",
    });
    let mut answer = (StatusCode::PAYMENT_REQUIRED, Json(body)).into_response();
    set(
        &mut answer,
        PAYMENT_REQUIRED,
        &Seller::demand(asked, resource, code.to_owned()),
    );
    answer
}

fn set(answer: &mut Response, name: &'static str, message: &impl Serialize) {
    let value = HeaderValue::try_from(to_header(message)).expect("base64 has no character that a header may not have");
    answer.headers_mut().insert(HeaderName::from_static(name), value);
}

/// What is for sale, as the caller named it.
fn resource(request: &Request) -> Resource {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    Resource {
        url: format!("http://{}{}", host.unwrap_or("localhost"), request.uri().path()),
        description: None,
        mime_type: Some("application/json".to_owned()),
    }
}
