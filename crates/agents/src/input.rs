//! What a request asks for, read strictly: the query of a GET, the JSON body of a POST.

use std::error::Error;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

use crate::error::ApiError;
use crate::limits;
use crate::patience::is_too_slow;

/// A request's input, whichever way it came. One handler serves both methods.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Input<T>, ApiError> {
        if request.method() == Method::GET || request.method() == Method::HEAD {
            return from_query(request.uri().query().unwrap_or_default()).map(Input);
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| unreadable_body(&rejection))?;
        from_json(&body).map(Input)
    }
}

fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| bad_input(&error, "mend the query"))
}

fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| bad_input(&error, ONE_OBJECT))?;
    json.end()
        .map_err(|error| ApiError::bad_field(".", error.to_string(), ONE_OBJECT))?;
    Ok(value)
}

const ONE_OBJECT: &str = "send one JSON object with the fields the agent's card names";

fn bad_input(error: &serde_path_to_error::Error<impl Error>, help: &'static str) -> ApiError {
    ApiError::bad_field(error.path().to_string(), error.inner().to_string(), help)
}

/// The refusal of a body that does not arrive whole.
pub(crate) fn unreadable_body(rejection: &BytesRejection) -> ApiError {
    let status = rejection.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let reason = format!("the body has more than {} bytes", limits::BODY_BYTES);
        return ApiError::new(status, "body_too_large", reason, "send it in parts");
    }
    if is_too_slow(rejection) {
        let status = StatusCode::REQUEST_TIMEOUT;
        return ApiError::new(status, "slow_body", "the body came too slowly", "send it in parts");
    }
    ApiError::new(status, "unreadable_body", rejection.body_text(), "send the whole body")
}

/// A list of names: an array in JSON, `a,b` in a query.
pub(crate) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a list of names")]
    enum Names {
        Many(Vec<String>),
        Joined(String),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::Many(names) => names,
        Names::Joined(names) => names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(ToOwned::to_owned)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        limit: Option<usize>,
        #[serde(default, deserialize_with = "names")]
        users: Vec<String>,
    }

    #[test]
    fn query_and_body_say_the_same() {
        let query: Wanted = from_query("limit=3&users=ana%2C%20luis").unwrap();
        let body: Wanted = from_json(br#"{"limit": 3, "users": ["ana", "luis"]}"#).unwrap();
        assert_eq!((query.limit, &query.users), (body.limit, &body.users));
        assert_eq!(query.users, ["ana", "luis"]);
    }

    #[test]
    fn bad_input_names_the_field() {
        let check = |result: Result<Wanted, ApiError>, field: &str, reason: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.field.as_deref(), Some(field));
            assert!(error.reason.contains(reason), "{}", error.reason);
            assert_eq!(error.status, StatusCode::BAD_REQUEST);
        };
        check(from_query("limit=many"), "limit", "invalid digit");
        check(from_query("limit=-1"), "limit", "invalid digit");
        check(from_json(br#"{"limit": "3"}"#), "limit", "invalid type: string");
        check(from_json(br#"{"users": 3}"#), "users", "expected a list of names");
        check(from_json(br#"{"colour": 3}"#), "colour", "unknown field `colour`");
        // Else one of the two would set the price, and the other one what is answered.
        check(from_query("limit=3&limit=4"), ".", "duplicate field `limit`");
        check(
            from_json(br#"{"limit": 3, "limit": 4}"#),
            ".",
            "duplicate field `limit`",
        );
        check(from_json(b"{} {}"), ".", "trailing characters");
        check(from_json(b""), ".", "EOF");
    }

    proptest! {
        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), query in ".*") {
            let _ = from_json::<Wanted>(&bytes);
            let _ = from_query::<Wanted>(&query);
        }
    }

    #[test]
    fn no_changed_question_breaks_it() {
        let examples = [
            "stream_id=s&date=2026-01-12&start_time=2026-01-12T17:00:22Z&users=ana%2C+luis&limit=7&include_stats=false&cursor=1~-2",
            r#"{"stream_id":"s","date":"2026-01-12","end_time":"2026-01-12T17:00:22Z","users":["ana","luis"],"near_duplicates":"drop"}"#,
        ];
        fuzz(&examples, |bytes| {
            let _ = from_json::<crate::chat::ChatQuery>(bytes);
            let _ = from_query::<crate::chat::ChatQuery>(&String::from_utf8_lossy(bytes));
        });
    }
}
