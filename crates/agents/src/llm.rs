//! Asking a language model, where one is configured: any server that speaks OpenAI's API.
//!
//! ```text
//!  Prompt ─reserve tokens─▶ send ─retry while there is time─▶ read (whole or as a stream) ─▶ the schema's type ─▶ Told<T>
//!            budget          retry                             wire, sse
//! ```
//!
//! What a model says is a claim, not a fact. It is taken only as the type that was asked for, and whoever asked compares
//! it with the texts it was given (see `evidence`). What users wrote goes to the model as JSON, never as instructions.
//! <https://platform.openai.com/docs/api-reference/chat>

mod budget;
mod call;
mod counters;
mod error;
mod evidence;
mod prompt;
mod retry;
mod settings;
mod sse;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use self::budget::Budget;
use self::call::Call;
pub(crate) use self::counters::Counters;
pub(crate) use self::error::LlmError;
pub(crate) use self::evidence::{Claim, Texts, is_plain_name, is_plain_sentence, says_something};
pub(crate) use self::prompt::{Prompt, SKILL_PROFILE, SUMMARY, Selection, VOICE_REMARKS};
pub use self::settings::LlmSettings;
use self::wire::{ChatRequest, EmbeddingRequest, Usage};
use crate::client::client_for;
use crate::error::chain;
use crate::server::StartError;
use crate::store::Store;

/// So many calls of one process are under way at once; more wait their turn, inside their own patience.
const AT_ONCE: usize = 4;
/// The most texts of one call for embeddings, and the most bytes of one text.
pub(crate) const EMBEDDED_AT_ONCE: usize = 64;

/// A language model that can be asked. Clones are the same one. All tasks of an agent have one budget.
#[derive(Clone, Debug)]
pub(crate) struct Llm(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: LlmSettings,
    client: reqwest::Client,
    turns: Semaphore,
    budget: Budget,
    counters: Arc<Counters>,
}

/// What a model said, and what it cost.
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) answer: T,
    /// The model by the server's own word.
    pub(crate) model: String,
    pub(crate) usage: Usage,
}

/// How an answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// In one piece.
    Whole,
    /// In pieces as they are made: a model that falls silent is noticed long before one that takes its time.
    Streamed,
}

/// What a result says about the model: whether it was asked, which one, and what came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LlmNote {
    pub(crate) asked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// What came of it, in a sentence.
    pub(crate) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
}

impl Llm {
    /// The model of the settings, if they name one. What it costs is counted in the store.
    pub(crate) fn new(settings: Option<&LlmSettings>, store: &Store) -> Result<Option<Llm>, StartError> {
        let Some(settings) = settings else { return Ok(None) };
        // The patience of a call is its own, over all its attempts.
        let client = client_for(&settings.base).timeout(settings.patience);
        Ok(Some(Llm(Arc::new(Inner {
            client: client.build().map_err(StartError::Client)?,
            turns: Semaphore::new(AT_ONCE),
            budget: Budget::open(store, settings.cap)?,
            counters: Arc::default(),
            settings: settings.clone(),
        }))))
    }

    /// Removes from the store what nobody counts any more, for as long as the agent runs.
    pub(crate) async fn keep_house(self) {
        self.0.budget.keep_clean().await;
    }

    /// What was asked and spent since the start.
    pub(crate) fn counters(&self) -> Arc<Counters> {
        self.0.counters.clone()
    }

    /// The model that is asked.
    pub(crate) fn model(&self) -> &str {
        &self.0.settings.model
    }

    /// Whether it can tell how near texts are in meaning.
    pub(crate) fn has_embeddings(&self) -> bool {
        self.0.settings.embedding_model.is_some()
    }

    /// Asks for an answer of the prompt's schema.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        prompt: &Prompt,
        delivery: Delivery,
    ) -> Result<Told<T>, LlmError> {
        let request = ChatRequest::new(&self.0.settings, prompt, delivery);
        let said = self.call().chat(&request, prompt.estimate()).await?;
        let answer = wire::parse_answer(&said.content).inspect_err(|_| self.0.counters.failed())?;
        Ok(Told {
            answer,
            model: said.model,
            usage: said.usage,
        })
    }

    /// The direction of each text's meaning, in their order. Texts of one meaning point the same way in any language.
    pub(crate) async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, LlmError> {
        let Some(model) = &self.0.settings.embedding_model else {
            return Err(LlmError::NoEmbeddings);
        };
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(EMBEDDED_AT_ONCE) {
            let request = EmbeddingRequest { model, input: batch };
            vectors.extend(self.call().embeddings(&request).await?);
        }
        Ok(vectors)
    }

    /// Asks what models there are: that the server answers and takes the key.
    pub(crate) async fn check(&self) -> Result<(), LlmError> {
        self.call().models().await
    }

    fn call(&self) -> Call<'_> {
        let Inner {
            settings,
            client,
            turns,
            budget,
            counters,
        } = &*self.0;
        Call {
            settings,
            client,
            turns,
            budget,
            counters,
        }
    }
}

impl LlmNote {
    /// Nobody was asked, since no model is configured.
    pub(crate) fn none() -> LlmNote {
        LlmNote::not_asked("no language model is configured (OPENAI_API_KEY or OPENAI_BASE_URL): computed without one")
    }

    /// Nobody was asked, for this reason.
    pub(crate) fn not_asked(outcome: &str) -> LlmNote {
        LlmNote {
            asked: false,
            model: None,
            outcome: outcome.to_owned(),
            usage: None,
        }
    }

    /// A model answered.
    pub(crate) fn told<T>(told: &Told<T>, outcome: String) -> LlmNote {
        LlmNote {
            asked: true,
            model: Some(told.model.clone()),
            outcome,
            usage: Some(told.usage),
        }
    }

    /// A model was asked in vain.
    pub(crate) fn failed(llm: &Llm, error: &LlmError) -> LlmNote {
        LlmNote {
            asked: !matches!(error, LlmError::Exhausted(_) | LlmError::Uncounted(_)),
            model: Some(llm.model().to_owned()),
            outcome: format!("computed without a language model: {}", chain(error)),
            usage: None,
        }
    }
}
