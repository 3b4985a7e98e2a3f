//! Asking karma-hello for messages: of a user, as the two extractors do, or of a stream, as abracadabra does.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use reqwest::{RequestBuilder, Response, Url};
use serde::Deserialize;
use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use crate::chat::{ChatQuery, StreamMessage};
use crate::client::client_for;
use crate::error::{ApiError, chain};
use crate::health::Dependency;
use crate::limits;
use crate::payments::{BuyError, Buyer, Payments};
use crate::server::StartError;
use crate::settings::Settings;
use crate::trace::Trace;

/// The first page of one who pays, of some users' messages and of a whole stream's: what may be in an answer is paid for, whether it is there or not.
/// Each further page may hold twice as much.
const PAID_PAGE_OF_USERS: usize = 50;
const PAID_PAGE_OF_STREAM: usize = 100;

/// Another agent, asked over HTTP.
#[derive(Clone, Debug)]
pub(crate) struct KarmaHello {
    base: Url,
    client: reqwest::Client,
    buyer: Option<Arc<Buyer>>,
}

/// Messages that were asked for.
#[derive(Debug)]
pub(crate) struct UserMessages {
    /// In order of time.
    pub(crate) messages: Vec<StreamMessage>,
    /// Whether there is more than one profile takes.
    pub(crate) is_truncated: bool,
}

/// From when on, and until when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

/// karma-hello did not answer, or not usefully.
#[derive(Debug, Error)]
pub(crate) enum KarmaHelloError {
    #[error("karma-hello cannot be reached: {0}")]
    Unreachable(String),
    #[error("karma-hello's messages are not bought: {0}")]
    NotBought(String),
    #[error("karma-hello took longer than {} seconds", limits::GATHER_PATIENCE.as_secs())]
    Slow,
    #[error("karma-hello refused with {status}: {reason}")]
    Refused { status: StatusCode, reason: String },
    #[error("karma-hello's answer cannot be read: {0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<StreamMessage>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    reason: String,
}

impl KarmaHello {
    /// The karma-hello of `KARMA_HELLO_URL`, asked as one who pays where this agent does.
    pub(crate) fn new(settings: &Settings, payments: Option<&Payments>) -> Result<KarmaHello, StartError> {
        let base = settings.required_karma_hello_url()?;
        let client = client_for(&base).build().map_err(StartError::Client)?;
        let buyer = payments.map(|payments| Arc::clone(&payments.buyer));
        Ok(KarmaHello { base, client, buyer })
    }

    /// As a line of the deep health check.
    pub(crate) fn dependency(&self) -> Dependency {
        Dependency::peer("karma-hello", self.base.clone(), self.client.clone())
    }

    /// The karma-hello of `KARMA_HELLO_URL`, if there is one.
    pub(crate) fn optional(settings: &Settings, payments: Option<&Payments>) -> Result<Option<KarmaHello>, StartError> {
        settings
            .karma_hello_url
            .is_some()
            .then(|| KarmaHello::new(settings, payments))
            .transpose()
    }

    /// All messages of a user.
    pub(crate) async fn messages_of(
        &self,
        user: &str,
        span: Span,
        trace: &Trace,
    ) -> Result<UserMessages, KarmaHelloError> {
        let query = ChatQuery {
            users: vec![user.to_owned()],
            start_time: span.start,
            end_time: span.end,
            ..ChatQuery::default()
        };
        self.messages(query, trace).await
    }

    /// All messages that a query asks for, page by page.
    pub(crate) async fn messages(&self, query: ChatQuery, trace: &Trace) -> Result<UserMessages, KarmaHelloError> {
        let gathering = self.gather(query, trace);
        timeout(limits::GATHER_PATIENCE, gathering)
            .await
            .unwrap_or(Err(KarmaHelloError::Slow))
    }

