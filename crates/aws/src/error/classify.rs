//! From what the SDK says went wrong to an [`AwsError`].
//!
//! Every service has codes of its own for the same few things; the tables here have them as the services' API references list them under
//! "Common Errors" and "Errors", such as
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html>.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::error::AwsError;

const NOT_PERMITTED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "NotAuthorized",
    "UnauthorizedOperation",
];

const EXPIRED: &[&str] = &["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"];

const REJECTED: &[&str] = &[
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotSignedUp",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const NOT_FOUND: &[&str] = &[
    "ClusterNotFoundException",
    "ImageNotFoundException",
    "ListenerNotFound",
    "LoadBalancerNotFound",
    "ObjectNotFoundException",
    "RepositoryNotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ServiceNotActiveException",
    "ServiceNotFoundException",
    "TargetGroupNotFound",
    "TaskSetNotFoundException",
];

/// A call of AWS: what is done, and to what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// `ecs:UpdateService`
    pub(crate) action: &'a str,
    /// `service main/hello`
    pub(crate) on: &'a str,
}

impl<'a> Call<'a> {
    pub(crate) fn new(action: &'a str, on: &'a str) -> Self {
        Self { action, on }
    }

    /// What it means that this call has failed so.
    pub(crate) fn failed<E>(self, error: SdkError<E, Response>) -> AwsError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let known = match &error {
            SdkError::ServiceError(said) => said
                .err()
                .code()
                .map(|code| self.refused(code, said.err().message().unwrap_or_default())),
            _ => None,
        };
        known.unwrap_or_else(|| self.unanswered(error))
    }

    /// What a code and a message of AWS mean.
    fn refused(self, code: &str, message: &str) -> AwsError {
        let action = self.action.to_owned();
        let is = |codes: &[&str]| codes.contains(&code);
        if is(NOT_PERMITTED) {
            self.not_permitted(message)
        } else if is(EXPIRED) || (is(REJECTED) && message.contains("expired")) {
            let source = Said::boxed(code, message);
            AwsError::ExpiredCredentials { source }
        } else if is(REJECTED) {
            let message = or_code(message, code);
            AwsError::RejectedCredentials { message }
        } else if is(THROTTLED) {
            AwsError::Throttled { action }
        } else if is(NOT_FOUND) {
            let what = self.on.to_owned();
            AwsError::NotFound { action, what }
        } else {
            AwsError::Refused {
                action,
                code: code.to_owned(),
                message: or_code(message, code),
            }
        }
    }

    /// AWS says who may not do what, in a sentence; the action may be another than that of the call (`iam:PassRole`).
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
    fn not_permitted(self, message: &str) -> AwsError {
        let after = |words: &str| {
            let (_, rest) = message.split_once(words)?;
            rest.split_whitespace().next().map(str::to_owned)
        };
        AwsError::NotPermitted {
            action: after("to perform: ").unwrap_or_else(|| self.action.to_owned()),
            on: after("on resource: ").unwrap_or_else(|| self.on.to_owned()),
            who: after("User: "),
        }
    }

    /// There was no answer: for want of credentials, or of a connection.
    fn unanswered(self, error: impl Error + Send + Sync + 'static) -> AwsError {
        match credentials_error(&error) {
            Some(text) if text.to_ascii_lowercase().contains("expired") => AwsError::ExpiredCredentials {
                source: Box::new(Said(text)),
            },
            Some(text) => AwsError::NoCredentials {
                source: Box::new(Said(text)),
            },
            None => AwsError::Unreachable {
                action: self.action.to_owned(),
                source: Box::new(Said(chain(&error))),
            },
        }
    }
}

/// What the providers of credentials say, where it is they that failed.
fn credentials_error(error: &(dyn Error + 'static)) -> Option<String> {
    let mut causes = std::iter::successors(Some(error), |&cause| cause.source());
    let failed = causes.find(|cause| cause.is::<CredentialsError>()).map(chain)?;
    // What each provider of the chain says follows, a line each; that none has any is enough.
    Some(
        failed
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end_matches(" Attempted:")
            .to_owned(),
    )
}

/// The sentences of an error and its causes. The SDK's own say little one by one, and some say the same twice.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |&cause| cause.source()) {
        let sentence = cause.to_string();
        if !said.iter().any(|earlier| earlier.contains(&sentence)) {
            said.push(sentence);
        }
    }
    said.join(": ")
}

fn or_code(message: &str, code: &str) -> String {
    let text = if message.is_empty() { code } else { message };
    text.trim_end_matches('.').to_owned()
}

/// Somebody else's words.
#[derive(Debug)]
struct Said(String);

impl Said {
    fn boxed(code: &str, message: &str) -> Box<dyn Error + Send + Sync> {
        Box::new(Self(or_code(message, code)))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Said {}

#[cfg(test)]
mod tests;
