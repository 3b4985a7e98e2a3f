//! One call: its turn, its budget, its attempts, and reading what comes.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use super::budget::{Budget, Reservation};
use super::counters::Counters;
use super::error::LlmError;
use super::prompt::tokens;
use super::retry::{is_passing, pause, retry_after};
use super::settings::LlmSettings;
use super::sse::EventStream;
use super::wire::{ChatRequest, Completion, CompletionChunk, EmbeddingRequest, Embeddings, Refusal, Said, Usage};
use crate::trace::random;

/// The largest answer, in bytes: embeddings are long.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// The most that is read of a refusal.
const REFUSAL_BYTES: usize = 16 * 1024;
/// A stream that is silent for so long has died.
const SILENCE: Duration = Duration::from_secs(10);

/// What every call needs.
pub(super) struct Call<'l> {
    pub(super) settings: &'l LlmSettings,
    pub(super) client: &'l reqwest::Client,
    pub(super) turns: &'l Semaphore,
    pub(super) budget: &'l Budget,
    pub(super) counters: &'l Counters,
}

/// An answer's text.
pub(super) struct Answered {
    pub(super) content: String,
    pub(super) model: String,
    pub(super) usage: Usage,
}

/// An attempt failed.
enum Failure {
    /// Another will fail as well.
    Final(LlmError),
    /// Another may not; the server may say when.
    Passing(LlmError, Option<Duration>),
}

impl Call<'_> {
    pub(super) async fn chat(self, request: &ChatRequest<'_>, estimate: Usage) -> Result<Answered, LlmError> {
        let chatting = async |reservation: Reservation<'_>| {
            let body = self.client.post(self.settings.url("chat/completions")).json(request);
            let response = self.answer(body).await;
            let (response, reservation) = give_back_if_unanswered(response, reservation).await?;
            let said = if request.is_streamed() && content_type(&response) == "text/event-stream" {
                read_stream(response).await?
            } else {
                read_json::<Completion>(response).await?.said()?
            };
            let usage = said.usage.unwrap_or(Usage {
                completion_tokens: tokens(said.content.len()),
                ..estimate
            });
            self.spend(reservation, usage).await;
            let model = if said.model.is_empty() {
                self.settings.model.clone()
            } else {
                said.model
            };
            Ok(Answered {
                content: said.content,
                model,
                usage,
            })
        };
        self.in_time(estimate, chatting).await
    }

    pub(super) async fn embeddings(self, request: &EmbeddingRequest<'_>) -> Result<Vec<Vec<f32>>, LlmError> {
        let bytes: usize = request.input.iter().map(String::len).sum();
        let estimate = Usage {
            prompt_tokens: tokens(bytes),
            completion_tokens: 0,
        };
        let embedding = async |reservation: Reservation<'_>| {
            let body = self.client.post(self.settings.url("embeddings")).json(request);
            let response = self.answer(body).await;
            let (response, reservation) = give_back_if_unanswered(response, reservation).await?;
            let embeddings: Embeddings = read_json(response).await?;
            self.spend(reservation, embeddings.usage).await;
            embeddings.vectors(request.input.len())
        };
        self.in_time(estimate, embedding).await
    }

    pub(super) async fn models(self) -> Result<(), LlmError> {
        let request = self.authorised(self.client.get(self.settings.url("models")));
        match request.send().await {
            Err(error) => Err(unreachable(&error)),
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(refused(response).await),
        }
    }

    /// Waits for a turn, sets the tokens aside, and ends the whole when its time is over.
    async fn in_time<T>(
        &self,
        estimate: Usage,
        call: impl AsyncFnOnce(Reservation<'_>) -> Result<T, LlmError>,
    ) -> Result<T, LlmError> {
        let in_turn = async {
            let _turn = self.turns.acquire().await.expect("nobody closes it");
            let reservation = self.budget.reserve(estimate, Timestamp::now()).await?;
            self.counters.called();
            call(reservation).await
        };
        let outcome = timeout(self.settings.patience, in_turn)
            .await
            .unwrap_or(Err(LlmError::Slow));
        outcome.inspect_err(|error| match error {
            LlmError::Exhausted(_) => self.counters.refused(),
            _ => self.counters.failed(),
        })
    }

    async fn spend(&self, reservation: Reservation<'_>, usage: Usage) {
        self.counters.spent(usage, self.budget.cost(usage));
        reservation.settle(usage).await;
    }

    /// Sends the request until somebody answers it.
    async fn answer(&self, request: RequestBuilder) -> Result<Response, LlmError> {
        let begun = Instant::now();
        let request = self.authorised(request);
        let mut failed = 0;
        loop {
            let attempt = request.try_clone().expect("the body is in memory");
            let (error, asked) = match attempt_once(attempt).await {
                Ok(response) => return Ok(response),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(error, asked)) => (error, asked),
            };
            failed += 1;
            let left = self.settings.patience.saturating_sub(begun.elapsed());
            let Some(pause) = pause(failed, asked, chance(), left) else {
                return Err(error);
            };
            self.counters.retried();
            sleep(pause).await;
        }
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.settings.key {
            Some(key) => request.header(AUTHORIZATION, key.header()),
            None => request,
        }
    }
}

