//! [`Census`]: the live tasks of a service, sorted by what may become of them, and the steps that follow from the numbers.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use karma_ops::RolloutState;

use super::{Action, Cause, ServiceView, spread, why_unhealthy};
use crate::task::{Purpose, Task};

/// The live tasks of a service.
pub(super) struct Census<'a> {
    service: &'a ServiceView,
    tasks: &'a [Task],
    now: Duration,
    /// Of the wanted deployment.
    sound: Vec<&'a Task>,
    /// Of the wanted deployment, and past all patience.
    unhealthy: Vec<&'a Task>,
    /// Of earlier deployments.
    old: Vec<&'a Task>,
}

impl<'a> Census<'a> {
    pub(super) fn take(service: &'a ServiceView, tasks: &'a [Task], now: Duration) -> Self {
        let live = tasks.iter().filter(|task| task.is_live());
        let (wanted, old): (Vec<_>, Vec<_>) = live.partition(|task| task.deployment == service.primary().id);
        let (unhealthy, sound) = wanted.into_iter().partition(|task| service.gives_up(task, now));
        Self {
            service,
            tasks,
            now,
            sound,
            unhealthy,
            old,
        }
    }

    /// Stops what is one too many of the wanted deployment. A task that another is to move to is none too many until it serves.
    pub(super) fn stop_surplus(&self) -> Vec<Action> {
        let moving = |task: &&&Task| task.purpose == Purpose::Rebalancing && !self.serves(task);
        let wanted = self.service.desired_count + self.sound.iter().filter(moving).count();
        if self.sound.len() <= wanted {
            return Vec::new();
        }
        let has_moved = self.sound.iter().any(|task| task.purpose == Purpose::Rebalancing);
        let surplus = self.sound.len() + self.unhealthy.len() - wanted;
        let by_worth = self.by_worth().into_iter().take(surplus);
        by_worth
            .map(|task| {
                if has_moved && self.serves(task) {
                    stop(task, Cause::Rebalancing, "Stopped due to AZ rebalancing".to_owned())
                } else {
                    stop(task, Cause::Surplus, self.scaling())
                }
            })
            .collect()
    }

    /// Stops unhealthy tasks whose replacements serve already, or one of them where there is no room for a replacement. Those of a failed
    /// deployment have no replacement to wait for.
    pub(super) fn stop_unhealthy(&self) -> Vec<Action> {
        if self.sound.len() > self.service.desired_count {
            return Vec::new();
        }
        let serving = self.sound.iter().filter(|task| self.serves(task)).count();
        let no_room = self.live() >= self.service.most();
        let nothing_on_its_way = serving == self.sound.len();
        let is_failed = self.service.primary().rollout_state == RolloutState::Failed;
        let count = match () {
            () if is_failed || serving >= self.service.desired_count => self.unhealthy.len(),
            () if no_room && nothing_on_its_way => 1,
            () => 0,
        };
        let unhealthy = self.unhealthy.iter().take(count);
        unhealthy
            .map(|task| stop(task, Cause::Unhealthy, why_unhealthy(task)))
            .collect()
    }

    /// Starts what is missing of the wanted deployment, and stops tasks of earlier ones: those that have been replaced, and those that
    /// must make room. So many have been `stopped` already. Whoever makes room does so at once: what is stopping does not count.
    pub(super) fn replace(&self, stopped: usize) -> Vec<Action> {
        let mut actions = self.stop_old(self.replaced() + self.lacking(stopped));
        let starts = self.missing().min(self.room(stopped + actions.len()));
        actions.extend(self.start(starts));
        actions
    }

    /// Whether tasks are missing for want of room alone: everything that is there is well, and nothing is on its way.
    pub(super) fn is_blocked(&self) -> bool {
        let all_well = || {
            let mut live = self.sound.iter().chain(&self.old);
            live.all(|task| self.service.is_proven(task, self.now))
        };
        !self.old.is_empty() && self.unhealthy.is_empty() && self.lacking(0) > 0 && all_well()
    }

    /// So many tasks of the wanted deployment are still to be started.
    fn missing(&self) -> usize {
        if self.service.may_start(self.now) {
            self.service.desired_count.saturating_sub(self.sound.len())
        } else {
            0
        }
    }

    /// So many earlier tasks have successors that serve.
    fn replaced(&self) -> usize {
        let sound = self.sound.iter();
        let taken_over = sound.filter(|task| self.service.is_proven(task, self.now)).count();
        let still_needed = self.service.desired_count.saturating_sub(taken_over);
        self.old.len().saturating_sub(still_needed)
    }

    /// For so many successors there is no room, even when those that have been replaced are gone.
    fn lacking(&self, stopped: usize) -> usize {
        self.missing().saturating_sub(self.room(stopped + self.replaced()))
    }

    fn room(&self, stopped: usize) -> usize {
        self.service.most().saturating_sub(self.live() - stopped)
    }

    /// Stops up to so many tasks of earlier deployments, the unhealthy ones first, but no healthy one that is needed for the minimum.
    fn stop_old(&self, count: usize) -> Vec<Action> {
        let is_healthy = |task: &Task| self.service.is_proven(task, self.now);
        let healthy = self
            .sound
            .iter()
            .chain(&self.old)
            .filter(|task| is_healthy(task))
            .count();
        let mut dispensable = healthy.saturating_sub(self.service.least());
        let mut candidates = self.old.clone();
        candidates.sort_by_key(|task| (is_healthy(task), task.created_at));
        let mut stops = Vec::new();
        for task in candidates.into_iter().take(count) {
            if is_healthy(task) {
                if dispensable == 0 {
                    break;
                }
                dispensable -= 1;
            }
            stops.push(stop(task, Cause::Surplus, self.scaling()));
        }
        stops
    }

    fn start(&self, count: usize) -> Vec<Action> {
        let mut spread = spread(self.service, self.tasks);
        let placements = (0..count).map_while(|_| spread.place());
        placements
            .map(|placement| Action::Start {
                placement,
                purpose: Purpose::Replica,
            })
            .collect()
    }

    /// The tasks of the wanted deployment in the order in which they can be done without. Zones are thinned out in turn.
    fn by_worth(&self) -> Vec<&'a Task> {
        let mut oldest_first: Vec<_> = self.sound.iter().chain(&self.unhealthy).copied().collect();
        oldest_first.sort_by_key(|task| task.created_at);
        let mut ranks = BTreeMap::<_, usize>::new();
        let mut ranked: Vec<_> = oldest_first
            .into_iter()
            .map(|task| {
                let rank = ranks.entry(task.placement.availability_zone.clone()).or_default();
                *rank += usize::from(!task.is_unhealthy() && self.serves(task));
                (task, *rank)
            })
            .collect();
        ranked.sort_by_key(|(task, rank)| {
            let serves = self.serves(task);
            (!task.is_unhealthy(), serves, Reverse(*rank), Reverse(task.created_at))
        });
        ranked.into_iter().map(|(task, _)| task).collect()
    }

    fn serves(&self, task: &Task) -> bool {
        self.service.is_in_service(task, self.now)
    }

    fn live(&self) -> usize {
        self.sound.len() + self.unhealthy.len() + self.old.len()
    }

    fn scaling(&self) -> String {
        format!(
            "Scaling activity initiated by (deployment {})",
            self.service.primary().id
        )
    }
}

fn stop(task: &Task, cause: Cause, reason: String) -> Action {
    Action::Stop {
        task: task.id.clone(),
        cause,
        reason,
    }
}
