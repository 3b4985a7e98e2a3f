//! What a skill costs: a rule that gives an amount for every input, before there is an answer.
//!
//! Amounts are whole base units of the token: for one of six decimals, 10,000 are a cent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::chain::Amount;

/// The rule of a skill, and the amounts that are asked where `PRICES` sets no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// Nobody pays for it.
    Free,
    /// So much, whatever is asked.
    Flat(u128),
    /// By how much is wanted, from the least to the most.
    Levels {
        /// The field of the input that names the level; one that names none wants the most.
        field: &'static str,
        /// The levels with their prices.
        levels: &'static [(&'static str, u128)],
    },
    /// By the question, and by every record that the answer may hold. It is asked before anybody counts, so that a price stands while records come in.
    Records {
        /// For the question.
        base: u128,
        /// For each record.
        each: u128,
        /// What a record is called.
        record: &'static str,
        /// The field of the input that says how many the answer may hold.
        field: &'static str,
        /// How many it may hold where the input does not say.
        unless_said: usize,
        /// How many it may hold at most.
        most: usize,
    },
}

/// A part of a price that is one amount: a level, `base`, or what is counted.
pub(crate) type Part = &'static str;

/// The only part of a price that is the same for everybody.
const WHOLE: Part = "";

/// The part of a price by records that is for the question.
const BASE: Part = "base";

impl Price {
    /// The amounts that it is made of.
    fn parts(self) -> Vec<(Part, u128)> {
        match self {
            Price::Free => Vec::new(),
            Price::Flat(amount) => vec![(WHOLE, amount)],
            Price::Levels { levels, .. } => levels.to_vec(),
            Price::Records { base, each, record, .. } => vec![(BASE, base), (record, each)],
        }
    }
}

/// A rule with the amounts that are asked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tariff {
    rule: Price,
    parts: BTreeMap<Part, Amount>,
}

impl Tariff {
    /// What is asked where nobody says otherwise.
    pub(crate) fn suggested(rule: Price) -> Tariff {
        let parts = rule.parts().into_iter().map(|(part, amount)| (part, Amount(amount)));
        Tariff {
            rule,
            parts: parts.collect(),
        }
    }

    /// The same with another amount for one of its parts, if it has such a one.
    pub(crate) fn with(mut self, part: &str, amount: Amount) -> Option<Tariff> {
        let (_, known) = self.parts.iter_mut().find(|(name, _)| **name == part)?;
        *known = amount;
        Some(self)
    }

    /// The names of its parts, where there is more than one.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let parts = self.rule.parts().into_iter().map(|(part, _)| part);
        parts.filter(|part| *part != WHOLE)
    }

    /// Whether nobody pays, whatever he asks.
    pub(crate) fn is_free(&self) -> bool {
        self.parts.values().all(|amount| *amount == Amount(0))
    }

    /// Whether one must know the input to know the price.
    pub(crate) fn asks_for_the_input(&self) -> bool {
        matches!(self.rule, Price::Levels { .. } | Price::Records { .. })
    }

    /// What is asked for an input. One that the skill will not understand costs the most: it is refused, and then nobody pays.
    pub(crate) fn of(&self, input: &Value) -> Amount {
        match self.rule {
            Price::Free => Amount(0),
            Price::Flat(_) => self.part(WHOLE),
            Price::Levels { field, levels } => self.of_level(&input[field], levels),
            Price::Records {
                record,
                field,
                unless_said,
                most,
                ..
            } => {
                let records = count(&input[field], unless_said).map_or(most, |count| count.min(most));
                let all = self.part(record).0.saturating_mul(records as u128);
                Amount(self.part(BASE).0.saturating_add(all))
            }
        }
    }

    fn of_level(&self, named: &Value, levels: &[(Part, u128)]) -> Amount {
        let known = levels.iter().map(|(level, _)| *level);
        let wanted = match named {
            Value::Null => levels.last().map(|(level, _)| *level),
            named => known.into_iter().find(|level| named == level),
        };
        let dearest = || self.parts.values().copied().max().unwrap_or_default();
        wanted.map_or_else(dearest, |level| self.part(level))
    }

    fn part(&self, part: Part) -> Amount {
        self.parts.get(part).copied().unwrap_or_default()
    }

    /// As a card tells it: the amounts, and which field of the input decides.
    pub(crate) fn json(&self) -> Value {
        match self.rule {
            Price::Free | Price::Flat(_) => json!({ "amount": self.part(WHOLE) }),
            Price::Levels { field, levels } => json!({
                "field": field,
                "amounts": self.parts,
                "default": levels.last().map(|(level, _)| level),
            }),
            Price::Records {
                record,
                field,
                unless_said,
                most,
                ..
            } => json!({
                "amount": self.part(BASE),
                "each": self.part(record),
                "record": record,
                "field": field,
                "default": unless_said,
                "most": most,
            }),
        }
    }
}

/// How many records are wanted; `None` where that is not to be understood.
fn count(named: &Value, unless_said: usize) -> Option<usize> {
    match named {
        Value::Null => Some(unless_said),
        // As a query writes it.
        Value::String(digits) => digits.parse().ok(),
        number => number.as_u64().and_then(|number| usize::try_from(number).ok()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEVELS: Price = Price::Levels {
        field: "level",
        levels: &[("some", 20), ("all", 50)],
    };

    const RECORDS: Price = Price::Records {
        base: 100,
        each: 2,
        record: "message",
        field: "limit",
        unless_said: 10,
        most: 1000,
    };

    #[test]
    fn the_input_decides_the_price() {
        let check = |rule: Price, input: Value, expected: u128| {
            assert_eq!(Tariff::suggested(rule).of(&input), Amount(expected), "{input}");
        };
        check(Price::Free, json!({ "level": "all" }), 0);
        check(Price::Flat(7), json!({ "level": "all" }), 7);
        check(LEVELS, json!({ "level": "some" }), 20);
        check(LEVELS, json!({ "level": "all" }), 50);
        check(LEVELS, json!({}), 50);
        check(RECORDS, json!({ "limit": 1 }), 102);
        check(RECORDS, json!({ "limit": "1" }), 102);
        check(RECORDS, json!({}), 120);
        check(RECORDS, json!({ "limit": null }), 120);
    }

    #[test]
    fn what_is_not_understood_costs_the_most() {
        let check = |rule: Price, input: Value, expected: u128| {
            assert_eq!(Tariff::suggested(rule).of(&input), Amount(expected), "{input}");
        };
        check(LEVELS, json!({ "level": "Some" }), 50);
        check(LEVELS, json!({ "level": ["some"] }), 50);
        check(RECORDS, json!({ "limit": 5000 }), 2100);
        check(RECORDS, json!({ "limit": -1 }), 2100);
        check(RECORDS, json!({ "limit": 0.5 }), 2100);
        check(RECORDS, json!({ "limit": "few" }), 2100);
    }

    proptest! {
        #[test]
        fn more_is_never_cheaper(base: u128, each: u128, few in 0_u64..2_000, more in 0_u64..2_000) {
            let tariff = Tariff::suggested(RECORDS).with("base", Amount(base)).unwrap();
            let tariff = tariff.with("message", Amount(each)).unwrap();
            let of = |limit: u64| tariff.of(&json!({ "limit": limit }));
            prop_assert!(of(few.min(more)) <= of(few.max(more)));
        }
    }
}
