//! What one can see of a running fleet, and do with it, wherever it runs: on this machine or on AWS.
//!
//! ```text
//!                     ┌─ runtime::Control, another process on this machine
//! dyn Orchestrator ◀──┤                                       observe ─▶ Observation ─▶ judge ─▶ Verdict
//!                     └─ ECS, some day                           ▲                                  │
//!                                                                └──── wait_until_stable, again ◀───┘
//! ```
//! The words are ECS's, so that a table or a script reads the same of both. The crate runs nothing itself: it asks an [`Orchestrator`], and what
//! it decides ([`judge`]) is a pure function of what was seen.

// What is seen.
mod alarms;
mod autoscaling;
mod deployment;
mod metrics;
mod observation;
mod task;
mod traces;

// What can be done.
mod log_reader;
mod orchestrator;

// What is waited for.
mod judge;
mod wait;

#[cfg(test)]
mod testing;

pub use alarms::{
    AlarmAnswer, AlarmChange, AlarmObservation, AlarmOrigin, AlarmState, HISTORY_KEPT, ScalingActivity,
    ScalingActivityStatus,
};
pub use autoscaling::{AutoscalingChange, AutoscalingObservation};
pub use deployment::{DEADLOCK, DeploymentId, DeploymentObservation, DeploymentStatus, RolloutState};
pub use metrics::{
    Datapoint, MetricAnswer, MetricId, MetricQuery, MetricSelection, MetricSeries, Statistic, Unit, UnknownStatistic,
    UsageTotals,
};
pub use observation::{
    AliasObservation, CapacityProviderShare, DiscoveryMechanism, EVENTS_KEPT, ListenerObservation, Observation,
    ServiceEvent, ServiceHealth, ServiceObservation, TaskObservation,
};
pub use task::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};
pub use traces::{
    NoTraceId, Outcomes, PlacedSpan, SpanId, SpanKind, SpanStatus, Trace, TraceAnswer, TraceId, TraceQuery, TraceSpan,
};

pub use log_reader::{LogLine, LogQuery, LogReader, LogSelection};
pub use orchestrator::{Answer, Orchestrator, OrchestratorError};

pub use judge::{NotStable, Stable, UnderWay, Until, Verdict, judge};
pub use wait::{WaitError, wait_until};
