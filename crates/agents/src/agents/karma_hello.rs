//! karma-hello: keeps the chat of streams and gives it out by stream, day, time and user.

mod archive;
mod ingest;
mod irc;
mod query;
mod statistics;
mod table;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::Serialize;
use serde_json::{Value, json};

use self::archive::{Added, Archive};
use self::ingest::check_log;
pub use self::irc::IrcSettings;
use self::irc::Listener;
use self::query::Answer;
use super::{Agent, Route, Service, Skill, Start};
use crate::chat::{ChatLog, ChatQuery};
use crate::data::{invalid, read_directory};
use crate::error::ApiError;
use crate::ingest::guarded;
use crate::input::Input;
use crate::limits;
use crate::payments::Price;
use crate::server::StartError;

pub(super) const AGENT: Agent = Agent {
    name: "karma-hello",
    description: "Keeps the chat of live streams and gives it out by stream, day, time and user.",
    skills: &[
        Skill {
            id: "get_chat_logs",
            name: "Get chat logs",
            description: "GET or POST /get_chat_logs {stream_id?, date?, start_time?, end_time?, users?, limit?, \
                          include_stats?, near_duplicates? (keep, drop), cursor?}: the messages in order of time, with \
                          statistics of these messages.",
            tags: &["chat", "twitch", "logs"],
            route: Route::Post("/get_chat_logs"),
            text_field: Some("stream_id"),
            price: Price::Records {
                base: 10_000,
                each: 100,
                record: "message",
                field: "limit",
                unless_said: limits::PAGE,
                most: limits::PAGE,
            },
        },
        Skill {
            id: "list_streams",
            name: "List streams",
            description: "GET /streams: the streams with chat, and how many messages each holds.",
            tags: &["chat", "streams"],
            route: Route::Get("/streams"),
            text_field: None,
            price: Price::Free,
        },
        Skill {
            id: "add_chat_logs",
            name: "Add chat logs",
            description: "POST /chat_logs: takes a chat log; messages that are known already are not taken twice.",
            tags: &["chat", "ingest"],
            route: Route::Post("/chat_logs"),
            text_field: None,
            price: Price::Free,
        },
    ],
    start,
};

fn start(Start { settings, store, .. }: &Start<'_>) -> Result<Service, StartError> {
    let archive = Archive::open(store, settings.retention)?;
    for (path, log) in read_directory::<ChatLog>(&settings.data_dir.join(AGENT.name))? {
        check_log(&log).map_err(|error| invalid(&path, error.to_string()))?;
        archive.seed(&log)?;
    }
    tokio::spawn(archive.clone().keep_clean());
    let routes = Router::new()
        .route("/get_chat_logs", get(get_chat_logs).post(get_chat_logs))
        .route("/streams", get(streams))
        .route(
            "/chat_logs",
            guarded(post(add_chat_log), settings.ingest_token.as_ref()),
        );
    let listener = settings.irc.clone().map(|irc| Listener::new(irc, archive.clone()));
    let dependencies = listener.iter().map(Listener::dependency).collect();
    if let Some(listener) = listener {
        tokio::spawn(listener.listen());
    }
    let views = vec![archive.view()];
    Ok(Service {
        routes: routes.with_state(archive),
        dependencies,
        views,
    })
}

async fn get_chat_logs(
    State(archive): State<Archive>,
    Input(query): Input<ChatQuery>,
) -> Result<Json<Answer>, ApiError> {
    archive.answer(query).await.map(Json)
}

async fn streams(State(archive): State<Archive>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "streams": archive.streams().await? })))
}

#[derive(Serialize)]
struct Receipt {
    stream_id: String,
    #[serde(flatten)]
    added: Added,
}

async fn add_chat_log(
    State(archive): State<Archive>,
    Input(log): Input<ChatLog>,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    check_log(&log)?;
    let stream_id = log.stream_id.clone();
    let added = archive.add(log).await?;
    let status = if added.added > 0 {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(Receipt { stream_id, added })))
}
