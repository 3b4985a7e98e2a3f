//! One blob on its way into one repository: in chunks, and from where it was when a connection broke.
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks>

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, RANGE};
use http::{Method, StatusCode, Uri};
use tokio::time::sleep;

use super::Registry;
use super::call::{Answer, Call};
use super::error::RegistryError;
use super::manifests::{pull, push};
use super::pieces::Watcher;
use super::retry::chance;
use crate::digest::Digest;

const OCTETS: &str = "application/octet-stream";

/// The least that a registry wants in one request.
const LEAST_CHUNK: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// A file that is to be in a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) file: PathBuf,
}

/// What a registry says when it is asked to take a blob from another repository.
#[derive(Debug)]
pub(super) enum Mounted {
    /// It has.
    Yes,
    /// It has not, and has begun an upload instead.
    Begin(Option<Session>),
}

/// How far an upload is.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Where the next chunk goes.
    location: Uri,
    /// How much has arrived.
    offset: u64,
    /// How much goes into one request.
    chunk: u64,
}

/// Why an upload does not go on as it is.
enum Stop {
    /// The registry has forgotten it: it can begin again.
    Forgotten(RegistryError),
    /// What has arrived is not what was sent: it can begin again, in one piece.
    Muddled(RegistryError),
    /// It is of no use.
    Useless(RegistryError),
}

/// What became of a chunk.
enum Sent {
    /// It was the last one, and the blob is there.
    Last,
    /// The next one goes there.
    Chunk(Uri),
    /// It did not arrive, or not as a whole.
    Broke(RegistryError),
    /// It was not the one that the registry waits for.
    Misplaced(RegistryError),
}

struct Upload<'a> {
    registry: &'a Registry,
    repository: &'a str,
    blob: &'a Blob,
    watcher: &'a Watcher,
}

impl Registry {
    /// Whether a repository has a blob.
    pub(super) async fn blob_exists(&self, repository: &str, digest: &Digest) -> Result<bool, RegistryError> {
        let address = self.address(repository, &format!("blobs/{digest}"));
        let call = Call::new(
            Method::HEAD,
            address,
            push(repository),
            format!("asking {repository} for {digest}"),
        );
        // A registry that does not want to say it is sent the blob.
        Ok(self.ask(&call).await?.status() == StatusCode::OK)
    }

    /// Asks for a blob that another repository of the registry has.
    /// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#mounting-a-blob-from-another-repository>
    pub(super) async fn mount(&self, repository: &str, digest: &Digest, from: &str) -> Result<Mounted, RegistryError> {
        let address = self.address(repository, &format!("blobs/uploads/?mount={digest}&from={from}"));
        let scope = format!("{} {}", push(repository), pull(from));
        let call = Call::new(Method::POST, address, scope, format!("mounting {digest} from {from}"));
        match self.ask(&call).await {
            Ok(answer) if answer.status() == StatusCode::CREATED => Ok(Mounted::Yes),
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => Ok(Mounted::Begin(Some(self.session(&answer)?))),
            Err(error) if error.is_transient() => Err(error),
            // Whether it may be uploaded, the upload will show.
            Ok(_) | Err(_) => Ok(Mounted::Begin(None)),
        }
    }

    /// Uploads a blob into a repository. `watcher` is told how many of its bytes are on their way.
    pub(super) async fn upload(
        &self,
        repository: &str,
        blob: &Blob,
        begun: Option<Session>,
        watcher: &Watcher,
    ) -> Result<(), RegistryError> {
        let upload = Upload {
            registry: self,
            repository,
            blob,
            watcher,
        };
        upload.run(begun).await
    }

    fn session(&self, answer: &Answer) -> Result<Session, RegistryError> {
        let least = answer
            .header(&LEAST_CHUNK)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        Ok(Session {
            location: self.location(answer)?,
            offset: 0,
            chunk: self.shared.chunk.max(least),
        })
    }
}

