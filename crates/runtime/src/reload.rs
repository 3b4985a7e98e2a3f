//! [`Reload`]: how a running fleet reads its definition anew when another process asks it to.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use karma_fleet::Fleet;
use serde_json::Value;

use crate::error::StartError;
use crate::program::Programs;
use crate::secrets::LocalSecrets;

/// All that a fleet needs to run here.
#[derive(Debug, Clone)]
pub struct NewDefinition {
    /// What is wanted.
    pub fleet: Fleet,
    /// What its images stand for.
    pub programs: Programs,
    /// The values of its secrets.
    pub secrets: LocalSecrets,
}

/// Why a definition is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong with it.
    pub reason: String,
    /// What the user can do, one line.
    pub hint: Option<String>,
}

/// Reads the definition anew, with what the other process was given on its command line. What that is, only the two ends know.
#[derive(Clone)]
pub struct Reload(Arc<Read>);

type Read = dyn Fn(Value) -> Result<NewDefinition, Refusal> + Send + Sync;

impl Reload {
    /// It is called on a thread that may wait.
    pub fn new(read: impl Fn(Value) -> Result<NewDefinition, Refusal> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) async fn read(&self, given: Value) -> Result<NewDefinition, Refusal> {
        let read = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || read(given));
        reading.await.unwrap_or_else(|_| {
            Err(Refusal {
                reason: "the definition could not be read".to_owned(),
                hint: None,
            })
        })
    }
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reload(..)")
    }
}

impl From<StartError> for Refusal {
    fn from(error: StartError) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            reason = format!("{reason}: {error}");
            cause = error.source();
        }
        Self {
            reason,
            hint: error.hint(),
        }
    }
}
