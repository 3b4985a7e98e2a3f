//! What a language model remarks on a manner of writing, taken as far as messages show it.

use serde::{Deserialize, Serialize};

use crate::chat::StreamMessage;
use crate::llm::{Claim, Delivery, Llm, LlmNote, Prompt, Texts, Told, VOICE_REMARKS, is_plain_sentence};
use crate::profile::Quote;

/// A sentence about a manner, and the messages that show it.
#[derive(Debug, Serialize)]
pub(super) struct Remark {
    category: Category,
    remark: String,
    evidence: Vec<Quote>,
}

/// The categories, as the measured ones are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Category {
    Vocabulary,
    SentenceStructure,
    Formality,
    Rhythm,
    Expression,
    Questions,
    Idioms,
    Engagement,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    remarks: Vec<ClaimedRemark>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimedRemark {
    category: Category,
    remark: String,
    evidence: Vec<Claim>,
}

/// Asks the model, where there is one, for at most one remark on each category. The newest messages are read first.
pub(super) async fn remarks(llm: Option<&Llm>, messages: &[StreamMessage]) -> (Vec<Remark>, LlmNote) {
    let Some(llm) = llm else {
        return (Vec::new(), LlmNote::none());
    };
    let newest: Vec<&StreamMessage> = messages.iter().rev().collect();
    let all: Vec<&str> = newest.iter().map(|message| message.message.message.as_str()).collect();
    let prompt = Prompt::new(&VOICE_REMARKS, &all);
    if prompt.selection().sent.is_empty() {
        return (
            Vec::new(),
            LlmNote::not_asked("no message can be shown to a language model"),
        );
    }
    let told: Told<Answer> = match llm.ask(&prompt, Delivery::Whole).await {
        Ok(told) => told,
        Err(error) => return (Vec::new(), LlmNote::failed(llm, &error)),
    };
    let taken = proven(&told.answer, &Texts::new(&prompt, &all), &newest);
    let outcome = format!(
        "{} of {} remarks are shown by their quotes and taken; {} texts were read",
        taken.len(),
        told.answer.remarks.len(),
        prompt.selection().sent.len()
    );
    (taken, LlmNote::told(&told, outcome))
}

fn proven(answer: &Answer, texts: &Texts<'_>, messages: &[&StreamMessage]) -> Vec<Remark> {
    let mut taken: Vec<Remark> = Vec::new();
    for claimed in &answer.remarks {
        let evidence: Vec<Quote> = claimed
            .evidence
            .iter()
            .filter_map(|claim| texts.proves(claim))
            .map(|at| Quote::of(messages[at]))
            .collect();
        let is_new = taken.iter().all(|other| other.category != claimed.category);
        if is_new && !evidence.is_empty() && is_plain_sentence(&claimed.remark) {
            taken.push(Remark {
                category: claimed.category,
                remark: claimed.remark.trim().to_owned(),
                evidence,
            });
        }
    }
    taken
}
