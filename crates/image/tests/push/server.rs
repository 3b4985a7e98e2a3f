//! A registry on this machine that keeps everything in memory, and misbehaves when it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use karma_image::Digest;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How the registry is.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a way of its own, and any of them may come together"
)]
pub(crate) struct Ways {
    /// It wants to know who asks.
    pub login: Login,
    /// It takes no blob from another repository.
    pub no_mounts: bool,
    /// It does not keep the list of what is attached to an image.
    pub no_referrers: bool,
    /// Its tags never change.
    pub immutable: bool,
    /// The only repositories there are.
    pub repositories: Option<BTreeSet<String>>,
    /// After a chunk it says that only the first one has arrived, as ECR does.
    pub stale_range: bool,
    /// It does not remember how far an upload is.
    pub forgets: bool,
    /// It puts chunks where they do not belong.
    pub muddles: bool,
    /// The least it wants in one request.
    pub least_chunk: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Login {
    #[default]
    Nobody,
    /// A user's name and password, as one word.
    Basic(&'static str),
    /// Tokens, each good for so many requests, given out for a name and password.
    Token { password: &'static str, uses: usize },
}

/// What goes wrong with the next request that fits.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// How the request begins: `PUT /v2/a/manifests`.
    pub request: &'static str,
    /// How often.
    pub times: usize,
    pub what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// It is answered like this.
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// The connection is cut after so many bytes of the body, and they have arrived.
    CutAfter(usize),
    /// Everything is done, and the connection is cut instead of an answer.
    CutAnswer,
    /// Nothing more happens.
    Stall,
}

#[derive(Debug, Default)]
struct State {
    ways: Ways,
    faults: Vec<Fault>,
    log: Vec<String>,
    authorizations: Vec<Option<String>>,
    blobs: BTreeMap<String, BTreeMap<Digest, Bytes>>,
    uploads: BTreeMap<String, BytesMut>,
    manifests: BTreeMap<(String, Digest), (String, Bytes)>,
    tags: BTreeMap<(String, String), Digest>,
    tokens: BTreeMap<String, usize>,
    address: Option<SocketAddr>,
}

/// The registry. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
}

type Answer = Response<Full<Bytes>>;

impl Server {
    pub(crate) async fn start(ways: Ways) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            ways,
            address: Some(address),
            ..State::default()
        };
        let state = Arc::new(Mutex::new(state));
        let server = Self { state, address };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                let service = service_fn(move |request| {
                    let server = server.clone();
                    async move { server.answer(request).await }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        server
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn fail(&self, request: &'static str, times: usize, what: What) {
        let fault = Fault { request, times, what };
        self.state.lock().unwrap().faults.push(fault);
    }

    /// The requests since it was asked last, without what stands after `?`.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    /// What was said in `Authorization`, request by request.
    pub(crate) fn authorizations(&self) -> Vec<Option<String>> {
        self.state.lock().unwrap().authorizations.clone()
    }

    pub(crate) fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        self.state.lock().unwrap().blobs.get(repository)?.get(digest).cloned()
    }

    pub(crate) fn tag(&self, repository: &str, tag: &str) -> Option<Digest> {
        self.state
            .lock()
            .unwrap()
            .tags
            .get(&(repository.to_owned(), tag.to_owned()))
            .copied()
    }

    pub(crate) fn manifest(&self, repository: &str, digest: Digest) -> Option<Value> {
        let state = self.state.lock().unwrap();
        let (_, bytes) = state.manifests.get(&(repository.to_owned(), digest))?;
        serde_json::from_slice(bytes).ok()
    }

    /// How many manifests and tags there are.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.manifests.is_empty() && state.tags.is_empty()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, &'static str> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let fault = self.note(&line, &request);
        let (head, mut body) = request.into_parts();
        match fault {
            Some(What::Stall) => std::future::pending().await,
            Some(What::CutAfter(count)) => {
                let part = read(&mut body, count).await;
                self.state.lock().unwrap().append(head.uri.path(), &part);
                return Err("cut");
            }
            Some(What::Answer(status, headers, text)) => {
                read(&mut body, usize::MAX).await;
                let mut answer = Response::builder().status(status);
                for (name, value) in headers {
                    answer = answer.header(name, value);
                }
                return Ok(answer.body(text.into()).unwrap());
            }
            Some(What::CutAnswer) | None => {}
        }
        let bytes = read(&mut body, usize::MAX).await;
        let answer = self.state.lock().unwrap().answer(&head, &bytes);
        match fault {
            Some(_) => Err("cut"),
            None => Ok(answer),
        }
    }

