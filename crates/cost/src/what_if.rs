//! What a change would save: each knob alone, the cheapest of all combinations, and ways back under a budget.
//!
//! Evaluating a stack is not this crate's: whoever asks brings a function from changed variables to a bill, and `None` from it means that
//! the stack refuses these values.

mod budget;
mod optimum;

use serde::Serialize;

pub use budget::{Budget, WayBack, budget};
pub use optimum::{Optimum, optimise};

use crate::{Bill, Changes, KNOBS, Knob, Totals, Usd};

/// Which of a bill's two prices is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// The list price.
    List,
    /// With what AWS always gives for free.
    WithFreeTier,
}

/// What turning one knob does to the bill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The knob.
    pub knob: &'static Knob,
    /// What the stack then costs.
    pub totals: Totals,
    /// How much less that is than now, as expected at list price; a negative saving is an expense.
    pub saves_list: Usd,
    /// The same with the free tier.
    pub saves_with_free_tier: Usd,
}

impl Figure {
    /// The expected amount.
    pub fn of(self, totals: &Totals) -> Usd {
        match self {
            Self::List => totals.list.expected,
            Self::WithFreeTier => totals.with_free_tier.expected,
        }
    }
}

/// Every knob alone, from what saves most with the free tier to what saves least. One that changes nothing, or that the stack refuses, is
/// left out; `None` if the stack as it is has no bill.
pub fn what_if(mut price: impl FnMut(&Changes) -> Option<Bill>) -> Option<Vec<Outcome>> {
    let now = price(&Changes::new())?.totals;
    let mut outcomes = Vec::new();
    for knob in KNOBS {
        let turned = price(&knob.with(&Changes::new())).map(|bill| bill.totals);
        outcomes.extend(
            turned
                .filter(|totals| *totals != now)
                .map(|totals| outcome(knob, totals, &now)),
        );
    }
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.saves_with_free_tier));
    Some(outcomes)
}

fn outcome(knob: &'static Knob, totals: Totals, now: &Totals) -> Outcome {
    let saves = |figure: Figure| figure.of(now) - figure.of(&totals);
    Outcome {
        knob,
        saves_list: saves(Figure::List),
        saves_with_free_tier: saves(Figure::WithFreeTier),
        totals,
    }
}

#[cfg(test)]
mod tests;
