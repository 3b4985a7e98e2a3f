//! Who may send what an agent keeps: everybody, or with `INGEST_TOKEN` only who shows it.
//! <https://www.rfc-editor.org/rfc/rfc6750#section-2.1>

use std::convert::Infallible;
use std::fmt;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use k256::elliptic_curve::subtle::ConstantTimeEq;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// A shorter one could be guessed.
const SHORTEST: usize = 16;

/// The token of those who may send. It is not kept, only its digest, which says whether another is the same.
#[derive(Clone)]
pub struct IngestToken([u8; 32]);

impl IngestToken {
    /// The value stays out of the reasons.
    pub(crate) fn parse(text: &str) -> Result<IngestToken, String> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("holds blanks or letters that no token has".to_owned());
        }
        if text.len() < SHORTEST {
            return Err(format!(
                "has less than {SHORTEST} characters: `openssl rand -hex 32` makes a good one"
            ));
        }
        Ok(IngestToken(Sha256::digest(text).into()))
    }

    /// Whether the request shows it. How long that takes says nothing of how much of it is right.
    fn admits(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
        let is_same = |shown: &[u8]| Sha256::digest(shown).as_slice().ct_eq(&self.0);
        shown.is_some_and(|shown| is_same(shown).into())
    }
}

impl fmt::Debug for IngestToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IngestToken(…)")
    }
}

/// The route, for those who show the token where there is one.
pub(crate) fn guarded<S>(route: MethodRouter<S>, token: Option<&IngestToken>) -> MethodRouter<S, Infallible>
where
    S: Clone + Send + Sync + 'static,
{
    match token {
        Some(token) => route.route_layer(from_fn_with_state(token.clone(), guard)),
        None => route,
    }
}

async fn guard(State(token): State<IngestToken>, request: Request, next: Next) -> Response {
    if token.admits(request.headers()) {
        next.run(request).await
    } else {
        refusal()
    }
}

fn refusal() -> Response {
    let reason = "this agent takes data only from those who show its INGEST_TOKEN";
    let help = "send it over HTTP, with the header `Authorization: Bearer` and the token";
    let mut answer = ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", reason, help).into_response();
    answer
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// The scheme's name may be written in any case: <https://www.rfc-editor.org/rfc/rfc9110#section-11.1>.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn admits(authorization: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        headers.extend(HeaderValue::from_bytes(authorization).map(|value| (AUTHORIZATION, value)));
        IngestToken::parse(TOKEN).unwrap().admits(&headers)
    }

    #[test]
    fn only_the_token_is_the_token() {
        for right in ["Bearer 0123456789abcdef", "bearer  0123456789abcdef "] {
            assert!(admits(right.as_bytes()), "{right}");
        }
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
            "Bearer 0123456789abcdeF",
        ] {
            assert!(!admits(wrong.as_bytes()), "{wrong}");
        }
        assert!(!IngestToken::parse(TOKEN).unwrap().admits(&HeaderMap::new()));
    }

    #[test]
    fn a_bad_token_is_refused_and_none_is_shown() {
        let check = |text: &str, reason: &str| {
            let error = IngestToken::parse(text).unwrap_err();
            assert!(error.contains(reason) && !error.contains(text), "{error}");
        };
        check("short", "less than 16 characters");
        check("with blanks in it, many", "blanks");
        assert_eq!(format!("{:?}", IngestToken::parse(TOKEN).unwrap()), "IngestToken(…)");
    }

    proptest! {
        #[test]
        fn nothing_else_is_let_in(authorization in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(!admits(&authorization));
        }
    }
}
