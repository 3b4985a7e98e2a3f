//! abracadabra: keeps the transcripts of streams, gives them out, and finds who said what and when.

mod digest;
mod library;
mod meaning;
mod retelling;
mod search;
mod stream_chat;
mod table;
mod topics;
mod transcribe;
mod transcript;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::digest::{Passage, summary};
use self::library::{Library, Receipt};
use self::meaning::{MeaningQuery, Nearest, Vectors, nearest};
use self::retelling::{Retelling, retell};
use self::search::{Results, SearchQuery};
use self::stream_chat::{StreamChat, StreamChatQuery, stream_chat};
use self::topics::{Topic, topics};
use self::transcribe::AwsTranscript;
use self::transcript::{Transcript, check_transcript};
use super::{Agent, Route, Service, Skill, Start};
use crate::compute::compute;
use crate::data::{invalid, read_directory};
use crate::error::ApiError;
use crate::ingest::guarded;
use crate::input::Input;
use crate::karma_hello_client::KarmaHello;
use crate::limits;
use crate::llm::Llm;
use crate::payments::Price;
use crate::server::StartError;
use crate::text::{Keyphrase, Language, keyphrases};
use crate::trace::Trace;

pub(super) const AGENT: Agent = Agent {
    name: "abracadabra",
    description: "Keeps the transcripts of live streams and finds in them who said what, and when.",
    skills: &[
        Skill {
            id: "get_transcription",
            name: "Get a transcript",
            description: "GET or POST /get_transcription {stream_id?, date?, language?, limit?, cursor?, include_summary?, \
                          include_topics?, include_retelling?}: one stream's transcript, up to 100 segments unless limit \
                          says else, with their topics, the passages that hold most of them, and where one is \
                          configured, a language model's retelling.",
            tags: &["transcript", "stream"],
            route: Route::Post("/get_transcription"),
            text_field: Some("stream_id"),
            price: Price::Records {
                base: 20_000,
                each: 1_000,
                record: "segment",
                field: "limit",
                unless_said: SEGMENTS,
                most: limits::PAGE,
            },
        },
        Skill {
            id: "search",
            name: "Search transcripts",
            description: "GET or POST /search {q, stream_id?, language?, limit?, cursor?}: the segments that match \
                          best, with times and the places of the words. Accents and letter case do not matter.",
            tags: &["transcript", "search"],
            route: Route::Post("/search"),
            text_field: Some("q"),
            price: Price::Free,
        },
        Skill {
            id: "search_by_meaning",
            name: "Search a transcript by meaning",
            description: "POST /search_by_meaning {q, stream_id, limit?}: the segments of one stream nearest in meaning, in \
                          whatever language; where a model for embeddings is configured.",
            tags: &["transcript", "search", "embeddings"],
            route: Route::Post("/search_by_meaning"),
            text_field: None,
            price: Price::Free,
        },
        Skill {
            id: "get_stream_chat",
            name: "Get what the chat said of a stream's topics",
            description: "POST /stream_chat {stream_id}: the topics of a stream, each with the messages about it, which \
                          karma-hello sells.",
            tags: &["transcript", "chat", "topics"],
            route: Route::Post("/stream_chat"),
            text_field: Some("stream_id"),
            price: Price::Free,
        },
        Skill {
            id: "list_transcripts",
            name: "List transcripts",
            description: "GET /transcripts: the streams with a transcript.",
            tags: &["transcript", "streams"],
            route: Route::Get("/transcripts"),
            text_field: None,
            price: Price::Free,
        },
        Skill {
            id: "add_transcript",
            name: "Add a transcript",
            description: "POST /transcripts: takes a transcript; one that is known already changes nothing.",
            tags: &["transcript", "ingest"],
            route: Route::Post("/transcripts"),
            text_field: None,
            price: Price::Free,
        },
        Skill {
            id: "add_aws_transcript",
            name: "Add a transcript of Amazon Transcribe",
            description: "POST /aws_transcripts {stream_id, stream_date, stream_title, streamer, language?, \
                          duration_seconds?, transcribe}: takes the output of Amazon Transcribe.",
            tags: &["transcript", "ingest", "aws"],
            route: Route::Post("/aws_transcripts"),
            text_field: None,
            price: Price::Free,
        },
    ],
    start,
};

