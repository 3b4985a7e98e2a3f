//! How ECS looks after a container by itself.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>

use std::time::Duration;

use karma_terraform::Value;

use crate::attributes::{Attributes, Read};
use crate::from_value::FromValue;

/// A container's own health check: a command that is run inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerHealthCheck {
    /// `["CMD", program, argument…]` or `["CMD-SHELL", line]`.
    pub command: Vec<String>,
    /// Between two runs.
    pub interval: Duration,
    /// Until a run has failed.
    pub timeout: Duration,
    /// So many failures in a row make the container unhealthy.
    pub retries: u32,
    /// For so long after the start failures do not count.
    pub start_period: Duration,
}

impl ContainerHealthCheck {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let HealthCommand(command) = from.required("command")?;
        // The provider drops zeros, and ECS then takes its default.
        let seconds = |name, default| {
            from.seconds(name)
                .filter(|it| !it.is_zero())
                .unwrap_or(Duration::from_secs(default))
        };
        Ok(Self {
            command,
            interval: seconds("interval", 30),
            timeout: seconds("timeout", 5),
            retries: from.optional("retries").filter(|retries| *retries > 0).unwrap_or(3),
            start_period: seconds("startPeriod", 0),
        })
    }
}

struct HealthCommand(Vec<String>);

impl FromValue for HealthCommand {
    const EXPECTED: &'static str = "a list that begins with `CMD` or `CMD-SHELL` and goes on with the command";
    fn from_value(value: &Value) -> Option<Self> {
        let words = Vec::from_value(value)?;
        let kind = words.first().map(String::as_str);
        (words.len() > 1 && matches!(kind, Some("CMD" | "CMD-SHELL"))).then_some(Self(words))
    }
}
