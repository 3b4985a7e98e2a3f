//! How long things took: counts in buckets that grow with the time, so that a percentile is exact to a few percent.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Times, as far as a percentile needs them. Each bucket is at most 1/16 wider than the times in it are long; below
/// 16 µs a bucket is one microsecond.
///
/// Histograms of one source only grow, so that the difference of two is what happened in between.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many times fell into each bucket; what is missing at the end is zero.
    counts: Vec<u64>,
    sum: Duration,
    max: Duration,
}

/// A histogram that is being filled, from any number of threads.
pub(crate) struct Recorder {
    counts: Box<[AtomicU64]>,
    sum_in_nanoseconds: AtomicU64,
    max_in_nanoseconds: AtomicU64,
}

/// Each doubling of the time is cut into 2⁴ buckets.
const BITS: u32 = 4;
const PER_DOUBLING: usize = 1 << BITS;

/// Times from 2³² microseconds on (71 minutes, and the longest idle timeout is 67) share the last bucket.
const BUCKETS: usize = (32 - BITS as usize + 1) * PER_DOUBLING;

impl Histogram {
    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All times together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The longest time; zero when there is none.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The time that the given share of all times does not exceed, `0.99` for the 99th percentile: the upper end of
    /// its bucket, but never more than [`Self::max`]. None when nothing was recorded.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let wanted = rank(share, self.count())?;
        let mut seen = 0;
        let found = self.buckets().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        found.map(|(time, _)| time)
    }

    /// The buckets that are not empty, shortest first: the upper end in time, at most [`Self::max`], and the count.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let filled = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        filled.map(|(bucket, count)| (upper_end(bucket).min(self.max), *count))
    }

    /// What was recorded since `earlier`, which has to be an earlier state of the same histogram. The longest of only
    /// these times is not known: it is told as the end of its bucket.
    #[must_use]
    pub fn difference(&self, earlier: &Self) -> Self {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts: Vec<u64> = self
            .counts
            .iter()
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before))
            .collect();
        let longest = counts.iter().rposition(|&count| count > 0);
        Self {
            max: longest.map_or(Duration::ZERO, |bucket| upper_end(bucket).min(self.max)),
            sum: self.sum.saturating_sub(earlier.sum),
            counts,
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Histogram")
            .field("count", &self.count())
            .field("sum", &self.sum)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn record(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(time)].fetch_add(1, Ordering::Relaxed);
        self.sum_in_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        self.max_in_nanoseconds.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    /// What was recorded up to now. Times that are recorded at this very moment may be in one part and not yet in
    /// another; the next snapshot has them in all.
    pub(crate) fn snapshot(&self) -> Histogram {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Histogram {
            counts: self.counts.iter().map(load).collect(),
            sum: Duration::from_nanos(load(&self.sum_in_nanoseconds)),
            max: Duration::from_nanos(load(&self.max_in_nanoseconds)),
        }
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum_in_nanoseconds: AtomicU64::new(0),
            max_in_nanoseconds: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(formatter)
    }
}

/// The bucket of a time: below 2⁴ µs the number of microseconds; above, the position of the highest bit and the four
/// bits after it.
fn bucket(time: Duration) -> usize {
    let microseconds = usize::try_from(time.as_micros()).unwrap_or(usize::MAX);
    if microseconds < PER_DOUBLING {
        return microseconds;
    }
    let shift = microseconds.ilog2() - BITS;
    let bucket = shift as usize * PER_DOUBLING + (microseconds >> shift);
    bucket.min(BUCKETS - 1)
}

/// The longest time of a bucket.
fn upper_end(bucket: usize) -> Duration {
    let next = bucket as u64 + 1;
    let per_doubling = PER_DOUBLING as u64;
    let microseconds = if next <= per_doubling {
        next
    } else {
        let shift = (next - per_doubling) / per_doubling;
        (next - shift * per_doubling) << shift
    };
    Duration::from_nanos(microseconds * 1_000 - 1)
}

/// Which of `count` times in order is the one to look for, counted from 1.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is a count, and beyond 2^53 times nobody sees the difference"
)]
fn rank(share: f64, count: u64) -> Option<u64> {
    (count > 0).then(|| ((share * count as f64).ceil() as u64).clamp(1, count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(times: &[Duration]) -> Histogram {
        let recorder = Recorder::default();
        for &time in times {
            recorder.record(time);
        }
        recorder.snapshot()
    }

    fn times() -> impl Strategy<Value = Vec<Duration>> {
        let time = prop_oneof![0_u64..100_000, 0_u64..4_000_000_000_000].prop_map(Duration::from_nanos);
        prop::collection::vec(time, 1..50)
    }

    #[test]
    fn nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        assert_eq!((histogram(&[]).count(), histogram(&[]).max()), (0, Duration::ZERO));
    }

    #[test]
    fn what_takes_too_long_is_still_counted() {
        let long = Duration::from_secs(1_000_000);
        assert_eq!(histogram(&[long]).count(), 1);
        assert_eq!(histogram(&[long]).max(), long);
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_bucket(nanoseconds in 0_u64..4_000_000_000_000) {
            let time = Duration::from_nanos(nanoseconds);
            let bucket = bucket(time);
            prop_assert!(time <= upper_end(bucket));
            prop_assert!(bucket == 0 || time > upper_end(bucket - 1));
        }

        #[test]
        fn quantiles_are_at_most_a_sixteenth_too_long(mut times in times(), share in 0.0..1.0) {
            let told = histogram(&times).quantile(share).unwrap();
            times.sort_unstable();
            let exact = times[usize::try_from(rank(share, times.len() as u64).unwrap()).unwrap() - 1];
            prop_assert!(told >= exact);
            prop_assert!(told <= exact + exact / 16 + Duration::from_micros(1), "{told:?} for {exact:?}");
        }

        #[test]
        fn the_difference_is_what_came_after(before in times(), after in times()) {
            let both = histogram(&[before.clone(), after.clone()].concat());
            let difference = both.difference(&histogram(&before));
            let alone = histogram(&after);
            prop_assert_eq!((difference.count(), difference.sum()), (alone.count(), alone.sum()));
            prop_assert_eq!(&difference.counts, &alone.counts);
            prop_assert!(difference.max() >= alone.max());
        }
    }
}
