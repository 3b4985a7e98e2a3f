//! voice-extractor: how a user writes, measured on the messages karma-hello has of them.
//!
//! Every figure is a count or a ratio of counts, so that two users, or one user in two years, can be compared.

mod engagement;
mod expression;
mod formality;
mod idioms;
mod lexicon;
mod questions;
mod remarks;
mod rhythm;
mod sentences;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use self::engagement::Engagement;
use self::expression::Expression;
use self::formality::Formality;
use self::idioms::Idiom;
use self::lexicon::Lexicon;
use self::questions::Questions;
use self::remarks::{Remark, remarks};
use self::rhythm::Rhythm;
use self::sentences::Sentences;
use self::vocabulary::Vocabulary;
use super::{Agent, Route, Service, Skill, Start};
use crate::chat::StreamMessage;
use crate::compute::compute;
use crate::data::{invalid, read_versioned};
use crate::error::ApiError;
use crate::input::Input;
use crate::karma_hello_client::{KarmaHello, UserMessages};
use crate::llm::{Llm, LlmNote};
use crate::payments::Price;
use crate::profile::{ComputedFrom, DataCoverage, DateRange, Detail, confidence, messages_for_profile, round};
use crate::server::StartError;
use crate::text::Language;
use crate::trace::Trace;

pub(super) const AGENT: Agent = Agent {
    name: "voice-extractor",
    description: "Measures how a user writes: vocabulary, sentences, formality, rhythm, expression, questions, idioms, \
                  engagement.",
    skills: &[Skill {
        id: "extract_voice_profile",
        name: "Extract a voice profile",
        description: "POST /extract_voice_profile {username, profile_type? (basic, standard, complete), date_range? \
                      {start_date?, end_date?}}: three, five or eight categories of measured features.",
        tags: &["profile", "style", "writing"],
        route: Route::Post("/extract_voice_profile"),
        text_field: Some("username"),
        price: Price::Levels {
            field: "profile_type",
            levels: &[("basic", 20_000), ("standard", 30_000), ("complete", 40_000)],
        },
    }],
    start,
};

/// With so many messages a profile is half sure.
const HALF_SURE: usize = 20;

#[derive(Debug)]
struct Extractor {
    karma_hello: KarmaHello,
    lexicon: Lexicon,
    llm: Option<Llm>,
}

fn start(
    Start {
        settings,
        llm,
        payments,
        ..
    }: &Start<'_>,
) -> Result<Service, StartError> {
    let path = settings.data_dir.join(AGENT.name).join("lexicon.json");
    let (file, version) = read_versioned(&path)?;
    let lexicon = Lexicon::new(file, version).map_err(|reason| invalid(&path, reason))?;
    let karma_hello = KarmaHello::new(settings, payments.as_ref())?;
    let dependencies = vec![karma_hello.dependency()];
    let routes = Router::new()
        .route("/extract_voice_profile", post(extract))
        .with_state(Arc::new(Extractor {
            karma_hello,
            lexicon,
            llm: llm.clone(),
        }));
    Ok(Service {
        routes,
        dependencies,
        views: Vec::new(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    username: String,
    #[serde(default)]
    profile_type: Detail,
    #[serde(default)]
    date_range: DateRange,
}

#[derive(Serialize)]
struct Profile {
    username: String,
    profile_type: Detail,
    analysis: Analysis,
    /// From 0 towards 1; grows with the number of messages only.
    confidence_score: f64,
    data_coverage: Option<DataCoverage>,
    /// Sentences of a language model about what is measured above; of a complete profile only.
    remarks: Vec<Remark>,
    computed_from: ComputedFrom,
    language_model: LlmNote,
}

#[derive(Serialize)]
struct Analysis {
    /// The share of the messages in each language, of those whose language can be told.
    languages: BTreeMap<Language, f64>,
    categories: Categories,
}

/// The categories. A level below `complete` leaves some out.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
struct Categories {
    vocabulary: Vocabulary,
    sentence_structure: Sentences,
    formality: Formality,
    #[serde(flatten)]
    standard: Option<Standard>,
    #[serde(flatten)]
    complete: Option<Complete>,
}

#[derive(Serialize)]
struct Standard {
    rhythm: Rhythm,
    expression: Expression,
}

#[derive(Serialize)]
struct Complete {
    questions: Questions,
    idioms: Vec<Idiom>,
    engagement: Engagement,
}

async fn extract(
    State(extractor): State<Arc<Extractor>>,
    trace: Trace,
    Input(question): Input<Question>,
) -> Result<Json<Profile>, ApiError> {
    let range = question.date_range;
    let found = messages_for_profile(&extractor.karma_hello, &question.username, range, &trace).await?;
    let (remarks, note) = match question.profile_type {
        Detail::Complete => remarks(extractor.llm.as_ref(), &found.messages).await,
        _ => (Vec::new(), LlmNote::not_asked("remarks belong to the complete profile")),
    };
    let measured = compute(move || profile(&extractor.lexicon, question, &found)).await;
    Ok(Json(Profile {
        remarks,
        language_model: note,
        ..measured
    }))
}

/// What is measured; no remarks.
fn profile(lexicon: &Lexicon, question: Question, found: &UserMessages) -> Profile {
    let analysis = Analysis {
        languages: languages(&found.messages),
        categories: categories(lexicon, question.profile_type, &found.messages),
    };
    Profile {
        username: question.username,
        profile_type: question.profile_type,
        analysis,
        confidence_score: confidence(found.messages.len(), HALF_SURE),
        data_coverage: DataCoverage::of(found),
        remarks: Vec::new(),
        computed_from: ComputedFrom::of(&found.messages, &lexicon.version),
        language_model: LlmNote::none(),
    }
}

fn categories(lexicon: &Lexicon, level: Detail, messages: &[StreamMessage]) -> Categories {
    let texts: Vec<&str> = messages
        .iter()
        .map(|message| message.message.message.as_str())
        .collect();
    let standard = || Standard {
        rhythm: Rhythm::of(messages),
        expression: Expression::of(lexicon, &texts),
    };
    let complete = || Complete {
        questions: Questions::of(&texts),
        idioms: idioms::idioms(lexicon, messages),
        engagement: Engagement::of(messages),
    };
    Categories {
        vocabulary: Vocabulary::of(&texts),
        sentence_structure: Sentences::of(&texts),
        formality: Formality::of(lexicon, &texts),
        standard: (level != Detail::Basic).then(standard),
        complete: (level == Detail::Complete).then(complete),
    }
}

fn languages(messages: &[StreamMessage]) -> BTreeMap<Language, f64> {
    let mut counts: BTreeMap<Language, usize> = BTreeMap::new();
    for language in messages
        .iter()
        .filter_map(|message| Language::of(&message.message.message))
    {
        *counts.entry(language).or_default() += 1;
    }
    let told: usize = counts.values().sum();
    counts
        .into_iter()
        .map(|(language, count)| (language, round(count as f64 / told as f64)))
        .collect()
}

/// The part of a whole, with three decimals; none of nothing.
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| round(part as f64 / whole as f64))
}

/// The share of the texts for which something holds.
fn share(texts: &[&str], holds: impl Fn(&str) -> bool) -> Option<f64> {
    ratio(texts.iter().filter(|text| holds(text)).count(), texts.len())
}
