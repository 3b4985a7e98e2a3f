//! [`AwsError`]: what a service of AWS, or the way to it, says no with.

use std::error::Error;

/// Why AWS did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// These credentials may not do that.
    #[error("not permitted: {action} on {on}")]
    NotPermitted {
        /// `ecs:UpdateService`
        action: String,
        /// The resource, as AWS names it where it does.
        on: String,
        /// Whose credentials they are, where AWS says so.
        who: Option<String>,
    },
    /// They were good once.
    #[error("the AWS credentials have expired")]
    ExpiredCredentials {
        /// In whose words.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Nobody has given any, or those that were given cannot be read.
    #[error("there are no usable AWS credentials")]
    NoCredentials {
        /// What was tried.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// AWS does not know them, or the signature that they made is wrong.
    #[error("AWS does not accept the credentials: {message}")]
    RejectedCredentials {
        /// In AWS's words.
        message: String,
    },
    /// Nothing says which region is meant.
    #[error("no AWS region is given")]
    NoRegion,
    /// It was asked too often, also after waiting.
    #[error("{action} is throttled, still after several attempts")]
    Throttled {
        /// `ecs:DescribeServices`
        action: String,
    },
    /// There is no such thing.
    #[error("{action}: there is no {what}")]
    NotFound {
        /// `ecs:DescribeServices`
        action: String,
        /// What was asked for: `cluster main`.
        what: String,
    },
    /// It says no for a reason of its own.
    #[error("{action}: {message} ({code})")]
    Refused {
        /// `ecs:UpdateService`
        action: String,
        /// `InvalidParameterException`
        code: String,
        /// In AWS's words.
        message: String,
    },
    /// There is no answer, or none that can be understood.
    #[error("{action}: AWS gives no answer")]
    Unreachable {
        /// `ecs:DescribeServices`
        action: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl AwsError {
    /// Why, in the words of who found out; itself where it is the first to know.
    pub(crate) fn into_source(self) -> Box<dyn Error + Send + Sync> {
        match self {
            Self::ExpiredCredentials { source } | Self::NoCredentials { source } | Self::Unreachable { source, .. } => {
                source
            }
            other => Box::new(other),
        }
    }

    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotPermitted { action, on, who } => Some(match who {
                Some(who) => format!("allow {action} on {on} in a policy of {who}"),
                None => format!("allow {action} on {on} in a policy of who asks (see: karma doctor)"),
            }),
            Self::ExpiredCredentials { .. } => Some("log in again: aws sso login, or renew the session token".to_owned()),
            Self::NoCredentials { .. } => Some(
                "give credentials: AWS_PROFILE or --profile with `aws configure sso` and `aws sso login`; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \
                 in a pipeline AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE; after `aws login`: eval \"$(aws configure export-credentials --format env)\""
                    .to_owned(),
            ),
            Self::RejectedCredentials { .. } => {
                Some("see whose credentials these are: karma doctor (also check this machine's clock)".to_owned())
            }
            Self::NoRegion => Some("name one with --region or AWS_REGION".to_owned()),
            Self::Throttled { .. } => Some("wait a minute and try again".to_owned()),
            Self::NotFound { .. } => {
                Some("see that region and account are those of the stack: karma doctor; or deploy it: karma deploy".to_owned())
            }
            Self::Refused { .. } => None,
            Self::Unreachable { .. } => {
                Some("see that this machine reaches AWS (HTTPS_PROXY, AWS_ENDPOINT_URL) and that the region exists".to_owned())
            }
        }
    }
}
