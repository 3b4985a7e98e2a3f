//! What goes over the wire: the part of OpenAI's API that is used, as loosely read as local servers speak it.
//!
//! <https://platform.openai.com/docs/api-reference/chat/create>, <https://platform.openai.com/docs/api-reference/embeddings/create>

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Delivery;
use super::error::LlmError;
use super::prompt::{ANSWER_TOKENS, Prompt};
use super::settings::LlmSettings;

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Usage {
    #[serde(default)]
    pub(crate) prompt_tokens: u64,
    #[serde(default)]
    pub(crate) completion_tokens: u64,
}

/// The body of a question.
#[derive(Debug, Serialize)]
pub(super) struct ChatRequest<'p> {
    model: &'p str,
    messages: [ChatMessage<'p>; 2],
    response_format: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
}

#[derive(Debug, Serialize)]
struct ChatMessage<'p> {
    role: &'static str,
    content: &'p str,
}

/// The body of a request for embeddings.
#[derive(Debug, Serialize)]
pub(super) struct EmbeddingRequest<'t> {
    pub(super) model: &'t str,
    pub(super) input: &'t [String],
}

/// An answer in one piece.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
}

/// A piece of an answer.
#[derive(Debug, Deserialize)]
pub(super) struct CompletionChunk {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<ChunkChoice>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct ChunkChoice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

/// The answer's text, and what the server says of it.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) content: String,
    pub(super) model: String,
    pub(super) usage: Option<Usage>,
    finish_reason: Option<String>,
    is_refusal: bool,
}

/// The answer to a request for embeddings.
#[derive(Debug, Deserialize)]
pub(super) struct Embeddings {
    data: Vec<Embedding>,
    #[serde(default)]
    pub(super) usage: Usage,
}

#[derive(Debug, Deserialize)]
struct Embedding {
    index: usize,
    embedding: Vec<f32>,
}

/// What a server says when it refuses.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Refusal {
    error: RefusalReason,
}

#[derive(Debug, Default, Deserialize)]
struct RefusalReason {
    code: Option<Value>,
    r#type: Option<Value>,
}

impl Usage {
    pub(super) fn total(self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    pub(super) fn and(self, other: Usage) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
        }
    }
}

impl<'p> ChatRequest<'p> {
    pub(super) fn new(settings: &'p LlmSettings, prompt: &'p Prompt, delivery: Delivery) -> ChatRequest<'p> {
        let streamed = delivery == Delivery::Streamed;
        // OpenAI has renamed the bound and refuses the old name for newer models; other servers know the old one.
        let is_openai = settings.is_openai();
        ChatRequest {
            model: &settings.model,
            messages: [
                ChatMessage {
                    role: "system",
                    content: prompt.instructions(),
                },
                ChatMessage {
                    role: "user",
                    content: prompt.data(),
                },
            ],
            response_format: json!({
                "type": "json_schema",
                "json_schema": { "name": prompt.name(), "strict": true, "schema": prompt.schema() },
            }),
            max_completion_tokens: is_openai.then_some(ANSWER_TOKENS),
            max_tokens: (!is_openai).then_some(ANSWER_TOKENS),
            stream: streamed,
            stream_options: streamed.then(|| json!({ "include_usage": true })),
        }
    }

    pub(super) fn is_streamed(&self) -> bool {
        self.stream
    }
}

impl Completion {
    pub(super) fn said(self) -> Result<Said, LlmError> {
        let choice = self.choices.into_iter().next();
        let choice = choice.ok_or(LlmError::Unreadable("no choice"))?;
        Said {
            content: choice.message.content.unwrap_or_default(),
            model: self.model.unwrap_or_default(),
            usage: self.usage,
            finish_reason: choice.finish_reason,
            is_refusal: choice.message.refusal.is_some(),
        }
        .finished()
    }
}

impl Said {
    /// Takes the next piece.
    pub(super) fn add(&mut self, chunk: CompletionChunk) {
        if let Some(model) = chunk.model {
            self.model = model;
        }
        self.usage = chunk.usage.or(self.usage);
        if let Some(choice) = chunk.choices.into_iter().next() {
            self.content.push_str(&choice.delta.content.unwrap_or_default());
            self.is_refusal |= choice.delta.refusal.is_some();
            self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        }
    }

    /// Whether the model has said that it is done.
    pub(super) fn is_done(&self) -> bool {
        self.finish_reason.is_some()
    }

    /// Itself, if it is all that the model had to say.
    pub(super) fn finished(self) -> Result<Said, LlmError> {
        match self.finish_reason.as_deref() {
            _ if self.is_refusal => Err(LlmError::Unfinished("it refused")),
            Some("length") => Err(LlmError::Unfinished("it reached the longest answer allowed")),
            Some("content_filter") => Err(LlmError::Unfinished("its server holds the answer back")),
            _ if self.content.trim().is_empty() => Err(LlmError::Unreadable("no text")),
            _ => Ok(self),
        }
    }
}

impl Embeddings {
    /// One vector for each text, all of one length, of finite numbers.
    pub(super) fn vectors(mut self, texts: usize) -> Result<Vec<Vec<f32>>, LlmError> {
        self.data.sort_by_key(|embedding| embedding.index);
        let length = self.data.first().map_or(0, |first| first.embedding.len());
        let are_all = self.data.iter().map(|one| one.index).eq(0..texts);
        let are_alike = self.data.iter().all(|one| one.embedding.len() == length);
        let are_finite = self
            .data
            .iter()
            .flat_map(|one| &one.embedding)
            .all(|part| part.is_finite());
        if !are_all || !are_alike || !are_finite || (length == 0 && texts > 0) {
            return Err(LlmError::Unreadable("other vectors than were asked for"));
        }
        Ok(self.data.into_iter().map(|one| one.embedding).collect())
    }
}

