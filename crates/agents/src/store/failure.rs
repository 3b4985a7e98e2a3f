//! Why a bucket or directory did not do what it was asked, in words that anybody may read.
//!
//! S3 repeats in its answers what it was told, a session's token among it, and its client adds where it asked. So none of their texts goes on,
//! only what is one of few: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.

use std::error::Error;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// S3 said no.
    #[error("it refuses with {status}{}", in_brackets(.code.as_deref()))]
    Refused {
        /// HTTP's status.
        status: u16,
        /// S3's own word for the reason.
        code: Option<String>,
    },
    /// The role's credentials are not to be had, so nobody was asked.
    #[error("the credentials of the task's role cannot be had")]
    Credentials,
    /// It took too long.
    #[error("it does not answer in time")]
    Slow,
    /// Nobody listens, or the connection broke.
    #[error("it cannot be reached")]
    Unreachable,
    /// The file system said no.
    #[error("{0}")]
    Directory(io::ErrorKind),
    /// Anything else.
    #[error("it did not do what it was asked")]
    Other,
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Failure {
        let text = error.to_string();
        if text.contains(CREDENTIALS) {
            return Failure::Credentials;
        }
        let refused = || {
            Some(Failure::Refused {
                status: status(&text)?,
                code: code(&text).map(str::to_owned),
            })
        };
        refused().or_else(|| cause(&error)).unwrap_or(Failure::Other)
    }
}

/// Whether there is no such object, and not no such bucket.
pub(super) fn is_no_object(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. }) && code(&error.to_string()) != Some("NoSuchBucket")
}

/// Where a task asks for its role's credentials; of a virtual machine the same network.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
const CREDENTIALS: &str = "http://169.254.";

/// Of an answer, as the client tells it.
fn status(text: &str) -> Option<u16> {
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

/// S3's words are made of letters and digits.
fn code(text: &str) -> Option<&str> {
    let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_word = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(code)
}

fn cause(error: &object_store::Error) -> Option<Failure> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return Some(match error.kind() {
                HttpErrorKind::Timeout => Failure::Slow,
                _ => Failure::Unreachable,
            });
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(Failure::Directory(error.kind()));
        }
        cause = error.source();
    }
    None
}

fn in_brackets(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" ({code})"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let error = object_store::Error::Generic {
            store: "S3",
            source: text.into(),
        };
        assert_eq!(Failure::from(error).to_string(), expected, "{text}");
    }

    #[test]
    fn nothing_but_the_status_and_the_word_is_told() {
        let refusal = "Error performing PUT http://127.0.0.1/bucket/key in 1ms - Server returned non-2xx status code: 403 Forbidden: \
                       <Error><Code>ExpiredToken</Code><Token-0>secret</Token-0></Error>";
        check(refusal, "it refuses with 403 (ExpiredToken)");
        check("status code: 503 Slow Down: ", "it refuses with 503");
        check("status code: 400: <Code>my secret</Code>", "it refuses with 400");
        check(
            "Error performing GET http://169.254.170.2/v2/x in 1s - connection refused",
            "the credentials of the task's role cannot be had",
        );
        check("whatever it says", "it did not do what it was asked");
    }

    #[test]
    fn a_missing_bucket_is_no_missing_object() {
        let missing = |text: &str| object_store::Error::NotFound {
            path: "key".to_owned(),
            source: text.into(),
        };
        assert!(is_no_object(&missing("status code: 404: <Code>NoSuchKey</Code>")));
        assert!(is_no_object(&missing("no such file")));
        assert!(!is_no_object(&missing("status code: 404: <Code>NoSuchBucket</Code>")));
    }

    #[test]
    fn a_directory_says_what_the_system_says() {
        let error = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(io::Error::from(io::ErrorKind::StorageFull)),
        };
        assert_eq!(Failure::from(error).to_string(), "no storage space");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", status in "status code: .{0,5}") {
            for source in [text, status] {
                let _ = Failure::from(object_store::Error::Generic { store: "S3", source: source.into() });
            }
        }
    }
}
