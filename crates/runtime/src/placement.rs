//! Where the next task goes: which capacity provider, and which availability zone. Pure.
//!
//! - ECS fills the `base` first and splits the rest by `weight`; it does not document who gets the next task where the shares do not come out even. Here
//!   it is the provider that is furthest behind its share, and of two as far behind the one that the strategy names first.
//! - On Fargate tasks are spread over the zones of the service's subnets, for each provider by itself. Of zones that hold as few tasks of the
//!   provider, the one with the fewest of the service is taken, then the first by name.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html>

mod zones;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use karma_fleet::CapacityProviderStrategyItem;

pub(crate) use zones::ZoneNames;

/// Where a task runs. What the stack does not say is `None`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Placement {
    /// `FARGATE` or `FARGATE_SPOT`
    pub capacity_provider: Option<Arc<str>>,
    /// `us-east-1a`
    pub availability_zone: Option<Arc<str>>,
}

/// What a service's tasks may be placed on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capacity {
    /// The providers; empty where the stack names none.
    pub strategy: Vec<CapacityProviderStrategyItem>,
    /// The zones of its subnets, in order; empty where the stack names none.
    pub zones: Vec<Arc<str>>,
    /// Those of them that are gone.
    pub lost_zones: Vec<Arc<str>>,
}

/// The tasks that are placed already, counted.
#[derive(Debug)]
pub(crate) struct Spread<'a> {
    capacity: &'a Capacity,
    by_provider: BTreeMap<Arc<str>, usize>,
    by_zone: BTreeMap<Arc<str>, usize>,
    by_both: BTreeMap<Placement, usize>,
}

impl Capacity {
    /// The zones that there still are.
    pub fn usable_zones(&self) -> impl Iterator<Item = &Arc<str>> {
        self.zones.iter().filter(|zone| !self.lost_zones.contains(zone))
    }

    /// Whether a task can be placed at all.
    pub fn has_room(&self) -> bool {
        self.zones.is_empty() || self.usable_zones().next().is_some()
    }
}

impl<'a> Spread<'a> {
    pub(crate) fn new<'t>(capacity: &'a Capacity, placed: impl IntoIterator<Item = &'t Placement>) -> Self {
        let mut spread = Self {
            capacity,
            by_provider: BTreeMap::new(),
            by_zone: BTreeMap::new(),
            by_both: BTreeMap::new(),
        };
        placed.into_iter().for_each(|placement| spread.count(placement));
        spread
    }

    /// Places one more task; `None` where no zone is left.
    pub(crate) fn place(&mut self) -> Option<Placement> {
        let capacity_provider = self.next_provider();
        let availability_zone = self.next_zone(capacity_provider.as_ref());
        if availability_zone.is_none() && !self.capacity.has_room() {
            return None;
        }
        let placement = Placement {
            capacity_provider,
            availability_zone,
        };
        self.count(&placement);
        Some(placement)
    }

    /// The usable zones with the fewest and with the most tasks, and how many those are.
    pub(crate) fn extremes(&self) -> Option<(ZoneCount, ZoneCount)> {
        let counts = || {
            self.capacity
                .usable_zones()
                .map(|zone| (self.in_zone(zone), zone.clone()))
        };
        Some((
            counts().min()?,
            counts().max_by_key(|(count, zone)| (*count, Reverse(zone.clone())))?,
        ))
    }

    /// Whether no usable zone holds two tasks more than another.
    pub(crate) fn is_balanced(&self) -> bool {
        self.extremes().is_none_or(|((least, _), (most, _))| most < least + 2)
    }

    /// So many tasks are in each usable zone, as ECS says it: `2 tasks in us-east-1a, 1 in us-east-1b, and 1 in us-east-1c`.
    pub(crate) fn in_words(&self) -> String {
        let parts = self.capacity.usable_zones().enumerate().map(|(position, zone)| {
            let tasks = if position == 0 { " tasks" } else { "" };
            format!("{}{tasks} in {zone}", self.in_zone(zone))
        });
        match parts.collect::<Vec<_>>().as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [one, other] => format!("{one} and {other}"),
            [first @ .., last] => format!("{}, and {last}", first.join(", ")),
        }
    }

    fn count(&mut self, placement: &Placement) {
        let one_more = |counts: &mut BTreeMap<Arc<str>, usize>, name: &Option<Arc<str>>| {
            if let Some(name) = name {
                *counts.entry(name.clone()).or_default() += 1;
            }
        };
        one_more(&mut self.by_provider, &placement.capacity_provider);
        one_more(&mut self.by_zone, &placement.availability_zone);
        *self.by_both.entry(placement.clone()).or_default() += 1;
    }

    fn next_provider(&self) -> Option<Arc<str>> {
        let strategy = &self.capacity.strategy;
        let lacks_base = |item: &&CapacityProviderStrategyItem| self.on(item) < as_count(item.base);
        let item = strategy.iter().find(lacks_base).or_else(|| self.furthest_behind())?;
        Some(item.capacity_provider.as_str().into())
    }

    /// The provider whose share of the tasks beyond the base would be furthest from what its weight gives it.
    fn furthest_behind(&self) -> Option<&'a CapacityProviderStrategyItem> {
        let strategy = &self.capacity.strategy;
        let weights: i128 = strategy.iter().map(|item| i128::from(item.weight)).sum();
        let next: i128 = 1 + strategy.iter().map(|item| self.beyond_base(item)).sum::<i128>();
        let behind =
            |item: &CapacityProviderStrategyItem| i128::from(item.weight) * next - self.beyond_base(item) * weights;
        let weighted = strategy.iter().enumerate().filter(|(_, item)| item.weight > 0);
        weighted
            .max_by_key(|(position, item)| (behind(item), Reverse(*position)))
            .map(|(_, item)| item)
    }

    fn next_zone(&self, provider: Option<&Arc<str>>) -> Option<Arc<str>> {
        let here = |zone: &Arc<str>| Placement {
            capacity_provider: provider.cloned(),
            availability_zone: Some(zone.clone()),
        };
        let of_provider = |zone| self.by_both.get(&here(zone)).copied().unwrap_or_default();
        let zones = self.capacity.usable_zones();
        zones
            .min_by_key(|zone| (of_provider(zone), self.in_zone(zone)))
            .cloned()
    }

    fn on(&self, item: &CapacityProviderStrategyItem) -> usize {
        self.by_provider
            .get(item.capacity_provider.as_str())
            .copied()
            .unwrap_or_default()
    }

    fn beyond_base(&self, item: &CapacityProviderStrategyItem) -> i128 {
        let beyond = self.on(item).saturating_sub(as_count(item.base));
        i128::try_from(beyond).unwrap_or(i128::MAX)
    }

    fn in_zone(&self, zone: &Arc<str>) -> usize {
        self.by_zone.get(zone).copied().unwrap_or_default()
    }
}

