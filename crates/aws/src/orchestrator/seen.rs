//! From the answers of ECS and its neighbours to what is seen: pure functions, one file per noun.

mod autoscaling;
mod deployment;
mod load_balancer;
mod service;
mod task;
mod time;

pub(super) use autoscaling::autoscaling;
pub(super) use deployment::deployment;
pub(super) use load_balancer::{Addresses, TargetHealth, listeners, target_health, url};
pub(super) use service::{SeenService, observation};
pub(super) use task::{belongs_to, task};
pub(super) use time::{milliseconds, timestamp};

/// What follows the last `/` of an ARN: `arn:aws:ecs:…:task-definition/hello:3` is `hello:3`.
pub(super) fn name_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A count, which AWS sends with a sign.
pub(super) fn count(number: i32) -> usize {
    usize::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
