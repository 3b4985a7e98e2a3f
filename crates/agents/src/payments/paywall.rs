//! The paywall before the routes that cost something: <https://github.com/coinbase/x402/blob/main/specs/transports-v2/http.md>.
//!
//! The order is: verify, answer, settle. Who gets no answer is not charged, and who does not pay in the end gets no answer.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::price::Tariff;
use super::seller::{Admitted, Refused, Seller};
use super::verify::Refusal;
use super::wire::{
    PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, Requirement, Resource, SettlementResponse, to_header,
};
use crate::chain::{Address, Amount};
use crate::error::ApiError;
use crate::logging::Level;
use crate::rate::Caller;
use crate::trace::Trace;

/// The largest question that is read in order to say what its answer costs, in bytes.
const QUESTION_BYTES: usize = 64 * 1024;

/// What was paid for an answer, for the log. It rides on the answer as an extension.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Paid {
    pub(crate) amount: Amount,
    pub(crate) payer: Address,
    pub(crate) transaction: String,
}

/// Lets through what is free or paid for.
pub(crate) async fn paywall(State(seller): State<Arc<Seller>>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let tariff = matched.and_then(|path| seller.prices.of_route(request.method(), path.as_str()));
    let Some(tariff) = tariff else {
        return next.run(request).await;
    };
    let (request, amount) = match priced(tariff, request).await {
        Ok(priced) => priced,
        Err(error) => return error.into_response(),
    };
    if amount == Amount(0) {
        return next.run(request).await;
    }
    let till = Till {
        asked: seller.asks(amount),
        resource: resource(&request),
        trace: request.extensions().get().cloned().unwrap_or_default(),
        seller,
    };
    match till.admit(request.headers().get(PAYMENT_SIGNATURE).cloned()).await {
        Ok(admitted) => till.complete(admitted, next.run(request).await).await,
        Err(answer) => answer,
    }
}

/// What a request costs, and the request with its body again, where that had to be read.
async fn priced(tariff: &Tariff, request: Request) -> Result<(Request, Amount), ApiError> {
    if !tariff.asks_for_the_input() {
        return Ok((request, tariff.of(&Value::Null)));
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        let query = request.uri().query().unwrap_or_default();
        let amount = tariff.of(&form_urlencoded::parse(query.as_bytes()).collect());
        return Ok((request, amount));
    }
    let (head, body) = request.into_parts();
    let question = to_bytes(body, QUESTION_BYTES).await.map_err(|_| too_long())?;
    // What is no JSON is refused by whoever is asked.
    let amount = tariff.of(&serde_json::from_slice(&question).unwrap_or_default());
    Ok((Request::from_parts(head, Body::from(question)), amount))
}

fn too_long() -> ApiError {
    let reason = format!("the question could not be read, or has more than {QUESTION_BYTES} bytes");
    let help = "ask for less at once";
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "question_too_long", reason, help)
}

/// One request for something that costs something.
struct Till {
    seller: Arc<Seller>,
    asked: Requirement,
    resource: Resource,
    trace: Trace,
}

impl Till {
    /// Takes a good payment, or says what is asked and why what came does not do.
    async fn admit(&self, payment: Option<HeaderValue>) -> Result<Admitted, Response> {
        let Some(payment) = payment else {
            let reason = format!("{PAYMENT_SIGNATURE} header is required");
            return Err(self.demand(&reason, &reason));
        };
        let read = self
            .seller
            .read(payment.as_bytes(), self.asked.clone(), Timestamp::now());
        let offered = read.map_err(|refused| self.refuse(&refused))?;
        // The signature is the payer's: nobody uses up another one's rate.
        let payer = Caller::Payer(offered.payer().to_string());
        let passes = self.seller.rates.check(payer, Instant::now());
        passes.map_err(IntoResponse::into_response)?;
        let admitted = self.seller.admit(offered).await;
        admitted.map_err(|refused| self.refuse(&refused))
    }

    /// Takes the money for an answer that is one, and only then lets go of it.
    async fn complete(&self, admitted: Admitted, mut answer: Response) -> Response {
        if !answer.status().is_success() {
            return answer;
        }
        match self.seller.settle(&admitted).await {
            Ok(settlement) => {
                answer.extensions_mut().insert(Paid {
                    amount: self.asked.amount,
                    payer: admitted.payer(),
                    transaction: settlement.transaction.clone(),
                });
                set(&mut answer, PAYMENT_RESPONSE, &settlement);
                answer
            }
            Err(refusal) => self.not_settled(admitted, refusal),
        }
    }

    fn not_settled(&self, admitted: Admitted, refusal: Refusal) -> Response {
        let (payer, network) = (admitted.payer(), admitted.asked().network.clone());
        let refused = admitted.refused(refusal);
        let failed = SettlementResponse::failed(refused.refusal.code(), Some(payer), network);
        let mut answer = self.refuse(&refused);
        set(&mut answer, PAYMENT_RESPONSE, &failed);
        answer
    }

    /// Says why a payment does not do: to its sender, and in the log what it says.
    fn refuse(&self, refused: &Refused) -> Response {
        let mut told = refused.json();
        told["trace_id"] = json!(self.trace.as_str());
        self.seller.log.write(Level::Warn, "payment refused", told);
        self.demand(refused.refusal.code(), &refused.refusal.to_string())
    }

    fn demand(&self, code: &str, reason: &str) -> Response {
        let body = json!({
            "error": "payment_required",
            "reason": reason,
            "help": "the header PAYMENT-REQUIRED says what is asked, in base64; see x402.org",
            "accepts": [self.asked.offer()],
        });
        let mut answer = (StatusCode::PAYMENT_REQUIRED, Json(body)).into_response();
        let demand = Seller::demand(&self.asked, self.resource.clone(), code.to_owned());
        set(&mut answer, PAYMENT_REQUIRED, &demand);
        answer
    }
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
