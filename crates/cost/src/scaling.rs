//! What autoscaling may do with the services of a stack, and which of its resources mean which service.

use std::collections::BTreeMap;

use karma_terraform::Address;

use crate::attributes::Attributes;
use crate::schedule::{Change, Limits, hours};
use crate::service::{Found, HOURS, TaskHours};

/// What autoscaling may do with the services of a stack.
pub(crate) struct Scaling<'a> {
    targets: ByService<'a>,
    actions: ByService<'a>,
}

/// Resources of autoscaling, to be found by the service they mean.
struct ByService<'a> {
    by_name: BTreeMap<&'a str, Vec<Found<'a>>>,
    /// Those whose `resource_id` is not known before apply.
    by_reference: Vec<Found<'a>>,
}

impl<'a> ByService<'a> {
    fn of(all: Vec<Found<'a>>) -> Self {
        let (mut by_name, mut by_reference) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
        for found in all {
            match found.1.text("resource_id") {
                Some(text) => by_name.entry(text).or_default().push(found),
                None => by_reference.push(found),
            }
        }
        Self { by_name, by_reference }
    }

    /// Those that mean this service: by its name, by the reference to it or to its target, or by their place.
    fn meaning(&self, service: &Address, target: Option<&Address>, resource_id: Option<&str>) -> Vec<Found<'a>> {
        let named = resource_id.and_then(|resource_id| self.by_name.get(resource_id));
        let refers = |(address, from): &&Found<'a>| {
            let references = from.references("resource_id");
            let is_meant = |it: &&Address| *it == service || Some(*it) == target;
            references.iter().any(is_meant) || references.is_empty() && is_beside(address, service)
        };
        let referring = self.by_reference.iter().filter(refers);
        named.into_iter().flatten().chain(referring).copied().collect()
    }
}

impl<'a> Scaling<'a> {
    pub(crate) fn of(targets: Vec<Found<'a>>, actions: Vec<Found<'a>>) -> Self {
        Self {
            targets: ByService::of(targets),
            actions: ByService::of(actions),
        }
    }

    /// How many tasks run for how long, and the schedule that could not be read.
    pub(crate) fn task_hours(
        &self,
        service: &Address,
        resource_id: Option<&str>,
        desired: u32,
    ) -> (TaskHours, Option<&'a str>) {
        let Some((target, from)) = self.targets.meaning(service, None, resource_id).first().copied() else {
            return (TaskHours::steady(desired), None);
        };
        let min = from.whole("min_capacity").unwrap_or(desired);
        let usual = Limits {
            min,
            max: from.whole("max_capacity").unwrap_or(desired).max(min),
        };
        let actions = self.actions.meaning(service, Some(target), resource_id);
        let changes: Vec<Change<'a>> = actions.into_iter().filter_map(|(_, from)| change(from)).collect();
        match hours(usual, &changes) {
            Ok(hours) => (TaskHours::under(&hours, desired), None),
            Err(unread) => (TaskHours::under(&[(usual, HOURS.into())], desired), Some(unread)),
        }
    }
}

fn change(from: Attributes<'_>) -> Option<Change<'_>> {
    let blocks = from.blocks("scalable_target_action");
    let action = blocks.first()?;
    Some(Change {
        schedule: from.text("schedule")?,
        min: action.whole("min_capacity"),
        max: action.whole("max_capacity"),
    })
}

/// Whether two resources belong together by their place alone: the same module, name and key.
fn is_beside(one: &Address, other: &Address) -> bool {
    (&one.module, &one.name, &one.key) == (&other.module, &other.name, &other.key)
}
