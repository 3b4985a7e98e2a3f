//! Opening the bucket, the directory or the memory that a store is in.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, RetryConfig};
use thiserror::Error;

use super::connector::Connector;
use super::{Place, StoreUrl};

/// How long S3 is asked again before a request is given up.
const S3_PATIENCE: Duration = Duration::from_secs(10);
const S3_RETRIES: usize = 4;

/// The store of `STORE_URL` cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory cannot be made.
    #[error("STORE_URL: could not make the directory {}: {reason}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// The client for S3, or for the directory, refuses its settings.
    #[error("STORE_URL: {0}")]
    Settings(#[from] object_store::Error),
}

/// The objects, and the path that stands before every key of ours.
pub(super) fn open(url: Option<&StoreUrl>) -> Result<(Arc<dyn ObjectStore>, Path, Place), OpenError> {
    match url {
        None => Ok((Arc::new(InMemory::new()), Path::default(), Place::Memory)),
        Some(StoreUrl::Directory(path)) => {
            std::fs::create_dir_all(path).map_err(|reason| OpenError::Directory {
                path: path.clone(),
                reason,
            })?;
            // What was acknowledged must survive more than this process.
            let directory = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
            Ok((Arc::new(directory), Path::default(), Place::Directory))
        }
        Some(StoreUrl::Bucket { bucket, prefix }) => {
            let s3 = s3(bucket)?;
            Ok((s3, Path::from(prefix.as_str()), Place::Bucket))
        }
    }
}

/// Region, endpoint and credentials come from where the AWS SDKs take them; on Fargate that is the task's role:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>.
fn s3(bucket: &str) -> Result<Arc<dyn ObjectStore>, OpenError> {
    let builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_http_connector(Connector)
        // Everything rests on it, so the environment has no say.
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_retry(RetryConfig {
            max_retries: S3_RETRIES,
            retry_timeout: S3_PATIENCE,
            ..RetryConfig::default()
        });
    // Only an endpoint that somebody has set may be plain HTTP: a server on this machine.
    let is_own_endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint).is_some();
    Ok(Arc::new(builder.with_allow_http(is_own_endpoint).build()?))
}
