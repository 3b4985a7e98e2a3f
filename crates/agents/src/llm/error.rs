//! Why a model gave no answer that can be used.
//!
//! None of the texts holds what a server wrote beyond a code of plain letters: it could repeat the key, or a user's words.

use reqwest::StatusCode;
use thiserror::Error;

use super::budget::Exhausted;
use crate::error::chain;
use crate::store::StoreError;

/// A call to a language model came to nothing.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum LlmError {
    /// The day's budget does not allow the call. Nothing was sent.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// What the day has left is in the store, which could not be asked. Nothing was sent.
    #[error("what may still be spent today is not known: {0}")]
    Uncounted(String),
    /// No model for embeddings is named.
    #[error("OPENAI_EMBEDDING_MODEL is not set")]
    NoEmbeddings,
    /// Nobody answers at the address.
    #[error("the model's server cannot be reached")]
    Unreachable,
    /// Everything together took longer than `LLM_TIMEOUT_SECONDS`.
    #[error("the model took too long")]
    Slow,
    /// The server is overloaded or broken, and stayed so.
    #[error("the model's server answered {0}, again and again")]
    Unwell(StatusCode),
    /// The server does not want this request.
    #[error("the model's server refused with {status}{}", code_text(.code.as_deref()))]
    Refused {
        /// Its status.
        status: StatusCode,
        /// Its own word for the reason, where that is one.
        code: Option<String>,
    },
    /// The answer is none of the API's.
    #[error("the model's server answered with {0}")]
    Unreadable(&'static str),
    /// The model ended before it was done.
    #[error("the model did not finish: {0}")]
    Unfinished(&'static str),
    /// The model answered something else than was asked for.
    #[error("the model's answer is not of the schema: {0}")]
    OffSchema(String),
}

impl From<StoreError> for LlmError {
    fn from(error: StoreError) -> LlmError {
        LlmError::Uncounted(chain(&error))
    }
}

fn code_text(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" ({code})"))
}
