//! [`StatisticSet`]: what is kept of the values of one metric in one minute.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_StatisticSet.html>

use std::fmt;
use std::str::FromStr;

use super::Statistic;
use super::distribution::Distribution;

/// What is kept of some values. There is at least one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatisticSet {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    /// How the values are spread; percentiles need it, unless all values are one.
    pub(crate) distribution: Option<Distribution>,
}

impl StatisticSet {
    /// A single value.
    pub(crate) fn of(value: f64) -> Self {
        Self {
            count: 1,
            sum: value,
            minimum: value,
            maximum: value,
            distribution: None,
        }
    }

    /// The same value so many times; `None` where that is never.
    pub(crate) fn repeated(value: f64, count: u64) -> Option<Self> {
        let one = Self::of(value);
        (count > 0).then(|| Self {
            count,
            sum: value * as_number(count),
            ..one
        })
    }

    /// Several values without their distribution, as ECS reports its own; `None` where there are none.
    pub(crate) fn of_all(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let all = Self::spread(values.into_iter().map(|value| (value, 1)))?;
        Some(Self {
            distribution: None,
            ..all
        })
    }

    /// Values and how often each occurred, with their distribution; `None` where there are none.
    pub(crate) fn spread(values: impl IntoIterator<Item = (f64, u64)>) -> Option<Self> {
        let sets = values
            .into_iter()
            .filter_map(|(value, count)| Self::repeated(value, count));
        sets.reduce(|mut all, one| {
            all.merge(&one);
            all
        })
    }

    /// Adds the values of another set. Where the distribution of one is not known, that of all is not.
    pub(crate) fn merge(&mut self, other: &Self) {
        let both = (self.known_distribution(), other.known_distribution());
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        self.distribution = match both {
            (Some(mut all), Some(more)) if !self.is_one_value() => {
                all.add(&more);
                Some(all)
            }
            _ => None,
        };
    }

    /// A statistic of the values. There is no percentile where the distribution is not known.
    pub(crate) fn value(&self, statistic: Statistic) -> Option<f64> {
        Some(match statistic {
            Statistic::Average => self.sum / as_number(self.count),
            Statistic::Sum => self.sum,
            Statistic::Minimum => self.minimum,
            Statistic::Maximum => self.maximum,
            Statistic::SampleCount => as_number(self.count),
            Statistic::Percentile(percent) => self.percentile(percent)?,
        })
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        let told = self.known_distribution()?.percentile(percent)?;
        Some(told.max(self.minimum).min(self.maximum))
    }

    /// Where all values are one, that is their distribution.
    fn known_distribution(&self) -> Option<Distribution> {
        if self.is_one_value() {
            return Distribution::of(self.minimum, self.count);
        }
        self.distribution.clone()
    }

    #[expect(clippy::float_cmp, reason = "one and the same value is meant")]
    fn is_one_value(&self) -> bool {
        self.minimum == self.maximum
    }
}

/// A count among other numbers.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 nobody sees the difference")]
pub(crate) fn as_number(count: u64) -> f64 {
    count as f64
}

/// `3 6 1 3 0:1,35:1,55:1`: count, sum, minimum, maximum, and the distribution where it is known.
impl fmt::Display for StatisticSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            sum,
            minimum,
            maximum,
            distribution,
        } = self;
        write!(f, "{count} {sum} {minimum} {maximum}")?;
        distribution
            .iter()
            .try_for_each(|distribution| write!(f, " {distribution}"))
    }
}

/// The text is not a statistic set.
#[derive(Debug)]
pub(crate) struct NotAStatisticSet;

impl FromStr for StatisticSet {
    type Err = NotAStatisticSet;

    fn from_str(text: &str) -> Result<Self, NotAStatisticSet> {
        read(text).ok_or(NotAStatisticSet)
    }
}

fn read(text: &str) -> Option<StatisticSet> {
    let mut words = text.split(' ');
    let count = words.next()?.parse().ok().filter(|count| *count > 0)?;
    let mut number = || words.next()?.parse().ok().filter(|number: &f64| number.is_finite());
    let (sum, minimum, maximum) = (number()?, number()?, number()?);
    let distribution = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some(StatisticSet {
        count,
        sum,
        minimum,
        maximum,
        distribution,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((0_u32..100_000).prop_map(f64::from), 1..30)
    }

    fn spread(values: &[f64]) -> StatisticSet {
        StatisticSet::spread(values.iter().map(|value| (*value, 1))).unwrap()
    }

    #[test]
    fn a_set_has_a_percentile_only_where_its_values_are_known() {
        let known = StatisticSet::of_all([5.0, 5.0]).unwrap();
        assert_eq!(known.value(Statistic::Percentile(99.0)), Some(5.0));
        let unknown = StatisticSet::of_all([5.0, 6.0]).unwrap();
        assert_eq!(unknown.value(Statistic::Percentile(99.0)), None);
        assert_eq!(unknown.value(Statistic::Average), Some(5.5));
        assert_eq!(StatisticSet::of_all([]), None);
        assert_eq!(StatisticSet::repeated(1.0, 0), None);
    }

    #[test]
    fn garbage_is_no_set() {
        for text in [
            "",
            "0 1 1 1",
            "1 x 1 1",
            "1 1 1",
            "1 1 1 NaN",
            "1 1 1 1 q",
            "1 1 1 1 0:1 more",
        ] {
            assert!(text.parse::<StatisticSet>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn values_told_together_or_apart_are_the_same(left in values(), right in values()) {
            let mut apart = spread(&left);
            apart.merge(&spread(&right));
            prop_assert_eq!(apart, spread(&[left, right].concat()));
        }

        #[test]
        fn it_is_read_as_it_was_written(values in values()) {
            let written = spread(&values);
            prop_assert_eq!(written.to_string().parse::<StatisticSet>().unwrap(), written);
        }

        #[test]
        fn percentiles_lie_between_the_ends(values in values(), percent in 0.0..=100.0) {
            let set = spread(&values);
            let told = set.value(Statistic::Percentile(percent)).unwrap();
            prop_assert!(set.minimum <= told && told <= set.maximum);
        }
    }
}