    fn note(&self, line: &str, request: &Request<Incoming>) -> Option<What> {
        let mut state = self.state.lock().unwrap();
        state.log.push(line.to_owned());
        let said = request.headers().get(AUTHORIZATION);
        state
            .authorizations
            .push(said.map(|said| said.to_str().unwrap().to_owned()));
        let fault = state
            .faults
            .iter_mut()
            .find(|fault| fault.times > 0 && line.starts_with(fault.request))?;
        fault.times -= 1;
        Some(fault.what.clone())
    }
}

async fn read(body: &mut Incoming, most: usize) -> Bytes {
    let mut bytes = BytesMut::new();
    while bytes.len() < most {
        match body.frame().await {
            Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().unwrap()),
            _ => break,
        }
    }
    bytes.truncate(most);
    bytes.freeze()
}

impl State {
    fn answer(&mut self, head: &http::request::Parts, body: &Bytes) -> Answer {
        let path = head.uri.path().to_owned();
        let query: BTreeMap<String, String> = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        if path == "/token" {
            return self.token(head);
        }
        if let Some(challenge) = self.challenge(head) {
            return challenge;
        }
        let rest = path.strip_prefix("/v2/").unwrap_or_default();
        let (repository, kind, name) = split(rest);
        if self
            .ways
            .repositories
            .as_ref()
            .is_some_and(|known| !known.contains(&repository))
        {
            return problem(404, "NAME_UNKNOWN", "no such repository");
        }
        match (head.method.clone(), kind.as_str()) {
            (Method::HEAD, "blobs") => self.has_blob(&repository, &name),
            (Method::POST, "blobs/uploads") => self.begin(&repository, &query),
            (Method::PATCH, "blobs/uploads") => self.patch(&path, head, body),
            (Method::PUT, "blobs/uploads") => self.close(&repository, &path, head, body, &query),
            (Method::GET, "blobs/uploads") => self.how_far(&path),
            (Method::PUT, "manifests") => self.put(&repository, &name, head, body),
            (Method::GET | Method::HEAD, "manifests") => self.get(&repository, &name),
            (Method::GET, "referrers") if !self.ways.no_referrers => self.referrers(&repository, &name),
            _ => problem(404, "UNSUPPORTED", "not here"),
        }
    }

    fn append(&mut self, path: &str, part: &[u8]) {
        if let Some(upload) = self.uploads.get_mut(path) {
            upload.extend_from_slice(part);
        }
    }

    fn challenge(&mut self, head: &http::request::Parts) -> Option<Answer> {
        let said = head.headers.get(AUTHORIZATION).map(|said| said.to_str().unwrap());
        let address = self.address.unwrap();
        match self.ways.login {
            Login::Nobody => None,
            Login::Basic(expected) => (said != Some(expected)).then(|| unauthorized("Basic realm=\"here\"")),
            Login::Token { .. } => {
                let token = said.and_then(|said| said.strip_prefix("Bearer ")).unwrap_or_default();
                match self.tokens.get_mut(token).filter(|uses| **uses > 0) {
                    Some(uses) => {
                        *uses -= 1;
                        None
                    }
                    None => Some(unauthorized(&format!(
                        "Bearer realm=\"http://{address}/token\",service=\"here\""
                    ))),
                }
            }
        }
    }

