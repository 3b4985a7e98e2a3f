//! When a target counts as healthy: the check's settings, its states, and the thresholds between them.
//!
//! Everything here is pure; `probe` does the asking. The authority is [health checks][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// How often and with what a target group asks its targets how they are.
#[derive(Debug, Clone)]
pub struct HealthCheck {
    /// Path of the request, with its query if any. The method is `GET`; with gRPC, `POST`, and the path names a method.
    pub path: String,
    /// Port to ask; `None` asks the port that gets the traffic.
    pub port: Option<u16>,
    /// From the start of one check to the start of the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Successes in a row that make an unhealthy target healthy. A new target needs only one.
    pub healthy_threshold: u32,
    /// Failures in a row that make a target unhealthy.
    pub unhealthy_threshold: u32,
    /// The status codes of a healthy target; those of gRPC where targets speak it.
    pub matcher: Matcher,
}

/// A set of status codes, written `200`, `200,202` or `200-299`: of HTTP, or of gRPC from 0 to 99.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher(Vec<RangeInclusive<u16>>);

/// A text that does not name status codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name status codes like 200, 200,202 or 200-299")]
pub struct InvalidMatcher(String);

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HealthState {
    /// Registered and not judged yet.
    Initial,
    /// Passes its checks, or has none to pass.
    Healthy,
    /// Fails its checks.
    Unhealthy,
    /// Being deregistered: finishes what it has and gets nothing new.
    Draining,
    /// Not registered.
    Unused,
}

/// Where a target stands, and why, in the words of the ELB API.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// Where the target stands.
    pub state: HealthState,
    /// The reason code, `Target.Timeout` for one; none when healthy.
    pub reason: Option<&'static str>,
    /// The reason for people.
    pub description: Option<String>,
}

/// Why one check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckFailure {
    /// The target answered with a code the matcher does not have.
    Mismatch(u16),
    /// The target did not answer in time.
    Timeout,
    /// The target could not be reached, or its answer not be read.
    Broken,
    /// The check itself cannot be made, say because its path is no path.
    NotPossible,
}

/// Turns a series of check results into states.
#[derive(Debug)]
pub(crate) struct Judge {
    healthy_threshold: u32,
    unhealthy_threshold: u32,
    state: HealthState,
    successes: u32,
    failures: u32,
}

impl Matcher {
    /// The codes of all these ranges.
    pub fn new(ranges: impl IntoIterator<Item = RangeInclusive<u16>>) -> Self {
        Self(ranges.into_iter().collect())
    }

    /// Whether `status` is one of the codes.
    pub fn matches(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

impl Default for Matcher {
    /// 200 and nothing else, as AWS has it.
    fn default() -> Self {
        Self(vec![200..=200])
    }
}

impl FromStr for Matcher {
    type Err = InvalidMatcher;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ranges: Option<Vec<_>> = text.split(',').map(|part| code_range(part.trim())).collect();
        ranges.map(Self).ok_or_else(|| InvalidMatcher(text.to_owned()))
    }
}

impl TargetHealth {
    pub(crate) fn initial() -> Self {
        Self::because(
            HealthState::Initial,
            "Elb.InitialHealthChecking",
            "Initial health checks in progress",
        )
    }

    pub(crate) fn healthy() -> Self {
        Self {
            state: HealthState::Healthy,
            reason: None,
            description: None,
        }
    }

    pub(crate) fn draining() -> Self {
        Self::because(
            HealthState::Draining,
            "Target.DeregistrationInProgress",
            "Target deregistration is in progress",
        )
    }

    pub(crate) fn not_registered() -> Self {
        Self::because(
            HealthState::Unused,
            "Target.NotRegistered",
            "Target is not registered to the target group",
        )
    }

    fn unhealthy(failure: CheckFailure) -> Self {
        Self::because(HealthState::Unhealthy, failure.reason(), &failure.description())
    }

    fn because(state: HealthState, reason: &'static str, description: &str) -> Self {
        Self {
            state,
            reason: Some(reason),
            description: Some(description.to_owned()),
        }
    }
}

impl CheckFailure {
    fn reason(self) -> &'static str {
        match self {
            Self::Mismatch(_) => "Target.ResponseCodeMismatch",
            Self::Timeout => "Target.Timeout",
            Self::Broken => "Target.FailedHealthChecks",
            Self::NotPossible => "Elb.InternalError",
        }
    }

