//! From deductions to scores and a recommendation.

use serde::Serialize;

use crate::profile::round;

/// The weights of the three scores in the overall one.
const QUALITY_WEIGHT: f64 = 0.5;
const HONESTY_WEIGHT: f64 = 0.3;
const PRICE_WEIGHT: f64 = 0.2;

/// Which score a deduction touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dimension {
    /// How useful the data is.
    Quality,
    /// How likely it is not what it seems.
    Fraud,
}

/// One thing that is wrong with the data.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Deduction {
    /// A fixed word for programs.
    pub(super) code: &'static str,
    pub(super) dimension: Dimension,
    /// By how much it lowers the quality or raises the suspicion, from 0 to 1.
    pub(super) points: f64,
    /// A full sentence with the figures.
    pub(super) reason: String,
    /// Where to look: places in the data, with what stands there.
    pub(super) evidence: Vec<String>,
}

/// How many pieces of evidence a deduction shows.
const MOST_EVIDENCE: usize = 5;

impl Deduction {
    /// A deduction of these points; it shows the first pieces of evidence.
    pub(super) fn new(
        dimension: Dimension,
        code: &'static str,
        points: f64,
        reason: String,
        evidence: impl IntoIterator<Item = String>,
    ) -> Deduction {
        let evidence = evidence.into_iter().take(MOST_EVIDENCE).collect();
        Deduction {
            code,
            dimension,
            points: round(points),
            reason,
            evidence,
        }
    }
}

/// What to do with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Recommendation {
    Approve,
    Review,
    Reject,
}

impl Recommendation {
    /// As it stands in the answer.
    pub(super) fn name(self) -> &'static str {
        match self {
            Recommendation::Approve => "approve",
            Recommendation::Review => "review",
            Recommendation::Reject => "reject",
        }
    }
}

/// The scores, each from 0 to 1.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Verdict {
    pub(super) quality_score: f64,
    /// The higher, the worse.
    pub(super) fraud_score: f64,
    /// None where no price was named; then the other two alone make the overall score.
    pub(super) price_score: Option<f64>,
    pub(super) overall_score: f64,
    pub(super) recommendation: Recommendation,
}

impl Verdict {
    /// Sums up the deductions of each dimension.
    pub(super) fn of(deductions: &[Deduction], price_score: Option<f64>) -> Verdict {
        let sum = |dimension| {
            let of_it = deductions.iter().filter(|deduction| deduction.dimension == dimension);
            // The sum of nothing is less than nothing, to the letter: -0.0.
            (of_it.map(|deduction| deduction.points).sum::<f64>() + 0.0).min(1.0)
        };
        let quality = 1.0 - sum(Dimension::Quality);
        let fraud = sum(Dimension::Fraud);
        let known = QUALITY_WEIGHT * quality + HONESTY_WEIGHT * (1.0 - fraud);
        let overall = match price_score {
            Some(price) => known + PRICE_WEIGHT * price,
            None => known / (QUALITY_WEIGHT + HONESTY_WEIGHT),
        };
        Verdict {
            quality_score: round(quality),
            fraud_score: round(fraud),
            price_score,
            overall_score: round(overall),
            recommendation: recommendation(overall, fraud),
        }
    }
}

fn recommendation(overall: f64, fraud: f64) -> Recommendation {
    if overall < 0.5 || fraud > 0.7 {
        Recommendation::Reject
    } else if overall >= 0.8 && fraud < 0.2 {
        Recommendation::Approve
    } else {
        Recommendation::Review
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict(quality: f64, fraud: f64, price: Option<f64>) -> Verdict {
        let deduction = |dimension, points| Deduction::new(dimension, "x", points, String::new(), []);
        Verdict::of(
            &[
                deduction(Dimension::Quality, quality),
                deduction(Dimension::Fraud, fraud),
            ],
            price,
        )
    }

    fn check(quality: f64, fraud: f64, price: Option<f64>, overall: f64, recommendation: Recommendation) {
        let found = verdict(quality, fraud, price);
        assert!((found.overall_score - overall).abs() < 1e-9, "{found:?}");
        assert_eq!(found.recommendation, recommendation, "{found:?}");
    }

    #[test]
    fn the_formula() {
        check(0.0, 0.0, Some(1.0), 1.0, Recommendation::Approve);
        check(0.2, 0.1, Some(0.5), 0.77, Recommendation::Review);
        check(0.0, 0.2, Some(1.0), 0.94, Recommendation::Review);
        check(0.0, 0.8, Some(1.0), 0.76, Recommendation::Reject);
        check(1.0, 0.5, Some(1.0), 0.35, Recommendation::Reject);
        check(0.2, 0.0, None, 0.875, Recommendation::Approve);
        let flawless = Verdict::of(&[], None);
        assert!(flawless.fraud_score.is_sign_positive(), "{flawless:?}");
    }

    proptest! {
        #[test]
        fn scores_stay_within_bounds(quality in 0.0..3.0, fraud in 0.0..3.0, price in proptest::option::of(0.0..=1.0)) {
            let found = verdict(quality, fraud, price);
            for score in [found.quality_score, found.fraud_score, found.overall_score] {
                prop_assert!((0.0..=1.0).contains(&score), "{found:?}");
            }
        }
    }
}
