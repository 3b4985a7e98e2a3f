//! [`DrillReport`]: what became of the requests. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use karma_ops::ServiceEvent;
use serde::Serialize;

use super::load::{Outcome, Shot};
use super::target::Target;
use super::{Drill, DrillEvent, Run, Scenario};

/// What became of the requests of a drill. Its names are a promise: it is the answer to `karma drill --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    /// What was broken.
    pub scenario: Scenario,
    /// Whose, by its label.
    pub service: String,
    /// What was asked for.
    pub url: String,
    /// Requests a second.
    pub rate: u32,
    /// So many requests were sent.
    pub sent: usize,
    /// So many of them got no answer in time, a broken one, or one of the 5xx kind.
    pub lost: usize,
    /// How they were lost: `503`, `broken`, `not connected`, `timed out`.
    pub losses: BTreeMap<String, usize>,
    /// So many tasks were taken away.
    pub reclaimed: usize,
    /// In the middle of those that were answered, in milliseconds. All times count from when the request was to start.
    pub median_ms: u64,
    /// 99 of 100 answers took no longer.
    pub p99_ms: u64,
    /// The slowest answer.
    pub slowest_ms: u64,
    /// From the break until as many tasks as wanted served again; the longest of them where there were several. `null` where one was not recovered from.
    pub recovered_ms: Option<u64>,
    /// Second by second.
    pub seconds: Vec<LoadSecond>,
    /// What happened, in its order.
    pub events: Vec<DrillEvent>,
}

/// One second of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LoadSecond {
    /// So many requests began in it.
    pub sent: usize,
    /// So many of them were lost.
    pub lost: usize,
    /// The slowest of the answers to the others.
    pub slowest_ms: u64,
}

impl DrillReport {
    pub(super) fn new<Tell>(drill: &Drill, target: &Target, shots: &[Shot], run: Run<'_, Tell>) -> Self {
        let latencies = latencies(shots);
        let losses = losses(shots);
        Self {
            scenario: drill.scenario,
            service: run.label,
            url: target.to_string(),
            rate: drill.rate,
            sent: shots.len(),
            lost: losses.values().sum(),
            losses,
            reclaimed: run.broken,
            median_ms: percentile(&latencies, 50),
            p99_ms: percentile(&latencies, 99),
            slowest_ms: percentile(&latencies, 100),
            recovered_ms: recovered(&run.recoveries).map(milliseconds),
            seconds: seconds(shots),
            events: run.events,
        }
    }

    /// Whether nothing was lost, and the service has recovered.
    pub fn is_good(&self) -> bool {
        self.lost == 0 && self.recovered_ms.is_some()
    }
}

/// The events that have come since, oldest first.
pub(super) fn news(before: &VecDeque<ServiceEvent>, now: &VecDeque<ServiceEvent>) -> Vec<String> {
    let known = before.back();
    let mut new: Vec<_> = now
        .iter()
        .rev()
        .take_while(|event| Some(*event) != known)
        .map(|event| event.message.clone())
        .collect();
    new.reverse();
    new
}

/// A time in whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Of what was answered, the fastest first.
fn latencies(shots: &[Shot]) -> Vec<Duration> {
    let answered = shots.iter().filter(|shot| !is_lost(shot));
    let mut latencies: Vec<_> = answered.map(|shot| shot.latency).collect();
    latencies.sort_unstable();
    latencies
}

/// The nearest rank: at least so many of a hundred are no larger.
fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().map_or(0, milliseconds)
}

fn losses(shots: &[Shot]) -> BTreeMap<String, usize> {
    let mut losses = BTreeMap::new();
    for shot in shots {
        if let Outcome::Lost(loss) = shot.outcome {
            *losses.entry(loss.to_string()).or_default() += 1;
        }
    }
    losses
}

/// The longest, where each has come to its end.
fn recovered(recoveries: &[Option<Duration>]) -> Option<Duration> {
    let all: Option<Vec<_>> = recoveries.iter().copied().collect();
    all?.into_iter().max()
}

fn seconds(shots: &[Shot]) -> Vec<LoadSecond> {
    let mut seconds = Vec::new();
    for shot in shots {
        let index = usize::try_from(shot.at.as_secs()).unwrap_or(usize::MAX);
        if seconds.len() <= index {
            seconds.resize(index + 1, LoadSecond::default());
        }
        let second = &mut seconds[index];
        second.sent += 1;
        if is_lost(shot) {
            second.lost += 1;
        } else {
            second.slowest_ms = second.slowest_ms.max(milliseconds(shot.latency));
        }
    }
    seconds
}