impl Upload<'_> {
    async fn run(&self, mut begun: Option<Session>) -> Result<(), RegistryError> {
        let mut whole = false;
        for attempt in 1.. {
            let mut session = match begun.take() {
                Some(session) => session,
                None => self.begin().await?,
            };
            if whole {
                session.chunk = u64::MAX;
            }
            let in_chunks = session.chunk < self.blob.size;
            let error = match self.go_on(session).await {
                Ok(()) => return Ok(()),
                Err(Stop::Useless(error)) => return Err(error),
                Err(Stop::Muddled(error)) if !in_chunks => return Err(error),
                Err(Stop::Muddled(error)) => {
                    whole = true;
                    error
                }
                Err(Stop::Forgotten(error)) => error,
            };
            // It may be that only the last answer was lost.
            if self.registry.blob_exists(self.repository, &self.blob.digest).await? {
                return Ok(());
            }
            if attempt >= self.registry.shared.patience.attempts {
                return Err(error);
            }
        }
        unreachable!("the attempts end before the numbers do")
    }

    async fn begin(&self) -> Result<Session, RegistryError> {
        let call = self.call(Method::POST, self.registry.address(self.repository, "blobs/uploads/"));
        let answer = self.registry.ask(&call).await?;
        match answer.status() {
            StatusCode::ACCEPTED => self.registry.session(&answer),
            StatusCode::NOT_FOUND => Err(self.registry.no_repository(self.repository)),
            _ => Err(self.registry.refused(&call, &answer)),
        }
    }

    /// Sends one chunk after the other. What broke goes on from where it is; what does not get on for long ends.
    async fn go_on(&self, mut session: Session) -> Result<(), Stop> {
        let (mut failures, mut misplaced) = (0, 0);
        loop {
            let error = match self.send_next(&session).await? {
                Sent::Last => return Ok(()),
                Sent::Chunk(location) => {
                    // Not what the answer's `Range` says: ECR's lags behind what has arrived.
                    // https://github.com/aws/containers-roadmap/issues/2831
                    session.offset = self.end(&session);
                    session.location = location;
                    failures = 0;
                    continue;
                }
                Sent::Misplaced(error) if misplaced > 0 => return Err(Stop::Muddled(error)),
                Sent::Misplaced(error) => {
                    misplaced += 1;
                    error
                }
                Sent::Broke(error) => {
                    failures += 1;
                    match self.registry.shared.patience.wait(failures, &error, chance()) {
                        Some(wait) => sleep(wait).await,
                        None => return Err(Stop::Useless(error.after(failures))),
                    }
                    error
                }
            };
            let before = session.offset;
            session = self.ask_how_far(session, error).await?;
            if session.offset > before {
                failures = 0;
            }
        }
    }

    /// Sends the next chunk; the last one closes the upload.
    async fn send_next(&self, session: &Session) -> Result<Sent, Stop> {
        let end = self.end(session);
        let is_last = end == self.blob.size;
        let call = self.chunk_call(session, end, is_last).await.map_err(Stop::Useless)?;
        let answer = match self.registry.ask_once(&call).await {
            Ok(answer) => answer,
            Err(error) if error.is_transient() => return Ok(Sent::Broke(error)),
            Err(error) => return Err(Stop::Useless(error)),
        };
        let status = answer.status();
        if is_last && status.is_success() {
            return Ok(Sent::Last);
        }
        if status.is_success() {
            let location = self.registry.location(&answer).map_err(Stop::Useless)?;
            return Ok(Sent::Chunk(location));
        }
        let error = self.registry.refused(&call, &answer);
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            Ok(Sent::Misplaced(error))
        } else if answer.has_code("DIGEST_INVALID") {
            Err(Stop::Muddled(self.another()))
        } else if status == StatusCode::NOT_FOUND || answer.has_code("BLOB_UPLOAD_INVALID") {
            Err(Stop::Forgotten(error))
        } else {
            Err(Stop::Useless(error))
        }
    }

    async fn chunk_call(&self, session: &Session, end: u64, is_last: bool) -> Result<Call, RegistryError> {
        let body = self.read(session.offset, end).await?;
        let call = if is_last {
            self.call(Method::PUT, with_digest(&session.location, &self.blob.digest))
        } else {
            self.call(Method::PATCH, session.location.clone())
        };
        let is_whole = body.len() as u64 == self.blob.size;
        let call = if is_whole || body.is_empty() {
            call
        } else {
            call.part(session.offset, end)
        };
        let (offset, watcher) = (session.offset, Arc::clone(self.watcher));
        Ok(call
            .body(OCTETS, body)
            .watched(Arc::new(move |sent| watcher(offset + sent))))
    }

    /// What has arrived so far, as the registry says it.
    async fn ask_how_far(&self, session: Session, why: RegistryError) -> Result<Session, Stop> {
        let call = self.call(Method::GET, session.location.clone());
        let answer = self.registry.ask(&call).await.map_err(Stop::Useless)?;
        let offset = answer
            .header(&RANGE)
            .and_then(arrived)
            .filter(|offset| *offset <= self.blob.size);
        match offset.filter(|_| answer.status().is_success()) {
            Some(offset) => Ok(Session {
                location: self.registry.location(&answer).unwrap_or(session.location),
                offset,
                chunk: session.chunk,
            }),
            None => Err(Stop::Forgotten(why)),
        }
    }

    fn call(&self, method: Method, address: Uri) -> Call {
        let doing = format!("uploading {} to {}", self.blob.digest, self.repository);
        Call::new(method, address, push(self.repository), doing)
    }

    fn end(&self, session: &Session) -> u64 {
        session.offset.saturating_add(session.chunk).min(self.blob.size)
    }

    fn another(&self) -> RegistryError {
        let what = format!("the blob {} of {}", self.blob.digest, self.repository);
        self.registry.another(what, self.blob.digest, None)
    }

    async fn read(&self, start: u64, end: u64) -> Result<Bytes, RegistryError> {
        let file = self.blob.file.clone();
        let read = tokio::task::spawn_blocking(move || read_part(&file, start, end)).await;
        let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        read.map_err(|source| RegistryError::Blob {
            digest: self.blob.digest,
            source,
        })
    }
}

