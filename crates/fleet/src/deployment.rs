//! How a service's tasks are replaced, and what makes a deployment fail.

use crate::attributes::{Attributes, NOT_RUN_YET};
use crate::value_text::made_of;

/// How many tasks may be missing or extra while they are replaced, in percent of the desired count, and what ends a deployment that does
/// not come to rest.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeploymentConfiguration {
    /// At least so many stay healthy, rounded up.
    pub minimum_healthy_percent: u32,
    /// At most so many are running or pending, rounded down.
    pub maximum_percent: u32,
    /// What happens when its tasks fail again and again; `None` where nothing does.
    pub circuit_breaker: Option<CircuitBreaker>,
}

/// `deployment_circuit_breaker` where it is enabled.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Whether the service goes back to its last completed deployment.
    pub rollback: bool,
}

/// `alarms` where they are enabled: a deployment fails when one of them is in alarm.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentAlarms {
    /// The alarms by name.
    pub alarm_names: Vec<String>,
    /// Whether the service goes back to its last completed deployment.
    pub rollback: bool,
}

impl DeploymentConfiguration {
    /// ECS's own defaults for services that keep a number of replicas.
    pub(crate) fn read(from: &Attributes<'_>) -> Self {
        warn_of_controller(from);
        Self {
            minimum_healthy_percent: from.optional("deployment_minimum_healthy_percent").unwrap_or(100),
            maximum_percent: from.optional("deployment_maximum_percent").unwrap_or(200),
            circuit_breaker: from
                .block("deployment_circuit_breaker")
                .as_ref()
                .and_then(CircuitBreaker::read),
        }
    }
}

impl CircuitBreaker {
    fn read(block: &Attributes<'_>) -> Option<Self> {
        let rollback = block.optional("rollback").unwrap_or(false);
        is_enabled(block).then_some(Self { rollback })
    }
}

impl DeploymentAlarms {
    pub(crate) fn read(from: &Attributes<'_>) -> Option<Self> {
        let block = from.block("alarms")?;
        let names = block.get("alarm_names").and_then(|names| names.as_elements());
        let alarms = Self {
            alarm_names: names.unwrap_or_default().iter().map(made_of).collect(),
            rollback: block.optional("rollback").unwrap_or(false),
        };
        is_enabled(&block).then_some(alarms)
    }
}

fn is_enabled(block: &Attributes<'_>) -> bool {
    block.optional("enable").unwrap_or(false)
}

fn warn_of_controller(from: &Attributes<'_>) {
    let controller: Option<String> = from
        .block("deployment_controller")
        .and_then(|block| block.optional("type"));
    if let Some(other) = controller.filter(|controller| controller != "ECS") {
        let detail = format!(
            "`{}` is deployed by {other}; here its tasks are replaced by ECS's rolling update.",
            from.address()
        );
        from.warning("deployment_controller", NOT_RUN_YET, detail);
    }
}