fn is_lost(shot: &Shot) -> bool {
    matches!(shot.outcome, Outcome::Lost(_))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use proptest::prelude::*;

    use super::super::load::Loss;
    use super::*;

    fn shot(at_ms: u64, latency_ms: u64, outcome: Outcome) -> Shot {
        Shot {
            at: Duration::from_millis(at_ms),
            latency: Duration::from_millis(latency_ms),
            outcome,
        }
    }

    const OK: Outcome = Outcome::Answered(StatusCode::OK);
    const LATE: Outcome = Outcome::Lost(Loss::TimedOut);
    const UNAVAILABLE: Outcome = Outcome::Lost(Loss::ServerError(StatusCode::SERVICE_UNAVAILABLE));

    #[test]
    fn a_request_belongs_to_the_second_in_which_it_was_to_start() {
        let shots = [
            shot(0, 3, OK),
            shot(999, 9, OK),
            shot(2000, 10_000, LATE),
            shot(2500, 1, UNAVAILABLE),
        ];
        let second = |sent, lost, slowest_ms| LoadSecond { sent, lost, slowest_ms };
        assert_eq!(seconds(&shots), [second(2, 0, 9), second(0, 0, 0), second(2, 2, 0)]);
        let losses: Vec<_> = losses(&shots).into_iter().collect();
        assert_eq!(losses, [("503".to_owned(), 1), ("timed out".to_owned(), 1)]);
    }

    #[test]
    fn what_was_lost_has_no_latency() {
        let shots = [shot(0, 5, OK), shot(1, 10_000, LATE), shot(2, 3, OK)];
        let latencies = latencies(&shots);
        assert_eq!([50, 99, 100].map(|percent| percentile(&latencies, percent)), [3, 5, 5]);
        assert_eq!(percentile(&[], 99), 0);
    }

    #[test]
    fn the_longest_recovery_counts_and_one_that_did_not_come_counts_most() {
        let check = |recoveries: &[Option<u64>], expected: Option<u64>| {
            let recoveries: Vec<_> = recoveries.iter().map(|one| one.map(Duration::from_secs)).collect();
            assert_eq!(recovered(&recoveries), expected.map(Duration::from_secs));
        };
        check(&[Some(3), Some(5), Some(4)], Some(5));
        check(&[Some(3), None], None);
        check(&[], None);
    }

    #[test]
    fn only_what_was_not_known_is_news() {
        let events = |messages: &[&str]| -> VecDeque<_> {
            let event = |message: &&str| ServiceEvent {
                at: jiff::Timestamp::UNIX_EPOCH,
                message: (*message).to_owned(),
            };
            messages.iter().map(event).collect()
        };
        let check = |before: &[&str], now: &[&str], expected: &[&str]| {
            assert_eq!(news(&events(before), &events(now)), expected);
        };
        check(&[], &["a", "b"], &["a", "b"]);
        check(&["a", "b"], &["a", "b"], &[]);
        check(&["a", "b"], &["b", "c", "d"], &["c", "d"]);
        check(&["a"], &["x", "y"], &["x", "y"]);
    }

    proptest! {
        #[test]
        fn no_request_is_forgotten(shots in prop::collection::vec((0_u64..20_000, 0_u64..30_000, prop::bool::ANY), 0..200)) {
            let shots: Vec<_> = shots.into_iter().map(|(at, latency, ok)| shot(at, latency, if ok { OK } else { LATE })).collect();
            let seconds = seconds(&shots);
            let (lost, latencies) = (losses(&shots).values().sum::<usize>(), latencies(&shots));
            prop_assert_eq!(seconds.iter().map(|one| one.sent).sum::<usize>(), shots.len());
            prop_assert_eq!(seconds.iter().map(|one| one.lost).sum::<usize>(), lost);
            prop_assert_eq!(latencies.len() + lost, shots.len());
            prop_assert_eq!(percentile(&latencies, 100), seconds.iter().map(|one| one.slowest_ms).max().unwrap_or(0));
            prop_assert!(percentile(&latencies, 50) <= percentile(&latencies, 99));
        }
    }
}
