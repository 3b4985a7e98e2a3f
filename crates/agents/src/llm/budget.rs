//! How much may be spent in a day, and what was.
//!
//! Tokens are reserved before a call and settled after it, so that calls at the same time cannot together go beyond the
//! cap, whichever tasks make them. A call whose cost is not known, because its answer never came, costs what was reserved for it.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error::LlmError;
use super::wire::Usage;
use crate::store::{Decision, Position, Projection, Store, StoreError, View};

const PROJECTION: Projection = Projection {
    journal: "llm-tokens",
    schema: "CREATE TABLE day (number INTEGER PRIMARY KEY, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL)",
    apply,
};

const SECONDS_OF_A_DAY: i64 = 86_400;

/// How often the store is looked through for what is too old, and what that is.
const CLEANING: Duration = Duration::from_hours(1);
const MEMORY: Duration = Duration::from_hours(48);

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

/// What the tasks of an agent have spent, kept in the store that they share.
#[derive(Debug)]
pub(super) struct Budget {
    cap: Cap,
    view: View,
}

/// Tokens set aside for one call. Dropped without [`Reservation::settle`], they count as spent.
#[derive(Debug)]
pub(super) struct Reservation<'b> {
    budget: &'b Budget,
    day: i64,
    reserved: Usage,
}

/// An entry of the journal: what is added to a day, or taken off it again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Line {
    /// Since 1970.
    day: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
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
    pub(super) fn open(store: &Store, cap: Cap) -> Result<Budget, StoreError> {
        let view = View::open(store, PROJECTION)?;
        Ok(Budget { cap, view })
    }

    /// Sets tokens aside, if the day still has them.
    pub(super) async fn reserve(&self, usage: Usage, now: Timestamp) -> Result<Reservation<'_>, LlmError> {
        let (cap, day) = (self.cap, now.as_second().div_euclid(SECONDS_OF_A_DAY));
        let decide = move |connection: &Connection| {
            let spent = spent(connection, day).map_err(StoreError::from)?;
            cap.check(spent, spent.and(usage))?;
            Ok::<_, LlmError>(Decision::Append(Line::new(day, Usage::default(), usage).json(), ()))
        };
        self.view.append(decide).await?;
        Ok(Reservation {
            budget: self,
            day,
            reserved: usage,
        })
    }

    /// Forgets, every hour, the days that nobody counts any more. It ends with the runtime.
    pub(super) async fn keep_clean(&self) {
        let mut hours = tokio::time::interval(CLEANING);
        loop {
            hours.tick().await;
            // What could not be removed now is removed an hour later.
            let _ = self.view.forget(MEMORY).await;
        }
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
    /// Gives back what was not used; takes what was used beyond the reservation. Where the store cannot be told, what was reserved is spent.
    pub(super) async fn settle(self, used: Usage) {
        if used == self.reserved {
            return;
        }
        let line = Line::new(self.day, self.reserved, used).json();
        let decide = move |_: &Connection| Ok::<_, StoreError>(Decision::Append(line.clone(), ()));
        let _ = self.budget.view.append(decide).await;
    }
}

impl Line {
    /// What turns one usage into another.
    fn new(day: i64, before: Usage, after: Usage) -> Line {
        let change = |before: u64, after: u64| whole(after).saturating_sub(whole(before));
        Line {
            day,
            prompt_tokens: change(before.prompt_tokens, after.prompt_tokens),
            completion_tokens: change(before.completion_tokens, after.completion_tokens),
        }
    }

    fn json(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("numbers are JSON")
    }
}

fn apply(transaction: &Transaction<'_>, _: Position, entry: &[u8]) -> rusqlite::Result<()> {
    let Ok(line) = serde_json::from_slice::<Line>(entry) else {
        return Ok(());
    };
    let spent = spent(transaction, line.day)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO day VALUES (?1, ?2, ?3)")?
        .execute([
            line.day,
            whole(spent.prompt_tokens).saturating_add(line.prompt_tokens),
            whole(spent.completion_tokens).saturating_add(line.completion_tokens),
        ])
        .map(drop)
}