fn read_part(file: &Path, start: u64, end: u64) -> io::Result<Bytes> {
    let length = usize::try_from(end - start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    File::open(file)?.read_exact_at(&mut bytes, start)?;
    Ok(bytes.into())
}

/// How many bytes have arrived when a registry says `0-99`. With `0-0` it has one byte or none; none is assumed.
fn arrived(range: &str) -> Option<u64> {
    let (start, end) = range.trim_start_matches("bytes=").split_once('-')?;
    let end: u64 = end.parse().ok()?;
    match (start, end) {
        ("0", 0) => Some(0),
        ("0", end) => end.checked_add(1),
        _ => None,
    }
}

fn with_digest(location: &Uri, digest: &Digest) -> Uri {
    let separator = if location.query().is_some() { '&' } else { '?' };
    let text = format!("{location}{separator}digest={digest}");
    text.parse().expect("a digest has nothing that an address has not")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_arrived_is_read_from_its_range() {
        for (range, expected) in [
            ("0-99", Some(100)),
            ("bytes=0-99", Some(100)),
            ("0-0", Some(0)),
            ("5-99", None),
            ("0-", None),
            ("99", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(arrived(range), expected, "{range}");
        }
    }

    #[test]
    fn a_digest_comes_after_what_the_registry_wants_to_have_back() {
        let digest = Digest::of(b"");
        let check = |location: &str, expected: &str| {
            let closing = with_digest(&location.parse().unwrap(), &digest).to_string();
            assert_eq!(closing, format!("{expected}digest={digest}"));
        };
        check(
            "https://r.example/v2/a/blobs/uploads/1",
            "https://r.example/v2/a/blobs/uploads/1?",
        );
        check("https://r.example/u?_state=x%3D", "https://r.example/u?_state=x%3D&");
    }

    proptest! {
        #[test]
        fn any_range_is_read_or_refused(range in "[0-9=a-z-]{0,24}") {
            let _ = arrived(&range);
        }
    }
}