/// Nobody took the question: it has cost nothing.
async fn give_back_if_unanswered(
    response: Result<Response, LlmError>,
    reservation: Reservation<'_>,
) -> Result<(Response, Reservation<'_>), LlmError> {
    match response {
        Ok(response) => Ok((response, reservation)),
        Err(error) => {
            reservation.settle(Usage::default()).await;
            Err(error)
        }
    }
}

async fn attempt_once(request: RequestBuilder) -> Result<Response, Failure> {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return Err(Failure::Final(LlmError::Slow)),
        Err(error) => return Err(Failure::Passing(unreachable(&error), None)),
    };
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let header = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let asked = header.and_then(|value| retry_after(value, SystemTime::now()));
    let error = refused(response).await;
    Err(match &error {
        // A quota that is used up comes back with a payment, not with time.
        LlmError::Refused { code: Some(code), .. } if code == "insufficient_quota" => Failure::Final(error),
        _ if is_passing(status) => Failure::Passing(LlmError::Unwell(status), asked),
        _ => Failure::Final(error),
    })
}

async fn refused(response: Response) -> LlmError {
    let status = response.status();
    let body = read_body(response, REFUSAL_BYTES).await.unwrap_or_default();
    let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
    LlmError::Refused {
        status,
        code: refusal.code(),
    }
}

async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T, LlmError> {
    if content_type(&response) != "application/json" {
        return Err(LlmError::Unreadable("something that is no JSON"));
    }
    let body = read_body(response, ANSWER_BYTES).await?;
    serde_json::from_slice(&body).map_err(|_| LlmError::Unreadable("JSON that is none of the API's"))
}

async fn read_body(mut response: Response, most: usize) -> Result<Vec<u8>, LlmError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cut(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            return Err(LlmError::Unreadable("too long an answer"));
        }
    }
    Ok(body)
}

/// An answer that comes in pieces; it is whole when the model says that it is done.
/// <https://platform.openai.com/docs/api-reference/chat-streaming>
async fn read_stream(mut response: Response) -> Result<Said, LlmError> {
    let (mut events, mut said) = (EventStream::default(), Said::default());
    loop {
        let chunk = timeout(SILENCE, response.chunk()).await.map_err(|_| LlmError::Slow)?;
        let Some(chunk) = chunk.map_err(|error| cut(&error))? else {
            break;
        };
        let data = events
            .push(&chunk)
            .map_err(|_| LlmError::Unreadable("too long an answer"))?;
        for data in data {
            if data.trim() == "[DONE]" {
                return done(said);
            }
            let chunk: CompletionChunk =
                serde_json::from_str(&data).map_err(|_| LlmError::Unreadable("a stream that is none of the API's"))?;
            said.add(chunk);
            if said.content.len() > ANSWER_BYTES {
                return Err(LlmError::Unreadable("too long an answer"));
            }
        }
    }
    done(said)
}

fn done(said: Said) -> Result<Said, LlmError> {
    if said.is_done() {
        said.finished()
    } else {
        Err(LlmError::Unfinished("its server ended the stream"))
    }
}

fn content_type(response: &Response) -> &str {
    let header = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    header.unwrap_or_default().split(';').next().unwrap_or_default().trim()
}

fn cut(error: &reqwest::Error) -> LlmError {
    if error.is_timeout() {
        LlmError::Slow
    } else {
        LlmError::Unfinished("the connection broke")
    }
}

fn unreachable(error: &reqwest::Error) -> LlmError {
    if error.is_timeout() && !error.is_connect() {
        LlmError::Slow
    } else {
        LlmError::Unreachable
    }
}

/// From 0 to 1, another each time.
fn chance() -> f64 {
    random() as f64 / u64::MAX as f64
}
