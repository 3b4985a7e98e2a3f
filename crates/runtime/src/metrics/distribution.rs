//! [`Distribution`]: how values are spread, as far as percentiles need to know.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// How many values fell into each bucket. Buckets grow by a fiftieth, so that a percentile is exact to one percent.
///
/// Like CloudWatch's it knows no negative values.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Distribution(BTreeMap<i32, u64>);

/// Each bucket's middle is so many times that of the one before.
const GROWTH: f64 = 1.02;

/// The bucket of all that is zero, or as good as zero.
const ZERO: i32 = i32::MIN;

/// Smaller values are as good as zero.
const SMALLEST: f64 = 1e-12;

impl Distribution {
    /// So many times one value; `None` where it is negative or no number.
    pub(crate) fn of(value: f64, count: u64) -> Option<Self> {
        (value >= 0.0 && value.is_finite()).then(|| Self(BTreeMap::from([(bucket(value), count)])))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            let known = self.0.entry(*bucket).or_default();
            *known = known.saturating_add(*count);
        }
    }

    /// The value that so many percent of all do not exceed; `None` where there is none.
    pub(crate) fn percentile(&self, percent: f64) -> Option<f64> {
        let wanted = rank(percent, self.count());
        let mut seen = 0_u64;
        let found = self.0.iter().find(|(_, count)| {
            seen = seen.saturating_add(**count);
            seen >= wanted
        });
        found.map(|(bucket, _)| middle(*bucket))
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the logarithm of a finite number is small"
)]
fn bucket(value: f64) -> i32 {
    if value < SMALLEST {
        return ZERO;
    }
    (value.ln() / GROWTH.ln()).round() as i32
}

fn middle(bucket: i32) -> f64 {
    if bucket == ZERO { 0.0 } else { GROWTH.powi(bucket) }
}

/// Which of `count` values in order is the one to look for, counted from 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count, and beyond 2^53 values nobody sees the difference"
)]
fn rank(percent: f64, count: u64) -> u64 {
    ((percent / 100.0 * count as f64).ceil() as u64).clamp(1, count.max(1))
}

/// `12:3,15:1`: buckets and their counts. Zero's bucket is `z`.
impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (bucket, count)) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match *bucket {
                ZERO => write!(f, "{comma}z:{count}")?,
                bucket => write!(f, "{comma}{bucket}:{count}")?,
            }
        }
        Ok(())
    }
}

/// The text is not a distribution.
#[derive(Debug)]
pub(crate) struct NotADistribution;

impl FromStr for Distribution {
    type Err = NotADistribution;

    fn from_str(text: &str) -> Result<Self, NotADistribution> {
        let entries = text.split(',').map(entry).collect::<Option<_>>();
        entries.map(Self).ok_or(NotADistribution)
    }
}

/// No bucket lies beyond those of the largest and the smallest number.
const FARTHEST: i32 = 40_000;

fn entry(text: &str) -> Option<(i32, u64)> {
    let (bucket, count) = text.split_once(':')?;
    let bucket = match bucket {
        "z" => ZERO,
        bucket => bucket.parse().ok().filter(|bucket: &i32| bucket.abs() <= FARTHEST)?,
    };
    Some((bucket, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distribution(values: &[f64]) -> Distribution {
        let mut all = Distribution::default();
        for value in values {
            all.add(&Distribution::of(*value, 1).unwrap());
        }
        all
    }

    #[test]
    fn negative_values_have_no_distribution() {
        assert_eq!(Distribution::of(-1.0, 1), None);
        assert_eq!(Distribution::of(f64::NAN, 1), None);
        assert_eq!(Distribution::default().percentile(50.0), None);
    }

    proptest! {
        #[test]
        fn a_percentile_is_exact_to_one_percent(
            mut values in prop::collection::vec(prop_oneof![Just(0.0), 1e-9_f64..1e9], 1..60),
            percent in 0.0..=100.0,
        ) {
            let told = distribution(&values).percentile(percent).unwrap();
            values.sort_by(f64::total_cmp);
            let exact = values[usize::try_from(rank(percent, values.len() as u64)).unwrap() - 1];
            prop_assert!((told - exact).abs() <= exact * 0.011, "{told} for {exact}");
        }

        #[test]
        fn it_is_read_as_it_was_written(values in prop::collection::vec(0.0_f64..1e300, 1..20)) {
            let written = distribution(&values);
            prop_assert_eq!(written.to_string().parse::<Distribution>().unwrap(), written);
        }

        #[test]
        fn garbage_is_no_distribution_and_no_panic(text in "[z0-9:,-]{0,12}") {
            if let Ok(read) = text.parse::<Distribution>() {
                prop_assert!(read.percentile(50.0).is_some_and(|value| !value.is_nan()));
            }
        }
    }
}
