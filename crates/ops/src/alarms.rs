//! Alarms and the scaling they cause, in CloudWatch's and Application Auto Scaling's words.

use std::collections::VecDeque;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many changes of alarms, and so many scaling activities, are kept.
pub const HISTORY_KEPT: usize = 1000;

/// The state of an alarm.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    /// What it watches is as it should be.
    Ok,
    /// It rings.
    Alarm,
    /// It has just begun, or there is nothing to judge by.
    #[default]
    InsufficientData,
}

/// An alarm, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmObservation {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its state.
    pub state: AlarmState,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// Why.
    pub reason: String,
    /// What it watches: a metric with its dimensions, an expression, or a rule over other alarms.
    pub watches: String,
    /// Who made it.
    pub origin: AlarmOrigin,
}

/// Who made an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmOrigin {
    /// The stack declares it.
    Stack,
    /// A policy that tracks a target has it made. It may ring all day: it only says that there are more tasks than needed, or fewer.
    TargetTracking,
}

/// An alarm has changed its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmChange {
    /// When.
    pub at: Timestamp,
    /// The alarm's name.
    pub alarm: String,
    /// The state before.
    pub from: AlarmState,
    /// The state since.
    pub to: AlarmState,
    /// Why.
    pub reason: String,
    /// What was done about it, one sentence each.
    pub actions: Vec<String>,
}

/// Something that autoscaling did, or could not do.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalingActivity.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScalingActivity {
    /// When.
    pub at: Timestamp,
    /// The service's label.
    pub service: String,
    /// `Setting desired count to 4.`
    pub description: String,
    /// `monitor alarm validator-high-cpu in state ALARM triggered policy validator-cpu`
    pub cause: String,
    /// Whether it was done.
    pub status: ScalingActivityStatus,
    /// `Successfully set desired count to 4. Change successfully fulfilled by ecs.`
    pub status_message: String,
}

/// Whether a scaling activity was done. What runs here is done at once, or fails; on AWS it takes its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "Application Auto Scaling's own words")]
pub enum ScalingActivityStatus {
    Pending,
    InProgress,
    Successful,
    Overridden,
    Unfulfilled,
    Failed,
}

/// Every alarm, and what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmAnswer {
    /// When this was so, by the clock that all times here are of.
    pub at: Timestamp,
    /// The alarms by their names, those of the stack first.
    pub alarms: Vec<AlarmObservation>,
    /// Their changes, oldest first.
    pub history: VecDeque<AlarmChange>,
    /// What autoscaling did, oldest first.
    pub activities: VecDeque<ScalingActivity>,
    /// What of that cannot be told, and why; one sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl AlarmState {
    /// `INSUFFICIENT_DATA`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

impl AlarmObservation {
    /// Whether somebody should look: an alarm of the stack rings.
    pub fn rings(&self) -> bool {
        self.state == AlarmState::Alarm && self.origin == AlarmOrigin::Stack
    }
}

impl fmt::Display for AlarmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_written_as_cloudwatch_writes_them() {
        for state in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
