//! Is the price fair? Compared with what the agents ask for such data themselves.

use serde::Serialize;

use crate::profile::round;

/// What data of a kind is offered for, in GLUE.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tariff {
    base: f64,
    per_record: f64,
    most: f64,
    record: &'static str,
}

/// karma-hello's tariff.
pub(super) const CHAT: Tariff = Tariff {
    base: 0.01,
    per_record: 0.0001,
    most: 200.0,
    record: "message",
};
/// abracadabra's tariff.
pub(super) const TRANSCRIPT: Tariff = Tariff {
    base: 0.02,
    per_record: 0.001,
    most: 300.0,
    record: "segment",
};

/// What is to be said of a price.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct PriceOpinion {
    /// 1 up to the tariff's price, then as much less as it is dearer: a half at twice the price.
    pub(super) score: f64,
    asked_glue: f64,
    tariff_glue: f64,
    reason: String,
}

impl Tariff {
    /// Compares a price with the tariff's for as many records as were counted, whatever was claimed.
    pub(super) fn opinion(self, asked: f64, records: usize) -> PriceOpinion {
        let tariff = (self.base + self.per_record * records as f64).min(self.most);
        let score = if asked > tariff { tariff / asked } else { 1.0 };
        let Tariff {
            base,
            per_record,
            record,
            ..
        } = self;
        let reason = format!("the tariff is {base} and {per_record} per {record}; {records} were counted");
        PriceOpinion {
            score: round(score),
            asked_glue: asked,
            tariff_glue: tariff,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::find_agent;
    use crate::payments::Price;

    /// In GLUE, which has six decimals.
    #[test]
    fn the_tariffs_are_what_the_agents_ask() {
        let check = |tariff: Tariff, agent: &str| {
            let skills = find_agent(agent).unwrap().skills.iter();
            let sold = skills.filter_map(|skill| match skill.price {
                Price::Records { base, each, record, .. } => Some((base as f64 / 1e6, each as f64 / 1e6, record)),
                _ => None,
            });
            assert_eq!(
                sold.collect::<Vec<_>>(),
                [(tariff.base, tariff.per_record, tariff.record)]
            );
        };
        check(CHAT, "karma-hello");
        check(TRANSCRIPT, "abracadabra");
    }

    #[test]
    fn what_is_dearer_than_the_tariff_scores_less() {
        let check = |asked: f64, records: usize, score: f64| {
            let found = CHAT.opinion(asked, records);
            assert!((found.score - score).abs() < 1e-9, "{found:?}");
        };
        check(0.0, 0, 1.0);
        check(0.02, 100, 1.0);
        check(0.04, 100, 0.5);
        check(400.0, 100_000_000, 0.5);
    }
}
