//! What a caller gets instead of an answer: `{error, reason, help}`, and the field where one is to blame.

use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A refusal, ready to be sent.
#[derive(Debug, Serialize)]
pub(crate) struct ApiError {
    #[serde(skip)]
    pub(crate) status: StatusCode,
    /// A fixed word a program can act on.
    pub(crate) error: &'static str,
    /// What is wrong, in a sentence that names the value.
    pub(crate) reason: String,
    /// What to do about it.
    pub(crate) help: &'static str,
    /// Where in the input: `messages[3].timestamp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<String>,
    /// After so many seconds it may be different.
    #[serde(skip)]
    pub(crate) retry_after: Option<u64>,
}

impl ApiError {
    /// A field of the input is wrong.
    pub(crate) fn bad_field(field: impl Into<String>, reason: impl Into<String>, help: &'static str) -> ApiError {
        let field = Some(field.into());
        ApiError {
            field,
            ..ApiError::new(StatusCode::BAD_REQUEST, "bad_field", reason, help)
        }
    }

    /// The input names something that does not exist.
    pub(crate) fn not_found(error: &'static str, reason: impl Into<String>, help: &'static str) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, error, reason, help)
    }

    /// Any other refusal.
    pub(crate) fn new(
        status: StatusCode,
        error: &'static str,
        reason: impl Into<String>,
        help: &'static str,
    ) -> ApiError {
        ApiError {
            status,
            error,
            reason: reason.into(),
            help,
            field: None,
            retry_after: None,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(formatter, "{field}: {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        (self.status, retry_after, Json(&self)).into_response()
    }
}

/// An error and what caused it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |source| (*source).source())
        .fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
