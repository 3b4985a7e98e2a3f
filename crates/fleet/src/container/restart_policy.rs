//! How a container is started again without its task.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html>

use std::time::Duration;

use karma_terraform::Value;

use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;

/// `restartPolicy` of a container, where it is enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    /// A container that ends with one of these is not started again.
    pub ignored_exit_codes: Vec<i32>,
    /// A container is started again only if it has run for so long.
    pub restart_attempt_period: Duration,
}

impl RestartPolicy {
    /// `None` where it is not enabled.
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Option<Self>> {
        let ExitCodes(ignored_exit_codes) = from.optional("ignoredExitCodes").unwrap_or_default();
        let restart_attempt_period = from.seconds("restartAttemptPeriod").filter(|it| !it.is_zero());
        let policy = Self {
            ignored_exit_codes,
            restart_attempt_period: restart_attempt_period.unwrap_or(Duration::from_mins(5)),
        };
        Ok(from.required::<bool>("enabled")?.then_some(policy))
    }
}

#[derive(Default)]
struct ExitCodes(Vec<i32>);

impl FromValue for ExitCodes {
    const EXPECTED: &'static str = "a list of exit codes";
    fn from_value(value: &Value) -> Option<Self> {
        let code = |value: &Value| value.as_number()?.as_i128()?.try_into().ok();
        value.as_elements()?.iter().map(code).collect::<Option<_>>().map(Self)
    }
}
