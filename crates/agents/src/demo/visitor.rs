//! The visitor: asks agents through the load balancer, pays them, and tells each call.

use std::io;
use std::time::Instant;

use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde_json::Value;
use uuid::Uuid;

use super::DemoError;
use super::event::{Call, Currency, Event, Payment};
use crate::agents::{Route, find_agent};
use crate::chain::{Address, Amount};
use crate::client::client_for;
use crate::error::chain as words;
use crate::limits;
use crate::payments::{BuyError, Buyer, PaymentSettings, buyer};
use crate::store::Store;
use crate::trace::{TRACE_HEADER, Trace, random};

/// Whoever visits.
pub(super) struct Visitor<'t, T> {
    base: Url,
    client: reqwest::Client,
    buyer: Option<Buyer>,
    tell: &'t mut T,
}

/// What is asked.
pub(super) struct Question {
    /// The agent and its skill, by their names for programs.
    pub(super) agent: &'static str,
    pub(super) skill: &'static str,
    /// The same in a few words for people.
    pub(super) what: String,
    pub(super) input: Value,
    /// What there is to say of an answer.
    pub(super) findings: fn(&Value) -> Vec<String>,
}

/// An answer, and what was paid for it.
pub(super) struct Answer {
    pub(super) body: Value,
    pub(super) paid: Option<Amount>,
}

/// What came of a request.
struct Outcome {
    status: Option<StatusCode>,
    paid: Option<Payment>,
    body: Result<Value, String>,
}

impl<'t, T: FnMut(&Event) -> io::Result<()>> Visitor<'t, T> {
    /// One without money.
    pub(super) fn new(base: Url, tell: &'t mut T) -> Result<Self, DemoError> {
        let client = client_for(&base).timeout(limits::REQUEST_PATIENCE);
        Ok(Visitor {
            client: client.build().map_err(DemoError::Client)?,
            base,
            buyer: None,
            tell,
        })
    }

    /// From now on what costs something is paid.
    pub(super) async fn carry_purse(&mut self, settings: &PaymentSettings) -> Result<(), DemoError> {
        self.buyer = Some(buyer(settings, &Store::open(None, "demo")?).await?);
        Ok(())
    }

    /// Tells an event.
    pub(super) fn tell(&mut self, event: &Event) -> Result<(), DemoError> {
        Ok((self.tell)(event)?)
    }

    /// Its own account, if it has one.
    pub(super) fn account(&self) -> Option<Address> {
        self.buyer.as_ref().map(|buyer| buyer.chain().account())
    }

    /// What it pays with, if it does.
    pub(super) fn currency(&self) -> Option<Currency> {
        let token = self.buyer.as_ref()?.token();
        Some(Currency {
            symbol: token.symbol.clone(),
            decimals: token.decimals,
        })
    }

    /// What an account holds.
    pub(super) async fn balance(&self, account: Address) -> Result<Amount, DemoError> {
        let Some(buyer) = &self.buyer else {
            return Ok(Amount::default());
        };
        let balance = buyer.token().balance(buyer.chain(), account).await;
        balance.map_err(|error| {
            let reason = format!("the chain does not say what {account} holds: {}", words(&error));
            DemoError::refused(reason, "`karma down` and `karma up --chain` start a new chain")
        })
    }

