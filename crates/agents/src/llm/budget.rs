//! How much may be spent in a day, and what was.
//!
//! Tokens are reserved before a call and settled after it, so that calls at the same time cannot together go beyond the
//! cap. A call whose cost is not known, because its answer never came, costs what was reserved for it.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use thiserror::Error;

use super::wire::Usage;

const SECONDS_OF_A_DAY: i64 = 86_400;

/// The most that may be spent in a day of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cap {
    pub(super) tokens: u64,
    /// In millionths of a US dollar.
    pub(super) microdollars: Option<u64>,
    pub(super) prices: Prices,
}

/// In millionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prices {
    pub(super) input: u64,
    pub(super) output: u64,
}

/// The day's cap would be passed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// The one of tokens.
    #[error("LLM_TOKENS_PER_DAY is reached: {spent} of {cap} tokens are spent or under way")]
    Tokens {
        /// Today, with what is under way.
        spent: u64,
        /// The most.
        cap: u64,
    },
    /// The one of money.
    #[error("LLM_USD_PER_DAY is reached: {spent} of {cap} millionths of a dollar are spent or under way")]
    Microdollars {
        /// Today, with what is under way.
        spent: u64,
        /// The most.
        cap: u64,
    },
}

/// What one process has spent today.
#[derive(Debug)]
pub(super) struct Budget {
    cap: Cap,
    day: Mutex<Day>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Day {
    /// Since 1970.
    number: i64,
    /// Spent or reserved.
    taken: Usage,
}

/// Tokens set aside for one call. Dropped without [`Reservation::settle`], they count as spent.
#[derive(Debug)]
pub(super) struct Reservation<'b> {
    budget: &'b Budget,
    day: i64,
    reserved: Usage,
}

impl Prices {
    /// In millionths of a US dollar, rounded up.
    pub(super) fn cost(self, usage: Usage) -> u64 {
        let input = u128::from(usage.prompt_tokens) * u128::from(self.input);
        let output = u128::from(usage.completion_tokens) * u128::from(self.output);
        u64::try_from((input + output).div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

impl Budget {
    pub(super) fn new(cap: Cap) -> Budget {
        Budget {
            cap,
            day: Mutex::default(),
        }
    }

    /// Sets tokens aside, if the day still has them.
    pub(super) fn reserve(&self, usage: Usage, now: Timestamp) -> Result<Reservation<'_>, Exhausted> {
        let today = now.as_second().div_euclid(SECONDS_OF_A_DAY);
        let mut day = self.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.number != today {
            *day = Day {
                number: today,
                taken: Usage::default(),
            };
        }
        let taken = day.taken.and(usage);
        self.cap.check(day.taken, taken)?;
        day.taken = taken;
        Ok(Reservation {
            budget: self,
            day: today,
            reserved: usage,
        })
    }

    /// What a call has cost, in millionths of a US dollar.
    pub(super) fn cost(&self, usage: Usage) -> u64 {
        self.cap.prices.cost(usage)
    }
}

impl Cap {
    fn check(self, spent: Usage, then: Usage) -> Result<(), Exhausted> {
        if then.total() > self.tokens {
            return Err(Exhausted::Tokens {
                spent: spent.total(),
                cap: self.tokens,
            });
        }
        match self.microdollars {
            Some(cap) if self.prices.cost(then) > cap => Err(Exhausted::Microdollars {
                spent: self.prices.cost(spent),
                cap,
            }),
            _ => Ok(()),
        }
    }
}

impl Reservation<'_> {
    /// Gives back what was not used; takes what was used beyond the reservation.
    pub(super) fn settle(mut self, used: Usage) {
        let mut day = self.budget.day.lock().unwrap_or_else(PoisonError::into_inner);
        if day.number == self.day {
            day.taken = day.taken.without(self.reserved).and(used);
        }
        self.reserved = used;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usage(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage {
            prompt_tokens,
            completion_tokens,
        }
    }

    fn budget(tokens: u64, microdollars: Option<u64>) -> Budget {
        let prices = Prices {
            input: 150_000,
            output: 600_000,
        };
        Budget::new(Cap {
            tokens,
            microdollars,
            prices,
        })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn prices_are_rounded_up() {
        let prices = Prices {
            input: 150_000,
            output: 600_000,
        };
        assert_eq!(prices.cost(usage(1_000_000, 0)), 150_000);
        assert_eq!(prices.cost(usage(1, 0)), 1);
        assert_eq!(prices.cost(usage(100, 10)), 21);
        let dear = Prices {
            input: u64::MAX,
            output: 0,
        };
        assert_eq!(dear.cost(usage(u64::MAX, u64::MAX)), u64::MAX);
    }

    #[test]
    fn what_is_given_back_can_be_spent_and_another_day_is_another_budget() {
        let budget = budget(100, None);
        let first = budget.reserve(usage(50, 50), at(0)).unwrap();
        let full = Exhausted::Tokens { spent: 100, cap: 100 };
        assert_eq!(budget.reserve(usage(1, 0), at(1)).unwrap_err(), full);
        first.settle(usage(50, 10));
        // Its answer never comes: it counts as spent.
        let _unanswered = budget.reserve(usage(40, 0), at(2)).unwrap();
        assert_eq!(budget.reserve(usage(1, 0), at(3)).unwrap_err(), full);
        budget.reserve(usage(100, 0), at(SECONDS_OF_A_DAY)).unwrap();
    }

    #[test]
    fn the_cap_of_money_counts_too() {
        let budget = budget(1_000_000, Some(21));
        budget.reserve(usage(100, 10), at(0)).unwrap();
        let full = Exhausted::Microdollars { spent: 21, cap: 21 };
        assert_eq!(budget.reserve(usage(100, 0), at(0)).unwrap_err(), full);
    }

    proptest! {
        #[test]
        fn reservations_never_pass_the_cap(calls in proptest::collection::vec((0_u64..60, 0_u64..60, any::<bool>()), 0..30)) {
            let budget = budget(200, None);
            let mut taken = 0;
            for (prompt, completion, settles) in calls {
                if let Ok(reservation) = budget.reserve(usage(prompt, completion), at(0)) {
                    if settles { reservation.settle(usage(prompt, 0)); taken += prompt } else { taken += prompt + completion }
                }
                prop_assert!(taken <= 200);
            }
        }
    }
}
