//! Which of several targets gets the next request.

/// How a target group spreads its requests.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#modify-routing-algorithm>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight; among equals, each in turn.
    LeastOutstandingRequests,
    /// Any, with equal chances: the weights only ever differ under anomaly mitigation, which is off by default.
    WeightedRandom,
}

impl Algorithm {
    /// One of the candidates, or none if there are none. `turn` is a running number, or a random one for
    /// [`Self::WeightedRandom`]; `outstanding` counts a candidate's requests in flight.
    pub(crate) fn pick<T>(self, candidates: &[T], turn: usize, outstanding: impl Fn(&T) -> usize) -> Option<&T> {
        let first = turn.checked_rem(candidates.len())?;
        match self {
            Self::RoundRobin | Self::WeightedRandom => candidates.get(first),
            Self::LeastOutstandingRequests => {
                let (before, after) = candidates.split_at(first);
                after
                    .iter()
                    .chain(before)
                    .min_by_key(|candidate| outstanding(candidate))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_is_picked_from_nothing() {
        for algorithm in [
            Algorithm::RoundRobin,
            Algorithm::LeastOutstandingRequests,
            Algorithm::WeightedRandom,
        ] {
            assert_eq!(algorithm.pick(&[] as &[usize], 7, |&load| load), None);
        }
    }

    proptest! {
        #[test]
        fn round_robin_is_fair(count in 1_usize..20, rounds in 1_usize..10, start in 0_usize..1_000) {
            let candidates: Vec<usize> = (0..count).collect();
            let mut served = vec![0; count];
            for turn in start..start + count * rounds {
                served[*Algorithm::RoundRobin.pick(&candidates, turn, |_| 0).unwrap()] += 1;
            }
            prop_assert!(served.iter().all(|&times| times == rounds));
        }

        #[test]
        fn the_least_loaded_is_picked(loads in prop::collection::vec(0_usize..5, 1..20), turn in 0_usize..100) {
            let picked = Algorithm::LeastOutstandingRequests.pick(&loads, turn, |&load| load);
            prop_assert_eq!(picked, loads.iter().min());
        }

        #[test]
        fn equals_take_turns(count in 1_usize..20, turn in 0_usize..100) {
            let candidates: Vec<usize> = (0..count).collect();
            let picked = Algorithm::LeastOutstandingRequests.pick(&candidates, turn, |_| 3);
            prop_assert_eq!(picked, Some(&(turn % count)));
        }
    }
}