    /// Where an agent's path is, from outside.
    pub(super) fn url(&self, agent: &str, path: &str) -> String {
        format!("{}/{agent}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Looks at what is no skill.
    pub(super) async fn look(&self, url: &str) -> reqwest::Result<Response> {
        self.client.get(url).timeout(limits::ANSWER_PATIENCE).send().await
    }

    /// Asks, pays, and tells it. An answer that is none ends the story.
    pub(super) async fn ask(&mut self, question: Question) -> Result<Answer, DemoError> {
        let agent = find_agent(question.agent).expect("the story knows the agents");
        let skill = agent.skills.iter().find(|skill| skill.id == question.skill);
        let route = skill.expect("the story knows the agents' skills").route;
        let (method, path, request) = match route {
            Route::Get(path) => ("GET", path, self.client.get(self.url(agent.name, path))),
            Route::Post(path) => {
                let request = self.client.post(self.url(agent.name, path));
                ("POST", path, request.json(&question.input))
            }
        };
        let (trace_id, begun) = (new_trace_id(), Instant::now());
        let outcome = self.send(request, &trace_id).await;
        let seconds = begun.elapsed().as_secs_f64();
        let paid = outcome.paid.as_ref().map(Payment::amount);
        let body = outcome.body.as_ref().ok();
        let call = Call {
            to: agent.name,
            what: question.what,
            method,
            path: format!("/{}{path}", agent.name),
            status: outcome.status.map(|status| status.as_u16()),
            seconds,
            trace_id,
            findings: body.map(question.findings).unwrap_or_default(),
            paid: outcome.paid,
        };
        self.tell(&Event::Call(Box::new(call)))?;
        match outcome.body {
            Ok(body) => Ok(Answer { body, paid }),
            Err(reason) => Err(DemoError::refused(
                format!("{}: {reason}", agent.name),
                format!("`karma logs {}` shows what it wrote", agent.name),
            )),
        }
    }

    async fn send(&self, request: RequestBuilder, trace_id: &str) -> Outcome {
        let trace = trace(trace_id);
        let sent = match &self.buyer {
            None => trace
                .send(request)
                .await
                .map_err(BuyError::Unreachable)
                .map(|answer| (answer, None)),
            Some(buyer) => {
                let task = Uuid::now_v7().to_string();
                let bought = buyer.send(request, &task, &trace).await;
                bought.map(|bought| (bought.answer, bought.purchase))
            }
        };
        match sent {
            Ok((answer, purchase)) => Outcome {
                status: Some(answer.status()),
                paid: purchase.as_ref().and_then(Payment::of),
                body: read(answer).await,
            },
            Err(error) => Outcome {
                status: match error {
                    BuyError::Unreachable(_) => None,
                    _ => Some(StatusCode::PAYMENT_REQUIRED),
                },
                paid: None,
                body: Err(words(&error)),
            },
        }
    }
}

/// The body of a good answer; of another one, why it is none.
async fn read(answer: Response) -> Result<Value, String> {
    let status = answer.status();
    let body = answer.bytes().await.map_err(|error| words(&error.without_url()))?;
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    match json {
        Some(json) if status.is_success() => Ok(json),
        None if status.is_success() => Err(format!("answered {status}, but no JSON")),
        json => {
            let reason = json.as_ref().and_then(|json| json["reason"].as_str());
            Err(format!("answered {status}: {}", reason.unwrap_or("without a reason")))
        }
    }
}

fn trace(id: &str) -> Trace {
    let header = HeaderValue::try_from(format!("Root={id};Sampled=1")).expect("digits and dashes fit into a header");
    Trace::of(&HeaderMap::from_iter([(TRACE_HEADER, header)]))
}

/// The id of a trace that is looked at wherever any is. `Sampled=1` beside it says so to whoever heeds callers, as X-Ray's SDKs do; who samples at a
/// rate takes the id's last 64 bits for the dice, and here half of them are zero: what is above a rate of 1 in 4,000,000,000 takes it.
fn new_trace_id() -> String {
    let seconds = u32::try_from(Timestamp::now().as_second()).unwrap_or_default();
    format!("1-{seconds:08x}-{:08x}{:016x}", random() >> 32, random() >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_one_of_x_ray_that_rates_let_through() {
        let (one, other) = (new_trace_id(), new_trace_id());
        assert_ne!(one, other);
        let parts: Vec<&str> = one.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [1, 8, 24]);
        let dice = u64::from_str_radix(&parts[2][8..], 16).unwrap();
        assert!(dice >> 32 == 0, "{one}");
    }
}