/// So many tasks, in this zone.
pub(crate) type ZoneCount = (usize, Arc<str>);

fn as_count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(capacity_provider: &str, base: u32, weight: u32) -> CapacityProviderStrategyItem {
        CapacityProviderStrategyItem {
            capacity_provider: capacity_provider.to_owned(),
            base,
            weight,
        }
    }

    fn place(capacity: &Capacity, count: usize) -> Vec<Placement> {
        let mut spread = Spread::new(capacity, []);
        (0..count).map_while(|_| spread.place()).collect()
    }

    #[test]
    fn the_base_comes_first_and_the_rest_by_weight() {
        let check = |strategy: &[CapacityProviderStrategyItem], desired: usize, expected: &str| {
            let capacity = Capacity {
                strategy: strategy.to_vec(),
                ..Capacity::default()
            };
            let letter = |placement: Placement| match placement.capacity_provider.as_deref() {
                Some("FARGATE") => 'F',
                Some(_) => 'S',
                None => '-',
            };
            let placed: String = place(&capacity, desired).into_iter().map(letter).collect();
            assert_eq!(placed, expected, "{strategy:?}");
        };
        let (fargate, spot) = (
            |base, weight| item("FARGATE", base, weight),
            |weight| item("FARGATE_SPOT", 0, weight),
        );
        check(&[fargate(1, 1), spot(4)], 6, "FSSFSS");
        check(&[fargate(0, 1), spot(1)], 4, "FSFS");
        check(&[fargate(0, 1), spot(4)], 10, "SSFSSSSFSS");
        check(&[fargate(2, 0), spot(1)], 4, "FFSS");
        check(&[fargate(0, 1)], 2, "FF");
        check(&[], 2, "--");
    }

    proptest! {
        #[test]
        fn beyond_the_base_no_provider_is_a_task_away_from_its_share(
            base in 0_u32..5,
            weights in (1_u32..20, 1_u32..20),
            count in 0_usize..100,
        ) {
            let strategy = vec![item("FARGATE", base, weights.0), item("FARGATE_SPOT", 0, weights.1)];
            let capacity = Capacity { strategy, ..Capacity::default() };
            let placed = place(&capacity, count);
            let on_spot = placed.iter().filter(|one| one.capacity_provider.as_deref() == Some("FARGATE_SPOT")).count();
            let beyond = count.saturating_sub(as_count(base));
            let (weight, all) = (as_count(weights.1), as_count(weights.0 + weights.1));
            prop_assert!((on_spot * all).abs_diff(beyond * weight) <= all);
        }

        #[test]
        fn tasks_placed_one_by_one_go_where_they_would_go_together(count in 0_usize..30) {
            let capacity = Capacity {
                strategy: vec![item("FARGATE", 1, 1), item("FARGATE_SPOT", 0, 4)],
                zones: ["a", "b"].map(Into::into).to_vec(),
                lost_zones: Vec::new(),
            };
            let mut placed = Vec::new();
            for _ in 0..count {
                let next = Spread::new(&capacity, &placed).place();
                placed.extend(next);
            }
            prop_assert_eq!(placed, place(&capacity, count));
        }
    }

    #[test]
    fn each_provider_is_spread_over_the_zones_by_itself() {
        let check = |strategy: &[CapacityProviderStrategyItem], lost: &[&str], desired: usize, expected: &str| {
            let capacity = Capacity {
                strategy: strategy.to_vec(),
                zones: ["a", "b", "c"].map(Into::into).to_vec(),
                lost_zones: lost.iter().map(|&zone| zone.into()).collect(),
            };
            let placed: String = place(&capacity, desired)
                .into_iter()
                .filter_map(|placement| placement.availability_zone.map(|zone| zone.to_string()))
                .collect();
            assert_eq!(placed, expected);
        };
        let both = [item("FARGATE", 0, 1), item("FARGATE_SPOT", 0, 1)];
        check(&[], &[], 5, "abcab");
        check(&[], &["a"], 4, "bcbc");
        check(&[], &["a", "b", "c"], 4, "");
        check(&both, &[], 6, "abcabc");
        check(&both[..1], &[], 3, "abc");
    }

    #[test]
    fn zones_are_told_in_words() {
        let capacity = Capacity {
            zones: ["a", "b", "c"].map(Into::into).to_vec(),
            ..Capacity::default()
        };
        let placed = place(&capacity, 4);
        assert_eq!(
            Spread::new(&capacity, &placed).in_words(),
            "2 tasks in a, 1 in b, and 1 in c"
        );
    }
}
