//! What one can see of a running fleet, and do with it, wherever it runs: on this machine or on AWS.
//!
//! The words are ECS's, so that a table or a script reads the same of both. The crate runs nothing and asks nobody itself.

mod alarms;
mod metrics;
mod observation;
mod task;

pub use alarms::{
    AlarmAnswer, AlarmChange, AlarmObservation, AlarmOrigin, AlarmState, HISTORY_KEPT, ScalingActivity,
    ScalingActivityStatus,
};
pub use metrics::{
    Datapoint, MetricAnswer, MetricId, MetricQuery, MetricSelection, MetricSeries, Statistic, Unit, UnknownStatistic,
    UsageTotals,
};
pub use observation::{
    AliasObservation, DiscoveryMechanism, EVENTS_KEPT, ListenerObservation, Observation, ServiceEvent, ServiceHealth,
    ServiceObservation, TaskObservation,
};
pub use task::{ContainerState, DesiredStatus, HealthStatus, StopCode, TargetsHealth, TaskId, TaskStatus};