/// How many topics a transcript is given.
const TOPICS: usize = 8;

/// Segments of a transcript in one answer, unless told.
const SEGMENTS: usize = 100;

#[derive(Debug)]
struct Abracadabra {
    library: Library,
    vectors: Vectors,
    llm: Option<Llm>,
    karma_hello: Option<KarmaHello>,
}

type Shared = Arc<Abracadabra>;

fn start(
    Start {
        settings,
        store,
        llm,
        payments,
        ..
    }: &Start<'_>,
) -> Result<Service, StartError> {
    let library = Library::open(store)?;
    for (path, transcript) in read_directory::<Transcript>(&settings.data_dir.join(AGENT.name))? {
        check_transcript(&transcript).map_err(|error| invalid(&path, error.to_string()))?;
        library.seed(&transcript)?;
    }
    let karma_hello = KarmaHello::optional(settings, payments.as_ref())?;
    let dependencies = karma_hello.iter().map(KarmaHello::dependency).collect();
    let token = settings.ingest_token.as_ref();
    let views = vec![library.view()];
    let routes = Router::new()
        .route("/get_transcription", get(get_transcription).post(get_transcription))
        .route("/search", get(find).post(find))
        .route("/search_by_meaning", post(find_by_meaning))
        .route("/stream_chat", post(chat_of_stream))
        .route("/transcripts", get(list).merge(guarded(post(add), token)))
        .route("/aws_transcripts", guarded(post(add_aws), token))
        .with_state(Arc::new(Abracadabra {
            library,
            vectors: Vectors::default(),
            llm: llm.clone(),
            karma_hello,
        }));
    Ok(Service {
        routes,
        dependencies,
        views,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    stream_id: Option<String>,
    date: Option<Date>,
    language: Option<Language>,
    /// The most segments in one answer, which then tells of these.
    limit: Option<usize>,
    /// `next_cursor` of the answer before.
    cursor: Option<usize>,
    include_summary: Option<bool>,
    include_topics: Option<bool>,
    /// Costs a question to a language model; not unless asked for.
    include_retelling: Option<bool>,
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
    /// The parts that are about one thing each.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_segments: Option<Vec<Topic>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retelling: Option<Retelling>,
    /// Ask again with this as `cursor` for the rest; none at the end.
    next_cursor: Option<usize>,
    metadata: Value,
}

async fn get_transcription(
    State(agent): State<Shared>,
    Input(question): Input<Question>,
) -> Result<Json<Answer>, ApiError> {
    let mut transcript = only_transcript(&agent.library, &question).await?;
    let next_cursor = keep_page(&mut transcript, &question)?;
    let retelling = match question.include_retelling {
        Some(true) => Some(retell(agent.llm.as_ref(), &transcript).await),
        _ => None,
    };
    let computed = compute(move || answer(&question, transcript, retelling)).await;
    Ok(Json(Answer {
        next_cursor,
        ..computed
    }))
}

/// What is said of these segments, as if there were no others.
fn answer(question: &Question, transcript: Transcript, retelling: Option<Retelling>) -> Answer {
    let texts = || transcript.transcript.iter().map(|segment| segment.text.as_str());
    let phrases = keyphrases(texts(), TOPICS);
    let words: usize = texts().map(|text| crate::text::words(text).len()).sum();
    let (with_summary, with_topics) = (
        question.include_summary.unwrap_or(true),
        question.include_topics.unwrap_or(true),
    );
    Answer {
        summary: with_summary.then(|| summary(&transcript, &phrases)),
        key_topics: with_topics.then_some(phrases),
        topic_segments: with_topics.then(|| topics(&transcript.transcript)),
        retelling,
        next_cursor: None,
        metadata: json!({ "format_version": "1.0", "segments": transcript.transcript.len(), "words": words }),
        transcript,
    }
}

/// Leaves the segments that were asked for, and says where the next ones begin.
fn keep_page(transcript: &mut Transcript, question: &Question) -> Result<Option<usize>, ApiError> {
    let limit = question.limit.unwrap_or(SEGMENTS);
    if !(1..=limits::PAGE).contains(&limit) {
        let reason = format!("{limit} is not from 1 to {}", limits::PAGE);
        let help = "ask for less, and for the rest by next_cursor";
        return Err(ApiError::bad_field("limit", reason, help));
    }
    let segments = &mut transcript.transcript;
    let begin = question.cursor.unwrap_or(0).min(segments.len());
    let end = begin.saturating_add(limit);
    let next = (end < segments.len()).then_some(end);
    segments.truncate(end);
    segments.drain(..begin);
    Ok(next)
}

/// The one transcript that is meant; no guess where there are several.
async fn only_transcript(library: &Library, question: &Question) -> Result<Transcript, ApiError> {
    let is_meant = |transcript: &Transcript| {
        question.stream_id.as_ref().is_none_or(|id| *id == transcript.stream_id)
            && question.date.is_none_or(|date| date == transcript.stream_date)
            && question.language.is_none_or(|language| language == transcript.language)
    };
    let found = library.matching(is_meant).await?;
    match found.as_slice() {
        [] => Err(unknown_transcript("no transcript is of that stream, day and language")),
        [transcript] => whole(library, &transcript.stream_id).await,
        several => {
            let ids: Vec<&str> = several.iter().map(|transcript| transcript.stream_id.as_str()).collect();
            let reason = format!("several transcripts match: {}", ids.join(", "));
            Err(ApiError::bad_field("stream_id", reason, SEE_TRANSCRIPTS))
        }
    }
}

const SEE_TRANSCRIPTS: &str = "see /transcripts for what there is";

async fn whole(library: &Library, stream_id: &str) -> Result<Transcript, ApiError> {
    let found = library.transcript(stream_id).await?;
    found.ok_or_else(|| unknown_transcript(&format!("no transcript of stream `{stream_id}` is held")))
}

fn unknown_transcript(reason: &str) -> ApiError {
    ApiError::not_found("unknown_transcript", reason, SEE_TRANSCRIPTS)
}

async fn find(State(agent): State<Shared>, Input(query): Input<SearchQuery>) -> Result<Json<Results>, ApiError> {
    agent.library.search(query).await.map(Json)
}

async fn find_by_meaning(
    State(agent): State<Shared>,
    Input(query): Input<MeaningQuery>,
) -> Result<Json<Nearest>, ApiError> {
    let transcript = whole(&agent.library, &query.stream_id).await?;
    let nearest = nearest(agent.llm.as_ref(), &agent.vectors, transcript, &query);
    nearest.await.map(Json)
}

async fn chat_of_stream(
    State(agent): State<Shared>,
    trace: Trace,
    Input(query): Input<StreamChatQuery>,
) -> Result<Json<StreamChat>, ApiError> {
    let transcript = whole(&agent.library, &query.stream_id).await?;
    stream_chat(agent.karma_hello.as_ref(), &transcript, &trace)
        .await
        .map(Json)
}

async fn list(State(agent): State<Shared>) -> Result<Json<Value>, ApiError> {
    let headings = agent.library.headings().await?;
    let headings: Vec<Value> = headings
        .iter()
        .map(|(transcript, segments)| transcript.heading(*segments))
        .collect();
    Ok(Json(json!({ "transcripts": headings })))
}

async fn add(
    State(agent): State<Shared>,
    Input(transcript): Input<Transcript>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    take(&agent.library, transcript).await
}

async fn add_aws(
    State(agent): State<Shared>,
    Input(output): Input<AwsTranscript>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    take(&agent.library, output.into_transcript()?).await
}

async fn take(library: &Library, transcript: Transcript) -> Result<(StatusCode, Json<Value>), ApiError> {
    check_transcript(&transcript)?;
    let receipt = json!({ "stream_id": transcript.stream_id, "segments": transcript.transcript.len() });
    let status = match library.add(transcript).await? {
        Receipt::Taken => StatusCode::CREATED,
        Receipt::AlreadyKnown => StatusCode::OK,
    };
    Ok((status, Json(receipt)))
}
