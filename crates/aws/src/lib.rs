//! What is asked of AWS itself: a fleet that runs on ECS, and, without an account, the files that AWS publishes for everybody, such as
//! [its price lists](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-bulk-api-fetching-price-list-files-manually.html).
//!
//! A [`Session`] is who asks, and where; everything else is asked through it. No type of the SDK leaves this crate, no secret its errors.

mod connection;
mod error;
mod http_client;
mod resolve;
#[cfg(test)]
mod testing;

// Who asks.
mod session;

// What runs.
mod orchestrator;

// Commands in tasks.
mod exec;

// What a deploy needs and leaves.
mod history;
mod log_groups;
mod password;
mod registry;
mod secrets;
mod times;

// Without credentials.
mod download;
mod probe;

pub use error::{AwsError, ConnectError, DownloadError};
pub use resolve::{NotResolve, Resolve};

pub use session::{Identity, Session, SessionOptions};

pub use orchestrator::EcsOrchestrator;

pub use exec::{Conversation, ExecError, ExecuteCommand, Printed, Typed, command_line};

pub use history::{Revision, RevisionStatus};
pub use log_groups::LogGroup;
pub use password::Password;
pub use registry::{Image, RegistryLogin, Repository, TagMutability};
pub use secrets::{SecretChange, SecretError, StoredSecret, ValueShape};

pub use download::{Download, download};