    fn token(&mut self, head: &http::request::Parts) -> Answer {
        let Login::Token { password, uses } = self.ways.login else {
            return problem(404, "UNSUPPORTED", "");
        };
        let said = head.headers.get(AUTHORIZATION).map(|said| said.to_str().unwrap());
        if said != Some(password) {
            return problem(401, "UNAUTHORIZED", "wrong password");
        }
        let token = format!("token-{}", self.tokens.len());
        self.tokens.insert(token.clone(), uses);
        Response::new(json!({ "token": token }).to_string().into())
    }

    fn has_blob(&self, repository: &str, name: &str) -> Answer {
        let digest: Digest = name.parse().unwrap();
        let has = self
            .blobs
            .get(repository)
            .is_some_and(|blobs| blobs.contains_key(&digest));
        status(if has { 200 } else { 404 })
    }

    fn begin(&mut self, repository: &str, query: &BTreeMap<String, String>) -> Answer {
        if let (Some(digest), Some(from), false) = (query.get("mount"), query.get("from"), self.ways.no_mounts) {
            let digest: Digest = digest.parse().unwrap();
            if let Some(blob) = self.blobs.get(from).and_then(|blobs| blobs.get(&digest)).cloned() {
                self.blobs
                    .entry(repository.to_owned())
                    .or_default()
                    .insert(digest, blob);
                return status(201);
            }
        }
        let path = format!("/v2/{repository}/blobs/uploads/{}", self.log.len());
        self.uploads.insert(path.clone(), BytesMut::new());
        let mut answer = Response::builder()
            .status(202)
            .header(LOCATION, format!("{path}?state=x"));
        if let Some(least) = self.ways.least_chunk {
            answer = answer.header("OCI-Chunk-Min-Length", least);
        }
        answer.body(Full::default()).unwrap()
    }

    /// What is wrong with a chunk, if it is not the one that is waited for.
    fn take(&mut self, path: &str, head: &http::request::Parts, body: &Bytes) -> Option<Answer> {
        let muddles = self.ways.muddles;
        let Some(upload) = self.uploads.get_mut(path) else {
            return Some(problem(404, "BLOB_UPLOAD_UNKNOWN", ""));
        };
        let range = head
            .headers
            .get(CONTENT_RANGE)
            .map(|range| range.to_str().unwrap().to_owned());
        if let Some((start, end)) = range.as_deref().and_then(|range| range.split_once('-')) {
            let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
            if start != upload.len() || end + 1 - start != body.len() {
                return Some(problem(416, "RANGE_INVALID", ""));
            }
            if muddles {
                upload.clear();
                upload.resize(start, 0);
            }
        }
        upload.extend_from_slice(body);
        None
    }

    fn patch(&mut self, path: &str, head: &http::request::Parts, body: &Bytes) -> Answer {
        if let Some(answer) = self.take(path, head, body) {
            return answer;
        }
        let arrived = if self.ways.stale_range {
            body.len()
        } else {
            self.uploads[path].len()
        };
        let range = format!("0-{}", arrived.saturating_sub(1));
        let answer = Response::builder()
            .status(202)
            .header(LOCATION, path)
            .header(RANGE, range);
        answer.body(Full::default()).unwrap()
    }

    fn how_far(&self, path: &str) -> Answer {
        let Some(upload) = self.uploads.get(path).filter(|_| !self.ways.forgets) else {
            return problem(404, "BLOB_UPLOAD_UNKNOWN", "");
        };
        let range = format!("0-{}", upload.len().saturating_sub(1));
        let answer = Response::builder()
            .status(204)
            .header(LOCATION, path)
            .header(RANGE, range);
        answer.body(Full::default()).unwrap()
    }

    fn close(
        &mut self,
        repository: &str,
        path: &str,
        head: &http::request::Parts,
        body: &Bytes,
        query: &BTreeMap<String, String>,
    ) -> Answer {
        if let Some(answer) = self.take(path, head, body) {
            return answer;
        }
        let bytes = self.uploads.remove(path).unwrap().freeze();
        let digest: Digest = query["digest"].parse().unwrap();
        if Digest::of(&bytes) != digest {
            return problem(400, "DIGEST_INVALID", "the digest is another");
        }
        self.blobs
            .entry(repository.to_owned())
            .or_default()
            .insert(digest, bytes);
        status(201)
    }

