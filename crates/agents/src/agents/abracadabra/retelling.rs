//! A transcript in the words of a language model, each sentence with the segments it rests on.

use serde::{Deserialize, Serialize};

use super::transcript::{Segment, Transcript};
use crate::llm::{Delivery, Llm, LlmNote, Prompt, SUMMARY, Texts, Told, is_plain_sentence};

/// The most sentences that are taken.
const MOST: usize = 8;

/// What a model makes of a transcript.
#[derive(Debug, Serialize)]
pub(super) struct Retelling {
    sentences: Vec<Sentence>,
    language_model: LlmNote,
}

/// A sentence and what it rests on.
#[derive(Debug, PartialEq, Serialize)]
struct Sentence {
    text: String,
    /// The beginnings of the segments, in seconds.
    rests_on: Vec<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    sentences: Vec<ClaimedSentence>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimedSentence {
    text: String,
    numbers: Vec<usize>,
}

/// Asks the model, where there is one. The answer comes as a stream: it is the longest that is asked for.
pub(super) async fn retell(llm: Option<&Llm>, transcript: &Transcript) -> Retelling {
    let without = |language_model| Retelling {
        sentences: Vec::new(),
        language_model,
    };
    let Some(llm) = llm else {
        return without(LlmNote::none());
    };
    let all: Vec<&str> = transcript
        .transcript
        .iter()
        .map(|segment| segment.text.as_str())
        .collect();
    let prompt = Prompt::new(&SUMMARY, &all);
    if prompt.selection().sent.is_empty() {
        return without(LlmNote::not_asked("no segment can be shown to a language model"));
    }
    let told: Told<Answer> = match llm.ask(&prompt, Delivery::Streamed).await {
        Ok(told) => told,
        Err(error) => return without(LlmNote::failed(llm, &error)),
    };
    let sentences = supported(&told.answer, &Texts::new(&prompt, &all), &transcript.transcript);
    let outcome = format!(
        "{} of {} sentences are supported by their segments and taken; {} segments were read, {} withheld because they \
         speak to a model, {} left out for want of room",
        sentences.len(),
        told.answer.sentences.len(),
        prompt.selection().sent.len(),
        prompt.selection().withheld,
        prompt.selection().left_out
    );
    Retelling {
        language_model: LlmNote::told(&told, outcome),
        sentences,
    }
}

fn supported(answer: &Answer, texts: &Texts<'_>, segments: &[Segment]) -> Vec<Sentence> {
    let sentence = |claimed: &ClaimedSentence| {
        let positions: Vec<usize> = claimed
            .numbers
            .iter()
            .filter_map(|&number| texts.position(number))
            .collect();
        let is_known = positions.len() == claimed.numbers.len() && texts.supports(&claimed.text, &positions);
        (is_known && is_plain_sentence(&claimed.text)).then(|| Sentence {
            text: claimed.text.trim().to_owned(),
            rests_on: positions.iter().map(|&at| segments[at].start).collect(),
        })
    };
    answer.sentences.iter().take(MOST).filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::library::tests::transcript;
    use super::*;

    #[test]
    fn a_sentence_rests_on_segments_that_say_it() {
        let told = transcript("a", &["El contrato guarda saldos", "Ahora la guitarra"]);
        let all: Vec<&str> = told.transcript.iter().map(|segment| segment.text.as_str()).collect();
        let prompt = Prompt::new(&SUMMARY, &all);
        let check = |text: &str, numbers: Value, expected: Option<Vec<f64>>| {
            let answer = json!({ "sentences": [{ "text": text, "numbers": numbers }] });
            let answer: Answer = serde_json::from_value(answer).unwrap();
            let found = supported(&answer, &Texts::new(&prompt, &all), &told.transcript);
            assert_eq!(
                found.into_iter().next().map(|sentence| sentence.rests_on),
                expected,
                "{text}"
            );
        };
        check("El contrato tiene saldos.", json!([0]), Some(vec![0.0]));
        check(
            "Primero un contrato, después guitarra.",
            json!([0, 1]),
            Some(vec![0.0, 10.0]),
        );
        check("El contrato tiene saldos.", json!([1]), None);
        check("El contrato tiene saldos.", json!([]), None);
        check("El contrato tiene saldos.", json!([0, 7]), None);
        check("Compra en https://contrato.example", json!([0]), None);
    }
}