/// On a day, with what is under way.
fn spent(connection: &Connection, day: i64) -> rusqlite::Result<Usage> {
    let mut statement =
        connection.prepare_cached("SELECT prompt_tokens, completion_tokens FROM day WHERE number = ?1")?;
    let row = statement.query_row([day], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    let (prompt, completion) = row.optional()?.unwrap_or_default();
    Ok(Usage {
        prompt_tokens: u64::try_from(prompt).unwrap_or_default(),
        completion_tokens: u64::try_from(completion).unwrap_or_default(),
    })
}

/// As SQLite counts, to an end that nobody reaches.
fn whole(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use proptest::prelude::*;

    use super::*;
    use crate::store::StoreUrl;

    fn usage(prompt_tokens: u64, completion_tokens: u64) -> Usage {
        Usage {
            prompt_tokens,
            completion_tokens,
        }
    }

    fn budget(store: &Store, tokens: u64, microdollars: Option<u64>) -> Budget {
        let prices = Prices {
            input: 150_000,
            output: 600_000,
        };
        let cap = Cap {
            tokens,
            microdollars,
            prices,
        };
        Budget::open(store, cap).unwrap()
    }

    fn memory() -> Store {
        Store::open(None, "skill-extractor").unwrap()
    }

    fn exhausted(spent: u64, cap: u64) -> LlmError {
        LlmError::Exhausted(Exhausted::Tokens { spent, cap })
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

    #[tokio::test]
    async fn what_is_given_back_can_be_spent_and_another_day_is_another_budget() {
        let budget = budget(&memory(), 100, None);
        let first = budget.reserve(usage(50, 50), at(0)).await.unwrap();
        assert_eq!(
            budget.reserve(usage(1, 0), at(1)).await.unwrap_err(),
            exhausted(100, 100)
        );
        first.settle(usage(50, 10)).await;
        // Its answer never comes: it counts as spent.
        let _unanswered = budget.reserve(usage(40, 0), at(2)).await.unwrap();
        assert_eq!(
            budget.reserve(usage(1, 0), at(3)).await.unwrap_err(),
            exhausted(100, 100)
        );
        budget.reserve(usage(100, 0), at(SECONDS_OF_A_DAY)).await.unwrap();
    }

    #[tokio::test]
    async fn the_cap_of_money_counts_too() {
        let budget = budget(&memory(), 1_000_000, Some(21));
        budget.reserve(usage(100, 10), at(0)).await.unwrap();
        let full = Exhausted::Microdollars { spent: 21, cap: 21 };
        assert_eq!(budget.reserve(usage(100, 0), at(0)).await.unwrap_err(), full.into());
    }

    #[tokio::test]
    async fn two_tasks_have_one_budget_and_a_third_goes_on_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Directory(directory.path().to_owned());
        let task = || budget(&Store::open(Some(&url), "skill-extractor").unwrap(), 100, None);
        let tasks = [task(), task()];
        let calls = (0..20).map(|number| tasks[number % 2].reserve(usage(10, 5), at(0)));
        let answers = join_all(calls).await;
        let mut granted: Vec<Reservation<'_>> = answers.into_iter().filter_map(Result::ok).collect();
        assert_eq!(granted.len(), 6);
        let third = task();
        assert_eq!(
            third.reserve(usage(11, 0), at(0)).await.unwrap_err(),
            exhausted(90, 100)
        );
        granted.pop().unwrap().settle(usage(10, 4)).await;
        third.reserve(usage(11, 0), at(0)).await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_counted_is_not_spent() {
        let directory = tempfile::tempdir().unwrap();
        let url = StoreUrl::Directory(directory.path().to_owned());
        let budget = budget(&Store::open(Some(&url), "skill-extractor").unwrap(), 100, None);
        std::fs::write(directory.path().join("skill-extractor"), "no directory").unwrap();
        let error = budget.reserve(usage(1, 0), at(0)).await.unwrap_err();
        assert!(matches!(error, LlmError::Uncounted(_)), "{error}");
    }

    proptest! {
        #[test]
        fn reservations_never_pass_the_cap(calls in proptest::collection::vec((0_u64..60, 0_u64..60, any::<bool>()), 0..30)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let passed = runtime.block_on(async {
                let budget = budget(&memory(), 200, None);
                let mut taken = 0;
                for (prompt, completion, settles) in calls {
                    let Ok(reservation) = budget.reserve(usage(prompt, completion), at(0)).await else { continue };
                    if settles {
                        reservation.settle(usage(prompt, 0)).await;
                        taken += prompt;
                    } else {
                        taken += prompt + completion;
                    }
                }
                taken > 200
            });
            prop_assert!(!passed);
        }
    }
}