    fn put(&mut self, repository: &str, name: &str, head: &http::request::Parts, body: &Bytes) -> Answer {
        let manifest: Value = serde_json::from_slice(body).unwrap();
        let named = std::iter::once(&manifest["config"]).chain(manifest["layers"].as_array().into_iter().flatten());
        for descriptor in named.filter(|descriptor| descriptor.is_object()) {
            let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
            if !self
                .blobs
                .get(repository)
                .is_some_and(|blobs| blobs.contains_key(&digest))
            {
                return problem(400, "MANIFEST_BLOB_UNKNOWN", "a blob is missing");
            }
        }
        let digest = Digest::of(body);
        if name.parse() != Ok(digest) {
            let tag = (repository.to_owned(), name.to_owned());
            if self.ways.immutable && self.tags.contains_key(&tag) {
                return problem(
                    400,
                    "TAG_INVALID",
                    "it cannot be overwritten because the tag is immutable.",
                );
            }
            self.tags.insert(tag, digest);
        }
        let media_type = head.headers[CONTENT_TYPE].to_str().unwrap().to_owned();
        self.manifests
            .insert((repository.to_owned(), digest), (media_type, body.clone()));
        let mut answer = Response::builder()
            .status(201)
            .header("Docker-Content-Digest", digest.to_string());
        if let (Some(subject), false) = (manifest["subject"]["digest"].as_str(), self.ways.no_referrers) {
            answer = answer.header("OCI-Subject", subject);
        }
        answer.body(Full::default()).unwrap()
    }

    fn get(&self, repository: &str, name: &str) -> Answer {
        let tagged = self.tags.get(&(repository.to_owned(), name.to_owned())).copied();
        let stored = tagged.or_else(|| name.parse().ok()).and_then(|digest| {
            let (media_type, bytes) = self.manifests.get(&(repository.to_owned(), digest))?;
            Some((digest, media_type, bytes))
        });
        let Some((digest, media_type, bytes)) = stored else {
            return problem(404, "MANIFEST_UNKNOWN", "");
        };
        Response::builder()
            .header("Docker-Content-Digest", digest.to_string())
            .header(CONTENT_TYPE, media_type)
            .body(Full::new(bytes.clone()))
            .unwrap()
    }

    fn referrers(&self, repository: &str, subject: &str) -> Answer {
        let those = self.manifests.iter().filter(|((of, _), (_, bytes))| {
            let manifest: Value = serde_json::from_slice(bytes).unwrap();
            of == repository && manifest["subject"]["digest"] == subject
        });
        let manifests: Vec<_> = those
            .map(|((_, digest), (media_type, bytes))| {
                json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        Response::new(index.to_string().into())
    }
}

/// `a/b/blobs/uploads/1` as repository, kind and name.
fn split(rest: &str) -> (String, String, String) {
    for kind in ["blobs/uploads", "blobs", "manifests", "referrers"] {
        if let Some((repository, name)) = rest.split_once(&format!("/{kind}/")) {
            return (repository.to_owned(), kind.to_owned(), name.to_owned());
        }
    }
    (rest.to_owned(), String::new(), String::new())
}

fn status(status: u16) -> Answer {
    Response::builder().status(status).body(Full::default()).unwrap()
}

fn problem(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    Response::builder()
        .status(status)
        .body(body.to_string().into())
        .unwrap()
}

fn unauthorized(challenge: &str) -> Answer {
    let mut answer = problem(StatusCode::UNAUTHORIZED.as_u16(), "UNAUTHORIZED", "who is there?");
    answer
        .headers_mut()
        .insert("www-authenticate", challenge.parse().unwrap());
    answer
}
