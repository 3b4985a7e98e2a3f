//! How much a user asks.

use serde::Serialize;

use super::share;
use crate::text::is_question;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Questions {
    questions: usize,
    /// The share of messages that ask.
    question_share: Option<f64>,
}

impl Questions {
    pub(super) fn of(texts: &[&str]) -> Questions {
        Questions {
            questions: texts.iter().filter(|text| is_question(text)).count(),
            question_share: share(texts, is_question),
        }
    }
}
