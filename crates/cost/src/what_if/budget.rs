//! A budget, and the ways back under it.

use serde::Serialize;

use super::{Figure, Optimum, optimise};
use crate::{Bill, Changes, Feature, KNOBS, Knob, Totals, Usd};

/// Whether a stack stays within a budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Budget {
    /// It does.
    Within {
        /// What is left of the budget.
        left: Usd,
    },
    /// It does not.
    Over {
        /// By so much.
        by: Usd,
        /// The cheapest ways back under it, those first that give up least; none where nothing here is enough.
        ways_back: Vec<WayBack>,
    },
}

/// Knobs that bring a bill back under its budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayBack {
    /// The knobs.
    pub knobs: Vec<&'static Knob>,
    /// The variables they set.
    pub variables: Changes,
    /// What the stack then costs.
    pub totals: Totals,
    /// How much less that is.
    pub saves: Usd,
}

/// So many ways back are told.
const WAYS: usize = 3;

/// Holds a stack against a monthly budget. `None` if the stack as it is has no bill.
///
/// A way back is one knob; where too few are enough by themselves, two of the others; and where that is not enough either, everything that
/// saves anything. It is cheap when it gives up what is missed least ([`Feature`] has the order), and among those that give up the same when
/// it saves most.
pub fn budget(limit: Usd, figure: Figure, mut price: impl FnMut(&Changes) -> Option<Bill>) -> Option<Budget> {
    let now = figure.of(&price(&Changes::new())?.totals);
    if now <= limit {
        return Some(Budget::Within { left: limit - now });
    }
    let singles: Vec<Vec<&'static Knob>> = KNOBS.iter().map(|knob| vec![knob]).collect();
    let mut ways_back = enough(singles, limit, figure, now, &mut price);
    if ways_back.len() < WAYS {
        let pairs = pairs(&ways_back);
        ways_back.extend(enough(pairs, limit, figure, now, &mut price));
    }
    if ways_back.is_empty() {
        let optimum = optimise(&[], figure, &mut price)?;
        ways_back.extend(way_of(optimum, figure).filter(|way| figure.of(&way.totals) <= limit));
    }
    ways_back.sort_by_key(|way| (sacrifice(&way.knobs), std::cmp::Reverse(way.saves)));
    ways_back.truncate(WAYS);
    Some(Budget::Over {
        by: now - limit,
        ways_back,
    })
}

/// Two knobs, neither of which is enough by itself.
fn pairs(enough: &[WayBack]) -> Vec<Vec<&'static Knob>> {
    let is_enough = |knob: &&Knob| enough.iter().any(|way| way.knobs.contains(knob));
    let knobs: Vec<&'static Knob> = KNOBS.iter().filter(|knob| !is_enough(knob)).collect();
    let others = |one: &Knob| {
        knobs
            .iter()
            .filter(move |other| one.axis < other.axis)
            .copied()
            .collect::<Vec<_>>()
    };
    let pair = |one: &'static Knob| others(one).into_iter().map(move |other| vec![one, other]);
    knobs.iter().copied().flat_map(pair).collect()
}

/// Those of the combinations that stay within the limit.
fn enough(
    combinations: Vec<Vec<&'static Knob>>,
    limit: Usd,
    figure: Figure,
    now: Usd,
    price: &mut impl FnMut(&Changes) -> Option<Bill>,
) -> Vec<WayBack> {
    let mut ways = Vec::new();
    for knobs in combinations {
        let variables = knobs.iter().fold(Changes::new(), |changes, knob| knob.with(&changes));
        let Some(totals) = price(&variables).map(|bill| bill.totals) else {
            continue;
        };
        let cost = figure.of(&totals);
        if cost <= limit {
            let saves = now - cost;
            ways.push(WayBack {
                knobs,
                variables,
                totals,
                saves,
            });
        }
    }
    ways
}

fn way_of(optimum: Optimum, figure: Figure) -> Option<WayBack> {
    let saves = figure.of(&optimum.before) - figure.of(&optimum.after);
    (!optimum.knobs.is_empty()).then_some(WayBack {
        knobs: optimum.knobs,
        variables: optimum.variables,
        totals: optimum.after,
        saves,
    })
}

/// What is given up, what is missed most first.
fn sacrifice(knobs: &[&Knob]) -> Vec<Feature> {
    let mut features: Vec<Feature> = knobs.iter().filter_map(|knob| knob.sacrifice()).collect();
    features.sort_by_key(|feature| std::cmp::Reverse(*feature));
    features
}