impl Refusal {
    /// The server's own word for the reason: letters a program would choose, nothing that could be a key or a sentence.
    pub(super) fn code(self) -> Option<String> {
        let is_word = |text: &&str| {
            (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let word = |value: Option<Value>| {
            value
                .as_ref()
                .and_then(Value::as_str)
                .filter(is_word)
                .map(str::to_owned)
        };
        word(self.error.code).or(word(self.error.r#type))
    }
}

/// The answer as the type that was asked for. A fence around it, which smaller models like to add, is taken off.
pub(super) fn parse_answer<T: DeserializeOwned>(content: &str) -> Result<T, LlmError> {
    let content = content.trim();
    let inner = content.strip_prefix("```json").or(content.strip_prefix("```"));
    let content = inner.and_then(|inner| inner.strip_suffix("```")).unwrap_or(content);
    let mut json = serde_json::Deserializer::from_str(content);
    let answer = serde_path_to_error::deserialize(&mut json).map_err(|error| off_schema(&error))?;
    json.end()
        .map_err(|_| LlmError::OffSchema("it goes on after its end".to_owned()))?;
    Ok(answer)
}

/// Says where and of which kind, but nothing that the model wrote.
fn off_schema(error: &serde_path_to_error::Error<serde_json::Error>) -> LlmError {
    let kind = match error.inner().classify() {
        serde_json::error::Category::Data => "another kind of value",
        serde_json::error::Category::Eof => "cut off",
        _ => "no JSON",
    };
    let is_plain = |letter: &char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "[]._".contains(*letter);
    let place: String = error.path().to_string().chars().filter(is_plain).take(60).collect();
    let place = if place.is_empty() { "." } else { &place };
    LlmError::OffSchema(format!("{kind} at {place}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Answer {
        name: String,
    }

    #[test]
    fn an_answer_is_the_schemas_or_none() {
        let ana = || Ok(Answer { name: "ana".to_owned() });
        assert_eq!(parse_answer(r#" {"name": "ana"} "#), ana());
        assert_eq!(parse_answer("```json\n{\"name\": \"ana\"}\n```"), ana());
        let check = |content: &str, reason: &str| {
            let error = parse_answer::<Answer>(content).unwrap_err().to_string();
            assert!(error.ends_with(reason), "{error}");
        };
        check("Sure! Here it is", "no JSON at .");
        check(r#"{"name": "an"#, "cut off at name");
        check(r#"{"name": 3}"#, "another kind of value at name");
        check(r#"{"name": "ana", "SK-1 SECRET": 1}"#, "another kind of value at 1");
        check(r#"{"name": "ana"} {}"#, "it goes on after its end");
    }

    #[test]
    fn only_a_plain_word_is_taken_from_a_refusal() {
        let code = |body: Value| serde_json::from_value::<Refusal>(body).unwrap().code();
        assert_eq!(
            code(json!({ "error": { "code": "invalid_api_key" } })).as_deref(),
            Some("invalid_api_key")
        );
        assert_eq!(
            code(json!({ "error": { "code": 400, "type": "bad_request" } })).as_deref(),
            Some("bad_request")
        );
        assert_eq!(code(json!({ "error": { "code": "sk-Secret1" } })), None);
        assert_eq!(code(json!({ "error": {} })), None);
    }

    #[test]
    fn vectors_are_one_for_each_text() {
        let vectors = |body: Value, texts| serde_json::from_value::<Embeddings>(body).unwrap().vectors(texts);
        let one = |index: usize, embedding: Value| json!({ "index": index, "embedding": embedding });
        let both = json!({ "data": [one(1, json!([3.0, 4.0])), one(0, json!([1.0, 2.0]))] });
        assert_eq!(vectors(both.clone(), 2).unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
        for (body, texts) in [
            (both, 3),
            (json!({ "data": [one(0, json!([1.0])), one(1, json!([1.0, 2.0]))] }), 2),
            (json!({ "data": [one(0, json!([]))] }), 1),
            (json!({ "data": [one(0, json!([1.0])), one(0, json!([1.0]))] }), 2),
        ] {
            assert!(vectors(body.clone(), texts).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(content in ".{0,80}") {
            let _ = parse_answer::<Answer>(&content);
        }
    }

    #[test]
    fn no_changed_answer_breaks_it() {
        let examples = [
            r#"{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"{\"skills\":[]}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#,
            r#"{"choices":[{"delta":{"content":"ho"},"finish_reason":null}]}"#,
            r#"{"data":[{"index":0,"embedding":[0.25,-1e3]}],"usage":{"prompt_tokens":3}}"#,
            "```json\n{\"skills\":[]}\n```",
        ];
        fuzz(&examples, |bytes| {
            let _ = parse_answer::<serde_json::Value>(&String::from_utf8_lossy(bytes));
            let _ = serde_json::from_slice::<Completion>(bytes).map(Completion::said);
            let _ = serde_json::from_slice::<CompletionChunk>(bytes).map(|chunk| Said::default().add(chunk));
            let _ = serde_json::from_slice::<Embeddings>(bytes).map(|vectors| vectors.vectors(1));
        });
    }
}
