//! A task: its names, its life and what is known of it.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use serde::{Deserialize, Serialize};

/// The id of a task: 32 hexadecimal digits, as ECS writes them; of an older account, and of servers that act like ECS, a UUID with its hyphens.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html#ecs-resource-ids>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

/// `lastStatus`: how far a task has come in its life. A task only ever moves down this list; it may leave steps out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    /// Gets its address and its disk.
    Provisioning,
    /// Waits for its turn.
    Pending,
    /// Its containers are being started.
    Activating,
    /// Its essential containers run.
    Running,
    /// Leaves the load balancer and the names; finishes the requests that it has.
    Deactivating,
    /// Has been sent SIGTERM; SIGKILL follows after `stopTimeout`.
    Stopping,
    /// Gives back its address and its disk.
    Deprovisioning,
    /// Is no more.
    Stopped,
}

/// `desiredStatus`: what the scheduler wants a task to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DesiredStatus {
    /// It shall run.
    Running,
    /// It shall stop, or has.
    Stopped,
}

/// `healthStatus`: what the container health checks of the essential containers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HealthStatus {
    /// There is no health check, or it has not answered yet.
    #[default]
    Unknown,
    /// All passed.
    Healthy,
    /// One has failed too often.
    Unhealthy,
}

/// What the load balancer thinks of a task's targets; the worst counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum TargetsHealth {
    /// Registered, not judged yet.
    Initial,
    /// Gets requests.
    Healthy,
    /// Fails its health checks.
    Unhealthy {
        /// The target group that says so.
        target_group: String,
        /// `Health checks failed with these codes: [503]`
        description: String,
    },
}

/// `stopCode`: who or what ended a task.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopCode {
    /// It never came to run.
    TaskFailedToStart,
    /// An essential container ended by itself.
    EssentialContainerExited,
    /// A person wanted it.
    UserInitiated,
    /// The scheduler wanted it: unhealthy, or one too many.
    ServiceSchedulerInitiated,
    /// Its Spot capacity was taken back. The guide's sample event says `TerminationNotice`; this is the code that the API has for it.
    SpotInterruption,
    /// The same, or another notice that it has to go, as the guide's sample event has it.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>
    TerminationNotice,
    /// What it ran on is gone.
    InfrastructureHealth,
}

/// One container of a task, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerState {
    /// Its name.
    pub name: String,
    /// The process id of its program while it runs.
    pub pid: Option<u32>,
    /// How it ended; 128 + the signal's number where a signal ended it.
    pub exit_code: Option<i32>,
    /// Why it ended, where more is known than its exit code.
    #[serde(default)]
    pub reason: Option<String>,
    /// What its health check says.
    pub health_status: HealthStatus,
    /// The last line that a failed health check printed.
    pub health_output: Option<String>,
}

impl TaskId {
    /// A new one, unlike all others: two hashes under the random keys of [`RandomState`].
    pub fn random() -> Self {
        let half = || RandomState::new().build_hasher().finish();
        Self(format!("{:016x}{:016x}", half(), half()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its first eight digits, for tables.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }

    /// `None` unless it is 32 hexadecimal digits, or a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        let is_long_enough = parts == [32] || parts == [8, 4, 4, 4, 12];
        let mut digits = text.bytes().filter(|byte| *byte != b'-');
        (is_long_enough && digits.all(|byte| byte.is_ascii_hexdigit())).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TaskStatus {
    /// Every status in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Provisioning,
        Self::Pending,
        Self::Activating,
        Self::Running,
        Self::Deactivating,
        Self::Stopping,
        Self::Deprovisioning,
        Self::Stopped,
    ];

    /// Whether it counts as pending: on its way to run.
    pub fn is_pending(self) -> bool {
        self < Self::Running
    }

    /// Whether it still can be told to stop.
    pub fn can_stop(self) -> bool {
        self <= Self::Running
    }

    /// Whether it may be sent requests.
    pub fn can_take_requests(self) -> bool {
        self == Self::Running
    }

    /// Whether a life may go from here to `next`.
    pub fn can_become(self, next: Self) -> bool {
        self < next
    }

    /// `RUNNING`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

impl HealthStatus {
    /// `HEALTHY`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_digits_and_differ() {
        let (one, other) = (TaskId::random(), TaskId::random());
        assert_ne!(one, other);
        assert_eq!(TaskId::parse(one.as_str()), Some(one));
        for (text, is_one) in [
            ("0123456789abcdef0123456789abcdef", true),
            ("01234567-89ab-cdef-0123-456789abcdef", true),
            ("0123456789abcdef0123456789abcdeg", false),
            ("01234567-89ab-cdef-0123456789abcdef", false),
            ("xyz", false),
            ("", false),
        ] {
            assert_eq!(TaskId::parse(text).is_some(), is_one, "{text}");
        }
    }

    #[test]
    fn a_life_goes_one_way() {
        for (position, status) in TaskStatus::ALL.into_iter().enumerate() {
            for (other_position, other) in TaskStatus::ALL.into_iter().enumerate() {
                assert_eq!(
                    status.can_become(other),
                    position < other_position,
                    "{status} -> {other}"
                );
            }
        }
    }

    #[test]
    fn statuses_are_written_as_ecs_writes_them() {
        for status in TaskStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
