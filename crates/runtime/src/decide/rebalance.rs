//! Availability zone rebalancing: a service at rest moves tasks one by one, until no zone holds two more than another.
//!
//! A task is started in the zone with the fewest; when it serves, [`super::census`] stops one in the zone with the most.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html>

use std::time::Duration;

use karma_ops::RolloutState;

use super::{Action, ServiceView, spread};
use crate::placement::Placement;
use crate::task::{Purpose, Task};

/// The start of a task that another is to move to, where that is wanted. With `maximumPercent` at 100 there is no room for it.
pub(super) fn move_one(service: &ServiceView, tasks: &[Task], now: Duration) -> Option<Action> {
    let at_rest = service.primary().rollout_state == RolloutState::Completed && service.is_steady(tasks, now);
    let may_move = service.rebalances && service.most() > service.desired_count && service.may_start(now);
    if !at_rest || !may_move {
        return None;
    }
    let spread = spread(service, tasks);
    let ((_, lightest), (_, heaviest)) = spread.extremes()?;
    let provider = || {
        let youngest_there = tasks
            .iter()
            .rev()
            .find(|task| task.is_live() && task.placement.availability_zone.as_ref() == Some(&heaviest))?;
        youngest_there.placement.capacity_provider.clone()
    };
    (!spread.is_balanced()).then(|| Action::Start {
        placement: Placement {
            capacity_provider: provider(),
            availability_zone: Some(lightest),
        },
        purpose: Purpose::Rebalancing,
    })
}