    async fn gather(&self, query: ChatQuery, trace: &Trace) -> Result<UserMessages, KarmaHelloError> {
        let mut limit = self.first_page(&query);
        let mut query = ChatQuery {
            include_stats: Some(false),
            ..query
        };
        let mut messages = Vec::new();
        // The pages of one gathering are one task to the caps on spending.
        let task = Uuid::now_v7().to_string();
        loop {
            query.limit = Some(limit);
            let page = match self.page(&query, &task, trace).await {
                // What is paid for is used, and what it lacks is told.
                Err(KarmaHelloError::NotBought(_)) if !messages.is_empty() => {
                    let is_truncated = true;
                    return Ok(UserMessages { messages, is_truncated });
                }
                page => page?,
            };
            messages.extend(page.messages);
            query.cursor = page.next_cursor;
            limit = (2 * limit).min(limits::PAGE);
            if query.cursor.is_none() || messages.len() >= limits::PROFILE_MESSAGES {
                let is_truncated = query.cursor.is_some() || messages.len() > limits::PROFILE_MESSAGES;
                messages.truncate(limits::PROFILE_MESSAGES);
                return Ok(UserMessages { messages, is_truncated });
            }
        }
    }

    fn first_page(&self, query: &ChatQuery) -> usize {
        match &self.buyer {
            None => limits::PAGE,
            Some(_) if query.users.is_empty() => PAID_PAGE_OF_STREAM,
            Some(_) => PAID_PAGE_OF_USERS,
        }
    }

    async fn page(&self, query: &ChatQuery, task: &str, trace: &Trace) -> Result<Page, KarmaHelloError> {
        let url = format!("{}/get_chat_logs", self.base.as_str().trim_end_matches('/'));
        let request = self.client.post(url).json(query);
        let mut answer = self.send(request, task, trace).await?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > limits::ANSWER_BYTES {
                return Err(KarmaHelloError::Unreadable(format!(
                    "it has more than {} bytes",
                    limits::ANSWER_BYTES
                )));
            }
        }
        if status != StatusCode::OK {
            let reason =
                serde_json::from_slice(&body).map_or_else(|_| "no reason".to_owned(), |Refusal { reason }| reason);
            return Err(KarmaHelloError::Refused { status, reason });
        }
        serde_json::from_slice(&body).map_err(|error| KarmaHelloError::Unreadable(error.to_string()))
    }
}

impl KarmaHello {
    /// Sends, and pays where this agent pays and karma-hello asks for it.
    async fn send(&self, request: RequestBuilder, task: &str, trace: &Trace) -> Result<Response, KarmaHelloError> {
        match &self.buyer {
            None => trace.send(request).await.map_err(unreachable),
            Some(buyer) => match buyer.send(request, task, trace).await {
                Ok(bought) => Ok(bought.answer),
                Err(BuyError::Unreachable(error)) => Err(unreachable(error)),
                Err(error) => Err(KarmaHelloError::NotBought(chain(&error))),
            },
        }
    }
}

fn unreachable(error: reqwest::Error) -> KarmaHelloError {
    KarmaHelloError::Unreachable(chain(&error.without_url()))
}

impl From<KarmaHelloError> for ApiError {
    fn from(error: KarmaHelloError) -> ApiError {
        let reason = error.to_string();
        match error {
            KarmaHelloError::Unreachable(_) | KarmaHelloError::Slow => {
                let help = "ask again later; /health?deep=1 says whether it is back";
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "karma_hello_unreachable", reason, help)
            }
            KarmaHelloError::NotBought(_) => {
                let help = "ask again tomorrow, or have SPEND_PER_TASK, SPEND_PER_DAY and ALLOWED_PAYEES looked at";
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_bought", reason, help)
            }
            KarmaHelloError::Refused { .. } | KarmaHelloError::Unreadable(_) => {
                let help = "check that KARMA_HELLO_URL names a karma-hello of this version";
                ApiError::new(StatusCode::BAD_GATEWAY, "karma_hello_failed", reason, help)
            }
        }
    }
}
