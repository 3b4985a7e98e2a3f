//! Where a service's tasks run, and how they are shared out between capacity providers.

use crate::attributes::Attributes;

/// Where tasks run.
pub(crate) enum Launch<'a> {
    /// On demand, or by shares between capacity providers.
    Fargate(Vec<Share<'a>>),
    /// On machines that are not the service's own.
    Elsewhere,
}

/// A capacity provider's part of the tasks: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html>
#[derive(Clone, Copy)]
pub(crate) struct Share<'a> {
    pub(crate) provider: &'a str,
    pub(crate) base: u32,
    pub(crate) weight: u32,
}

impl<'a> Launch<'a> {
    /// The service's own strategy, else its launch type, else its cluster's default strategy, else what its tasks are made for. ECS itself would
    /// then choose EC2, where a task that asks for Fargate does not run.
    pub(crate) fn read(
        from: Attributes<'a>,
        default: Option<Attributes<'a>>,
        definition: Option<Attributes<'_>>,
    ) -> Self {
        let own = Share::read_all(from, "capacity_provider_strategy");
        let of_cluster = || default.map(|default| Share::read_all(default, "default_capacity_provider_strategy"));
        let asks_for_fargate = || definition.is_some_and(|it| it.lists("requires_compatibilities", "FARGATE"));
        match (own.as_slice(), from.text("launch_type")) {
            ([_, ..], _) => Self::by_shares(own),
            ([], Some("FARGATE")) => Self::Fargate(vec![Share::ON_DEMAND]),
            ([], Some(_)) => Self::Elsewhere,
            ([], None) => match of_cluster() {
                Some(shares) if !shares.is_empty() => Self::by_shares(shares),
                _ if asks_for_fargate() => Self::Fargate(vec![Share::ON_DEMAND]),
                _ => Self::Elsewhere,
            },
        }
    }

    fn by_shares(shares: Vec<Share<'a>>) -> Self {
        if shares.iter().all(|share| share.provider.starts_with("FARGATE")) {
            Self::Fargate(shares)
        } else {
            Self::Elsewhere
        }
    }
}

impl<'a> Share<'a> {
    const ON_DEMAND: Share<'static> = Share {
        provider: "FARGATE",
        base: 0,
        weight: 1,
    };

    fn read_all(from: Attributes<'a>, blocks: &str) -> Vec<Self> {
        let read = |block: &Attributes<'a>| {
            Some(Self {
                provider: block.text("capacity_provider")?,
                base: block.whole("base").unwrap_or(0),
                weight: block.whole("weight").unwrap_or(0),
            })
        };
        from.blocks(blocks).iter().filter_map(read).collect()
    }
}

/// How many of so many tasks each provider runs: first the bases, then by weight, one after the other to whoever is furthest behind.
///
/// AWS tells the ratio and not how it rounds; here the provider that is named first gets the task that is left.
pub(crate) fn shared_out(tasks: u32, shares: &[Share<'_>]) -> Vec<u32> {
    let mut left = tasks;
    let mut given: Vec<u32> = shares.iter().map(|share| take(&mut left, share.base)).collect();
    let weights: u64 = shares.iter().map(|share| u64::from(share.weight)).sum();
    if weights == 0 {
        return given;
    }
    let whole = |share: &Share<'_>| u64::from(left) * u64::from(share.weight) / weights;
    let mut by_weight: Vec<u64> = shares.iter().map(whole).collect();
    for _ in by_weight.iter().sum::<u64>()..u64::from(left) {
        let next =
            shares
                .iter()
                .enumerate()
                .filter(|(_, share)| share.weight > 0)
                .min_by(|(one, first), (other, second)| {
                    let load = |index: usize, weight: u32| (by_weight[index] + 1) * u64::from(weight);
                    load(*one, second.weight).cmp(&load(*other, first.weight))
                });
        if let Some((index, _)) = next {
            by_weight[index] += 1;
        }
    }
    for (given, more) in given.iter_mut().zip(by_weight) {
        *given += u32::try_from(more).expect("a part of a number of 32 bits");
    }
    given
}

fn take(left: &mut u32, wanted: u32) -> u32 {
    let taken = wanted.min(*left);
    *left -= taken;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tasks: u32, [on_demand, spot]: [(u32, u32); 2], expected: [u32; 2]) {
        let share = |provider, (base, weight)| Share { provider, base, weight };
        let shares = [share("FARGATE", on_demand), share("FARGATE_SPOT", spot)];
        assert_eq!(shared_out(tasks, &shares), expected, "{tasks} tasks");
    }

    #[test]
    fn the_base_comes_first_and_the_rest_by_weight() {
        check(5, [(0, 0), (0, 1)], [0, 5]);
        check(1, [(1, 0), (0, 1)], [1, 0]);
        check(3, [(1, 0), (0, 1)], [1, 2]);
        check(10, [(0, 1), (0, 4)], [2, 8]);
        check(12, [(2, 1), (0, 4)], [4, 8]);
        check(3, [(0, 1), (0, 1)], [2, 1]);
        check(2, [(0, 1), (0, 4)], [0, 2]);
        check(0, [(3, 1), (0, 1)], [0, 0]);
        check(u32::MAX, [(0, 1), (0, 1)], [1 << 31, (1 << 31) - 1]);
    }
}
