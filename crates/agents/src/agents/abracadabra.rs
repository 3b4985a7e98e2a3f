//! abracadabra: keeps the transcripts of streams, gives them out, and finds who said what and when.

mod digest;
mod index;
mod search;
mod store;
mod transcript;

use std::sync::{Arc, PoisonError, RwLock};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::digest::{Passage, summary};
use self::search::{Results, SearchQuery, search};
use self::store::Store;
use self::transcript::{Transcript, check_transcript};
use super::{Agent, Route, Service, Skill, Start};
use crate::data::{invalid, read_directory};
use crate::error::ApiError;
use crate::input::Input;
use crate::server::StartError;
use crate::text::{Keyphrase, Language, keyphrases};

pub(super) const AGENT: Agent = Agent {
    name: "abracadabra",
    description: "Keeps the transcripts of live streams and finds in them who said what, and when.",
    skills: &[
        Skill {
            id: "get_transcription",
            name: "Get a transcript",
            description: "GET or POST /get_transcription {stream_id?, date?, language?, include_summary?, \
                          include_topics?}: one stream's transcript, with topics and the passages that hold most of them.",
            tags: &["transcript", "stream"],
            route: Route::Post("/get_transcription"),
            text_field: Some("stream_id"),
        },
        Skill {
            id: "search",
            name: "Search transcripts",
            description: "GET or POST /search {q, stream_id?, language?, limit?, cursor?}: the segments that match \
                          best, with times and the places of the words. Accents and letter case do not matter.",
            tags: &["transcript", "search"],
            route: Route::Post("/search"),
            text_field: Some("q"),
        },
        Skill {
            id: "list_transcripts",
            name: "List transcripts",
            description: "GET /transcripts: the streams with a transcript.",
            tags: &["transcript", "streams"],
            route: Route::Get("/transcripts"),
            text_field: None,
        },
        Skill {
            id: "add_transcript",
            name: "Add a transcript",
            description: "POST /transcripts: takes a transcript; one that is known already changes nothing.",
            tags: &["transcript", "ingest"],
            route: Route::Post("/transcripts"),
            text_field: None,
        },
    ],
    start,
};

/// How many topics a transcript is given.
const TOPICS: usize = 8;

type Shared = Arc<RwLock<Store>>;

fn start(Start { settings, .. }: &Start<'_>) -> Result<Service, StartError> {
    let mut store = Store::default();
    for (path, transcript) in read_directory::<Transcript>(&settings.data_dir.join(AGENT.name))? {
        let added = check_transcript(&transcript).and_then(|()| store.add(transcript));
        added.map_err(|error| invalid(&path, error.to_string()))?;
    }
    let routes = Router::new()
        .route("/get_transcription", get(get_transcription).post(get_transcription))
        .route("/search", get(find).post(find))
        .route("/transcripts", get(list).post(add))
        .with_state(Shared::new(RwLock::new(store)));
    Ok(Service {
        routes,
        dependencies: Vec::new(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    stream_id: Option<String>,
    date: Option<Date>,
    language: Option<Language>,
    include_summary: Option<bool>,
    include_topics: Option<bool>,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    transcript: Transcript,
    /// The passages that hold most of the topics, in their order: quoted, not rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Vec<Passage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_topics: Option<Vec<Keyphrase>>,
    metadata: Value,
}

async fn get_transcription(
    State(store): State<Shared>,
    Input(question): Input<Question>,
) -> Result<Json<Answer>, ApiError> {
    let store = store.read().unwrap_or_else(PoisonError::into_inner);
    let transcript = only_transcript(&store, &question)?;
    let topics = keyphrases(
        transcript.transcript.iter().map(|segment| segment.text.as_str()),
        TOPICS,
    );
    let words: usize = transcript
        .transcript
        .iter()
        .map(|segment| crate::text::words(&segment.text).len())
        .sum();
    Ok(Json(Answer {
        transcript: transcript.clone(),
        summary: question
            .include_summary
            .unwrap_or(true)
            .then(|| summary(transcript, &topics)),
        key_topics: question.include_topics.unwrap_or(true).then_some(topics),
        metadata: json!({ "format_version": "1.0", "segments": transcript.transcript.len(), "words": words }),
    }))
}

/// The one transcript that is meant; no guess where there are several.
fn only_transcript<'s>(store: &'s Store, question: &Question) -> Result<&'s Transcript, ApiError> {
    let found: Vec<&Transcript> = store
        .transcripts()
        .filter(|transcript| question.stream_id.as_ref().is_none_or(|id| *id == transcript.stream_id))
        .filter(|transcript| question.date.is_none_or(|date| date == transcript.stream_date))
        .filter(|transcript| question.language.is_none_or(|language| language == transcript.language))
        .collect();
    let help = "see /transcripts for what there is";
    match found.as_slice() {
        [] => Err(ApiError::not_found(
            "unknown_transcript",
            "no transcript is of that stream, day and language",
            help,
        )),
        [transcript] => Ok(transcript),
        several => {
            let ids: Vec<&str> = several.iter().map(|transcript| transcript.stream_id.as_str()).collect();
            Err(ApiError::bad_field(
                "stream_id",
                format!("several transcripts match: {}", ids.join(", ")),
                help,
            ))
        }
    }
}

async fn find(State(store): State<Shared>, Input(query): Input<SearchQuery>) -> Result<Json<Results>, ApiError> {
    search(&store.read().unwrap_or_else(PoisonError::into_inner), &query).map(Json)
}

async fn list(State(store): State<Shared>) -> Json<Value> {
    let store = store.read().unwrap_or_else(PoisonError::into_inner);
    let transcripts: Vec<Value> = store.transcripts().map(Transcript::heading).collect();
    Json(json!({ "transcripts": transcripts }))
}

async fn add(
    State(store): State<Shared>,
    Input(transcript): Input<Transcript>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    check_transcript(&transcript)?;
    let receipt = json!({ "stream_id": transcript.stream_id, "segments": transcript.transcript.len() });
    let is_new = store.write().unwrap_or_else(PoisonError::into_inner).add(transcript)?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(receipt)))
}
