//! What is said on the control socket.

use serde::{Deserialize, Serialize};

use crate::drill::Fault;
use crate::exec::ExecRequest;
use crate::operation::{Applied, Deployed};
use crate::progress::Progress;
use karma_ops::{
    AlarmAnswer, AutoscalingChange, MetricAnswer, MetricQuery, Observation, TaskId, TraceAnswer, TraceQuery,
};

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(super) enum Request {
    /// Tell what runs.
    Observe,
    /// Tell what happens, until the fleet has stopped.
    Watch,
    /// Stop the fleet, and tell when that is done.
    Stop,
    /// Run a command in a task. Where that is [begun](Response::ExecBegun) the connection carries [frames](crate::Frame) from then on.
    Exec(ExecRequest),
    /// Want another number of tasks.
    Scale { service: String, desired_count: u32 },
    /// Replace every task.
    Restart { service: String },
    /// Deploy an earlier revision.
    Rollback { service: String, to: Option<u32> },
    /// Stop one task.
    StopTask { task: TaskId, reason: String },
    /// Read the definition anew, with what the client was given on its command line, and run that.
    Apply { given: serde_json::Value },
    /// Tell what CloudWatch would show.
    Metrics { query: MetricQuery },
    /// Tell how the alarms stand, and what autoscaling did.
    Alarms,
    /// Tell what X-Ray would show.
    Traces { query: TraceQuery },
    /// Break something on purpose.
    Inject { fault: Fault },
    /// Change how autoscaling looks after a service.
    Autoscaling { service: String, change: AutoscalingChange },
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "snake_case")]
pub(super) enum Response {
    /// To [`Request::Observe`].
    Observation { observation: Box<Observation> },
    /// One message of the stream that [`Request::Watch`] and [`Request::Stop`] are answered with.
    Progress { progress: Progress },
    /// The last message of that stream.
    Stopped,
    /// To [`Request::Exec`].
    ExecBegun,
    /// To [`Request::Restart`] and [`Request::Rollback`]: it has begun.
    Deployed { deployed: Deployed },
    /// To [`Request::Apply`].
    Applied { services: Vec<Applied> },
    /// To a request that is done as soon as it is accepted.
    Done,
    /// To [`Request::Metrics`].
    Metrics { answer: Box<MetricAnswer> },
    /// To [`Request::Alarms`].
    Alarms { answer: Box<AlarmAnswer> },
    /// To [`Request::Traces`].
    Traces { answer: Box<TraceAnswer> },
    /// To anything: it was not done.
    Refused {
        /// Why not.
        reason: String,
        /// What the user can do, one line.
        hint: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_as_the_documentation_has_them() {
        let check = |text: &str, request: Request| {
            assert_eq!(serde_json::from_str::<Request>(text).unwrap(), request);
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
        };
        check(r#"{"request":"observe"}"#, Request::Observe);
        check(r#"{"request":"watch"}"#, Request::Watch);
        check(r#"{"request":"stop"}"#, Request::Stop);
        let (service, to) = ("api".to_owned(), None);
        check(
            r#"{"request":"rollback","service":"api","to":null}"#,
            Request::Rollback { service, to },
        );
    }
}