    fn description(self) -> String {
        match self {
            Self::Mismatch(code) => format!("Health checks failed with these codes: [{code}]"),
            Self::Timeout => "Request timed out".to_owned(),
            Self::Broken => "Health checks failed".to_owned(),
            Self::NotPossible => "Health checks failed due to an internal error".to_owned(),
        }
    }
}

impl Judge {
    pub(crate) fn new(check: &HealthCheck) -> Self {
        Self {
            healthy_threshold: check.healthy_threshold,
            unhealthy_threshold: check.unhealthy_threshold,
            state: HealthState::Initial,
            successes: 0,
            failures: 0,
        }
    }

    /// Takes the next result, and says what the target's health is now if that result decides it.
    ///
    /// A new target becomes unhealthy by the usual number of failures; AWS leaves that open.
    pub(crate) fn hear(&mut self, result: Result<(), CheckFailure>) -> Option<TargetHealth> {
        match result {
            Ok(()) => {
                self.failures = 0;
                self.successes = self.successes.saturating_add(1);
                (self.successes >= self.successes_needed()).then(|| self.settle(TargetHealth::healthy()))
            }
            Err(failure) => {
                self.successes = 0;
                self.failures = self.failures.saturating_add(1);
                (self.failures >= self.unhealthy_threshold).then(|| self.settle(TargetHealth::unhealthy(failure)))
            }
        }
    }

    fn successes_needed(&self) -> u32 {
        if self.state == HealthState::Unhealthy {
            self.healthy_threshold
        } else {
            1
        }
    }

    fn settle(&mut self, health: TargetHealth) -> TargetHealth {
        self.state = health.state;
        health
    }
}

fn code_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (code(first)?, code(last)?);
    (first <= last).then_some(first..=last)
}

fn code(text: &str) -> Option<u16> {
    let code = text.parse().ok()?;
    (0..=599).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_matcher(text: &str, matching: &[u16], others: &[u16]) {
        let matcher: Matcher = text.parse().unwrap();
        let fits = |&code: &u16| matcher.matches(code);
        assert!(matching.iter().all(fits), "{text}");
        assert!(!others.iter().any(fits), "{text}");
    }

    #[test]
    fn matcher_reads_codes_lists_and_ranges() {
        check_matcher("200", &[200], &[199, 201]);
        check_matcher("200,202", &[200, 202], &[201]);
        check_matcher("200-299, 404", &[200, 250, 299, 404], &[300, 403]);
    }

    #[test]
    fn matcher_refuses_what_names_no_codes() {
        for text in ["", "abc", "200-", "299-200", "2000", "200,,202", "-200", "70000"] {
            assert!(text.parse::<Matcher>().is_err(), "{text}");
        }
    }

    /// Feeds `results`, `+` a success and `-` a failure, and compares the state after each, by its first letter.
    #[track_caller]
    fn check_judge(results: &str, states: &str) {
        let mut judge = Judge::new(&HealthCheck {
            path: "/".to_owned(),
            port: None,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 3,
            unhealthy_threshold: 2,
            matcher: Matcher::default(),
        });
        let seen: String = results.chars().map(|result| after(&mut judge, result)).collect();
        assert_eq!(seen, states);
    }

    fn after(judge: &mut Judge, result: char) -> char {
        let change = judge.hear(if result == '+' {
            Ok(())
        } else {
            Err(CheckFailure::Timeout)
        });
        assert!(change.is_none_or(|health| health.state == judge.state));
        format!("{:?}", judge.state).remove(0)
    }

    #[test]
    fn one_success_makes_a_new_target_healthy() {
        check_judge("+", "H");
        check_judge("-+", "IH");
    }

    #[test]
    fn failures_in_a_row_make_it_unhealthy() {
        check_judge("--", "IU");
        check_judge("+-+--", "HHHHU");
    }

    #[test]
    fn an_unhealthy_target_needs_the_whole_threshold() {
        check_judge("--+++", "IUUUH");
        check_judge("--++-+++", "IUUUUUUH");
    }

    #[test]
    fn the_latest_failure_gives_the_reason() {
        let mut judge = Judge {
            healthy_threshold: 2,
            unhealthy_threshold: 1,
            state: HealthState::Initial,
            successes: 0,
            failures: 0,
        };
        let first = judge.hear(Err(CheckFailure::Timeout)).unwrap();
        assert_eq!(first.reason, Some("Target.Timeout"));
        let second = judge.hear(Err(CheckFailure::Mismatch(404))).unwrap();
        assert_eq!(second.reason, Some("Target.ResponseCodeMismatch"));
        assert_eq!(
            second.description.as_deref(),
            Some("Health checks failed with these codes: [404]")
        );
    }
}
