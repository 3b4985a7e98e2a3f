//! One question to a registry: who asks is said when the registry wants to know, and it is asked again while that may help.

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderName, LOCATION, USER_AGENT,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde::Deserialize;
use tokio::time::sleep;

use super::error::RegistryError;
use super::pieces::{Pieces, Watcher};
use super::retry::{chance, retry_after};
use super::transport::{Broken, Origin};
use super::{Registry, Scheme};
use crate::digest::Digest;

/// How often a question is sent on to another address.
const MOST_REDIRECTS: usize = 5;

/// What a registry calls the digest of what it stores.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A question, which can be asked again.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    address: Uri,
    scope: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    watcher: Option<Watcher>,
    doing: String,
}

/// What the registry said.
#[derive(Debug)]
pub(super) struct Answer {
    /// Where it came from, after redirects.
    address: Uri,
    response: Response<Bytes>,
}

/// The body of an error: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>.
#[derive(Debug, Default, Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<Problem>,
}

#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Call {
    /// `doing` completes "the registry refuses …" and "the connection broke …".
    pub(super) fn new(method: Method, address: Uri, scope: impl Into<String>, doing: impl Into<String>) -> Self {
        Self {
            method,
            address,
            scope: scope.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            watcher: None,
            doing: doing.into(),
        }
    }

    /// With a header whose value is ours.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("media types and numbers are fit for a header");
        self.headers.push((name, value));
        self
    }

    /// Says which kinds of answer are understood.
    pub(super) fn accept(self, media_types: &str) -> Self {
        self.header(ACCEPT, media_types)
    }

    /// With a body, whose kind is its media type.
    pub(super) fn body(mut self, media_type: &str, body: Bytes) -> Self {
        self.body = body;
        self.header(CONTENT_TYPE, media_type)
    }

    /// The body is this part of something larger.
    pub(super) fn part(self, start: u64, end: u64) -> Self {
        self.header(CONTENT_RANGE, &format!("{start}-{}", end.saturating_sub(1)))
    }

    /// Says how much of the body is on its way.
    pub(super) fn watched(mut self, watcher: Watcher) -> Self {
        self.watcher = Some(watcher);
        self
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    fn is_question(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    fn request(&self, address: &Uri, authorization: Option<&HeaderValue>) -> Request<Pieces> {
        let mut request = Request::new(Pieces::new(self.body.clone(), self.watcher.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = address.clone();
        let headers = request.headers_mut();
        let host = address.authority().map_or("", |authority| authority.as_str());
        let host = host.rsplit('@').next().unwrap_or_default();
        headers.insert(
            HOST,
            HeaderValue::from_str(host).expect("a part of an address is fit for a header"),
        );
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("karma/", env!("CARGO_PKG_VERSION"))),
        );
        if !self.is_question() {
            headers.insert(CONTENT_LENGTH, self.body.len().into());
        }
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        headers.extend(self.headers.iter().cloned());
        request
    }
}

impl Registry {
    /// Asks, and asks again while that may help. What comes back is an answer that the caller has to understand: not 401, 403, 429 or 5xx.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, RegistryError> {
        let mut failures = 0;
        loop {
            let error = match self.ask_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            match self.shared.patience.wait(failures, &error, chance()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error.after(failures)),
            }
        }
    }

    /// The same, once.
    pub(super) async fn ask_once(&self, call: &Call) -> Result<Answer, RegistryError> {
        let known = self.shared.logins.known(call.scope());
        let answer = self.follow(call, known.as_ref()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.judge(call, answer);
        }
        let Some(login) = self.log_in(call, &answer, known.as_ref()).await? else {
            return Err(self.unauthorized(&answer));
        };
        let answer = self.follow(call, Some(&login)).await?;
        self.judge(call, answer)
    }

    /// Sends it, and goes where a question is sent on to; who asks is said to the registry alone.
    async fn follow(&self, call: &Call, authorization: Option<&HeaderValue>) -> Result<Answer, RegistryError> {
        let mut address = call.address.clone();
        for _ in 0..MOST_REDIRECTS {
            let authorization = authorization.filter(|_| self.is_own(&address));
            let answer = self.send(call, &address, authorization).await?;
            if !(call.is_question() && answer.status().is_redirection()) {
                return Ok(answer);
            }
            address = self.location(&answer)?;
        }
        Err(self.not_a_registry("it sends requests in circles"))
    }

    /// Sends it to this address, which may be a host beside the registry.
    pub(super) async fn send(
        &self,
        call: &Call,
        address: &Uri,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, RegistryError> {
        let request = call.request(address, authorization);
        let registry = || address.authority().map_or_else(String::new, ToString::to_string);
        match self.shared.transport.exchange(request).await {
            Ok(response) => Ok(Answer {
                address: address.clone(),
                response,
            }),
            Err(Broken::Unreachable(source)) => Err(RegistryError::Unreachable {
                registry: registry(),
                source,
            }),
            Err(source) => Err(RegistryError::BrokeOff {
                registry: registry(),
                doing: call.doing.clone(),
                attempts: 1,
                source,
            }),
        }
    }

    /// What is an error whatever was asked.
    fn judge(&self, call: &Call, answer: Answer) -> Result<Answer, RegistryError> {
        match answer.status() {
            StatusCode::UNAUTHORIZED => Err(self.unauthorized(&answer)),
            StatusCode::FORBIDDEN => Err(RegistryError::Denied {
                registry: self.shared.host.clone(),
                account: self.shared.credentials.account(),
                doing: call.doing.clone(),
                message: answer.message(),
            }),
            status if is_transient(status) => Err(RegistryError::Failing {
                registry: self.shared.host.clone(),
                status,
                message: answer.message(),
                retry_after: retry_after(answer.response.headers(), SystemTime::now()),
            }),
            _ => Ok(answer),
        }
    }

    pub(super) fn unauthorized(&self, answer: &Answer) -> RegistryError {
        RegistryError::Unauthorized {
            registry: self.shared.host.clone(),
            account: self.shared.credentials.account(),
            message: answer.message(),
        }
    }

    /// What an answer is when nothing is known to do about it.
    pub(super) fn refused(&self, call: &Call, answer: &Answer) -> RegistryError {
        RegistryError::Refused {
            registry: self.shared.host.clone(),
            doing: call.doing.clone(),
            status: answer.status(),
            message: answer.message(),
        }
    }

    /// Where an answer points to. It is an address of the web, and where the registry is spoken with over TLS, so is that.
    pub(super) fn location(&self, answer: &Answer) -> Result<Uri, RegistryError> {
        let text = answer
            .header(&LOCATION)
            .ok_or_else(|| self.not_a_registry("it does not say where to go on"))?;
        let wrong = || self.not_a_registry(format!("it points to {text:?}"));
        let location: Uri = text.parse().map_err(|_| wrong())?;
        let location = absolute(location, &answer.address).ok_or_else(wrong)?;
        let origin = Origin::of(&location).ok_or_else(wrong)?;
        if self.shared.scheme == Scheme::Https && !origin.is_encrypted() {
            return Err(self.not_a_registry(format!("it leads from https to {location}")));
        }
        Ok(location)
    }

    fn is_own(&self, address: &Uri) -> bool {
        Origin::of(address) == Origin::of(&self.address("", ""))
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    pub(super) fn headers(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        let values = self.response.headers().get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    pub(super) fn body(&self) -> &Bytes {
        self.response.body()
    }

    /// The digest of what is stored, as the registry says it.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.header(&CONTENT_DIGEST)?.parse().ok()
    }

    /// The codes of what is wrong.
    pub(super) fn has_code(&self, code: &str) -> bool {
        self.errors().iter().any(|problem| problem.code == code)
    }

    /// What is wrong, in the registry's words.
    pub(super) fn message(&self) -> Option<String> {
        let errors = self.errors();
        let problem = errors.first()?;
        let words = [problem.code.as_str(), problem.message.as_str()];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        (!words.is_empty()).then(|| words.join(": "))
    }

    fn errors(&self) -> Vec<Problem> {
        serde_json::from_slice::<Errors>(self.body()).unwrap_or_default().errors
    }
}

fn is_transient(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// A place that begins with a slash is one of the same server.
fn absolute(location: Uri, seen_from: &Uri) -> Option<Uri> {
    if location.scheme().is_some() {
        return Some(location);
    }
    let mut parts = seen_from.clone().into_parts();
    parts.path_and_query = Some(
        location
            .into_parts()
            .path_and_query
            .filter(|path| path.as_str().starts_with('/'))?,
    );
    Uri::from_parts(parts).ok()
}
