//! Saying who one is: a password as it is, or a token that it is exchanged for.
//! <https://github.com/distribution/distribution/blob/main/docs/content/spec/auth/token.md>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Method, StatusCode, Uri};
use serde::Deserialize;

use super::call::{Answer, Call};
use super::challenge::{self, Challenge};
use super::credentials::bearer;
use super::error::RegistryError;
use super::transport::Origin;
use super::{Registry, Scheme};

/// What registries took. It is said right away the next time, and no clock is read: one that no longer holds is answered with 401.
#[derive(Debug, Default)]
pub(super) struct Logins {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// For everything.
    password: Option<HeaderValue>,
    /// By what they are for.
    tokens: HashMap<String, HeaderValue>,
}

/// What a token service answers with.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Logins {
    pub(super) fn known(&self, scope: &str) -> Option<HeaderValue> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tokens.get(scope).or(known.password.as_ref()).cloned()
    }

    fn keep_token(&self, scope: &str, token: HeaderValue) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tokens.insert(scope.to_owned(), token);
    }

    fn keep_password(&self, password: HeaderValue) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.password = Some(password);
    }
}

impl Registry {
    /// What to say to a registry that wants to know who asks; `None` where there is nothing that was not said already.
    pub(super) async fn log_in(
        &self,
        call: &Call,
        answer: &Answer,
        said: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let challenges: Vec<_> = answer.headers(&WWW_AUTHENTICATE).flat_map(challenge::parse).collect();
        for challenge in challenges {
            match challenge.scheme.as_str() {
                "bearer" => {
                    let token = self.token(&challenge, call.scope()).await?;
                    self.shared.logins.keep_token(call.scope(), token.clone());
                    return Ok(Some(token));
                }
                "basic" => {
                    let password = self.shared.credentials.basic();
                    let password = password.filter(|password| said != Some(password));
                    if let Some(password) = &password {
                        self.shared.logins.keep_password(password.clone());
                    }
                    return Ok(password);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    async fn token(&self, challenge: &Challenge, scope: &str) -> Result<HeaderValue, RegistryError> {
        let address = self.token_address(challenge, scope)?;
        let call = Call::new(Method::GET, address.clone(), scope, "giving out a token");
        let answer = self
            .send(&call, &address, self.shared.credentials.basic().as_ref())
            .await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(self.unauthorized(&answer)),
            _ => return Err(self.judge_token(&call, &answer)),
        }
        let token: Option<Token> = serde_json::from_slice(answer.body()).ok();
        token
            .and_then(|token| bearer(&token.token.or(token.access_token)?))
            .ok_or_else(|| self.not_a_registry("where it has tokens given out, none was given"))
    }

    fn judge_token(&self, call: &Call, answer: &Answer) -> RegistryError {
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return RegistryError::Failing {
                registry: self.shared.host.clone(),
                status,
                message: answer.message(),
                retry_after: None,
            };
        }
        self.refused(call, answer)
    }

    /// The password goes there: never in the clear where the registry itself is spoken with over TLS.
    fn token_address(&self, challenge: &Challenge, scope: &str) -> Result<Uri, RegistryError> {
        let realm = challenge.parameters.get("realm").map_or("", String::as_str);
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(service) = challenge.parameters.get("service") {
            query.append_pair("service", service);
        }
        for scope in scope.split(' ').filter(|scope| !scope.is_empty()) {
            query.append_pair("scope", scope);
        }
        let separator = if realm.contains('?') { '&' } else { '?' };
        let wrong = || self.not_a_registry(format!("tokens are given out at {realm:?}"));
        let address: Uri = format!("{realm}{separator}{}", query.finish())
            .parse()
            .map_err(|_| wrong())?;
        let origin = Origin::of(&address).ok_or_else(wrong)?;
        if self.shared.scheme == Scheme::Https && !origin.is_encrypted() {
            return Err(wrong());
        }
        Ok(address)
    }
}
