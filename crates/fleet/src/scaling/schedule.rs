//! When something happens again and again: `at(…)`, `rate(…)`, `cron(…)`.
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html>

mod cron;

use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use cron::Cron;

/// When something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// `at(2026-01-31T08:00:00)`: once, by the clocks of a time zone.
    At(DateTime),
    /// `rate(5 minutes)`: each time so much later.
    Rate(SignedDuration),
    /// `cron(0 8 ? * MON-FRI *)`: by the clocks of a time zone.
    Cron(Box<Cron>),
}

/// Why a schedule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScheduleError(String);

impl Schedule {
    /// When it is due next after a moment. A rate is counted from `base`. A time that a time zone leaves out is taken an hour later; of one that
    /// it has twice the first counts.
    pub fn next_after(&self, after: Timestamp, base: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => zone.to_timestamp(*at).ok().filter(|at| *at > after),
            Self::Rate(rate) => next_by_rate(*rate, after, base),
            Self::Cron(cron) => cron.next_after(after, zone),
        }
    }
}

fn next_by_rate(rate: SignedDuration, after: Timestamp, base: Timestamp) -> Option<Timestamp> {
    let passed = after.duration_since(base).as_secs();
    let rounds = passed.div_euclid(rate.as_secs()).max(-1) + 1;
    let wait = rate.as_secs().checked_mul(rounds.max(1))?;
    base.checked_add(SignedDuration::from_secs(wait)).ok()
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let inside = |word: &str| text.trim().strip_prefix(word)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(time) = inside("at") {
            let is_plain = time.len() == "2026-01-31T08:00:00".len();
            let time = is_plain.then(|| time.parse().ok()).flatten();
            let explain = || ScheduleError("the time in it is not like `2026-01-31T08:00:00`".to_owned());
            return time.map(Self::At).ok_or_else(explain);
        }
        if let Some(rate) = inside("rate") {
            return read_rate(rate).map(Self::Rate);
        }
        match inside("cron") {
            Some(fields) => fields.parse().map(|cron| Self::Cron(Box::new(cron))),
            None => Err(ScheduleError(
                "it is neither `at(…)` nor `rate(…)` nor `cron(…)`".to_owned(),
            )),
        }
    }
}

/// `5 minutes`: minutes, hours or days.
fn read_rate(text: &str) -> Result<SignedDuration, ScheduleError> {
    let explain = || ScheduleError("a rate is like `5 minutes`, `1 hour` or `7 days`".to_owned());
    let (count, unit) = text.trim().split_once(' ').ok_or_else(explain)?;
    let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or_else(explain)?;
    let seconds = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return Err(explain()),
    };
    Ok(SignedDuration::from_secs(i64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str, zone: &str) -> Option<String> {
        let schedule: Schedule = schedule.parse().unwrap_or_else(|error| panic!("{schedule}: {error}"));
        let zone = TimeZone::get(zone).expect("a time zone");
        let base = "2026-01-01T00:00:30Z".parse().expect("a time");
        let next = schedule.next_after(after.parse().expect("a time"), base, &zone);
        next.map(|next| next.to_string())
    }

    fn check(schedule: &str, after: &str, zone: &str, expected: &str) {
        assert_eq!(
            next(schedule, after, zone).as_deref(),
            Some(expected),
            "{schedule} {zone}"
        );
    }

    #[test]
    fn a_time_comes_once_by_its_zone() {
        check(
            "at(2026-03-02T08:00:00)",
            "2026-03-02T06:59:59Z",
            "Europe/Madrid",
            "2026-03-02T07:00:00Z",
        );
        assert_eq!(next("at(2026-03-02T08:00:00)", "2026-03-02T08:00:00Z", "UTC"), None);
    }

    #[test]
    fn a_rate_is_counted_from_its_base() {
        check("rate(5 minutes)", "2026-01-01T00:00:00Z", "UTC", "2026-01-01T00:05:30Z");
        check("rate(5 minutes)", "2026-01-01T00:05:30Z", "UTC", "2026-01-01T00:10:30Z");
        check("rate(1 day)", "2026-06-01T00:00:00Z", "UTC", "2026-06-01T00:00:30Z");
    }

    #[test]
    fn cron_follows_the_clocks() {
        let after = "2026-11-23T15:30:00Z"; // A Monday.
        check("cron(0 8 ? * MON-FRI *)", after, "UTC", "2026-11-24T08:00:00Z");
        check("cron(0 20 ? * 2-6 *)", after, "UTC", "2026-11-23T20:00:00Z");
        check("cron(0/15 * * * ? *)", after, "UTC", "2026-11-23T15:45:00Z");
        check("cron(0 0 1 JAN ? *)", after, "UTC", "2027-01-01T00:00:00Z");
        check("cron(0 0 L * ? *)", after, "UTC", "2026-11-30T00:00:00Z");
        check("cron(0 0 ? * 6L *)", after, "UTC", "2026-11-27T00:00:00Z");
        check("cron(0 0 ? * 2#1 *)", after, "UTC", "2026-12-07T00:00:00Z");
        check("cron(0 0 29 2 ? *)", after, "UTC", "2028-02-29T00:00:00Z");
        check("cron(30 10,22 * * ? 2027-2028)", after, "UTC", "2027-01-01T10:30:00Z");
        check("cron(0 0 8 ? * MON *)", after, "UTC", "2026-11-30T08:00:00Z");
        assert_eq!(next("cron(0 0 30 2 ? *)", after, "UTC"), None);
        assert_eq!(next("cron(0 0 * * ? 2020)", after, "UTC"), None);
    }

    #[test]
    fn summer_time_is_followed() {
        check(
            "cron(0 9 * * ? *)",
            "2026-03-28T12:00:00Z",
            "Europe/Madrid",
            "2026-03-29T07:00:00Z",
        );
        check(
            "cron(0 9 * * ? *)",
            "2026-03-27T12:00:00Z",
            "Europe/Madrid",
            "2026-03-28T08:00:00Z",
        );
        // Half past two does not come on that day.
        check(
            "cron(30 2 * * ? *)",
            "2026-03-28T12:00:00Z",
            "Europe/Madrid",
            "2026-03-29T01:30:00Z",
        );
        // And comes twice on that one.
        check(
            "cron(30 2 * * ? *)",
            "2026-10-24T12:00:00Z",
            "Europe/Madrid",
            "2026-10-25T00:30:00Z",
        );
        check(
            "cron(30 2 * * ? *)",
            "2026-10-25T00:30:00Z",
            "Europe/Madrid",
            "2026-10-26T01:30:00Z",
        );
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        let check = |text: &str, expected: &str| {
            let error = text.parse::<Schedule>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("every day", "neither `at(…)`");
        check("at(tomorrow)", "is not like `2026-01-31T08:00:00`");
        check("rate(0 minutes)", "a rate is like");
        check("rate(5 seconds)", "a rate is like");
        check("cron(0 8 * * *)", "has 6 fields");
        check("cron(60 8 * * ? *)", "`60` is no minute");
        check("cron(0 8 1 * MON *)", "one of the two days is `?`");
        check("cron(0 8 ? * XYZ *)", "`XYZ` is no day of the week");
        check("cron(0 8 15W * ? *)", "`15W` is no day of the month");
        check("cron(0/0 8 * * ? *)", "`0/0` is no minute");
        check("cron(? 8 * * ? *)", "`?` is no minute");
    }
}
