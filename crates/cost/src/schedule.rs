//! How many hours of a month each of several limits holds, where scheduled actions change them.
//!
//! The month is an average one: of a week where every action comes weekly, else of a year of 365 days. Summer time neither gives nor takes
//! an hour here.

mod cron;

use std::collections::BTreeMap;

use cron::Cron;

use crate::Quantity;
use crate::service::HOURS;

/// The least and the most tasks that autoscaling allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Limits {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

/// A scheduled action: from then on, these limits. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Change<'a> {
    /// An expression of Application Auto Scaling: `cron(0 8 ? * MON-FRI *)`.
    pub(crate) schedule: &'a str,
    pub(crate) min: Option<u32>,
    pub(crate) max: Option<u32>,
}

const MINUTES_PER_DAY: u32 = 24 * 60;

/// The hours of a month under each limits; `Err` is a schedule that does not repeat in a way that is read here.
pub(crate) fn hours<'a>(usual: Limits, changes: &[Change<'a>]) -> Result<Vec<(Limits, Quantity)>, &'a str> {
    if changes.is_empty() {
        return Ok(vec![(usual, HOURS.into())]);
    }
    let read = |change: &Change<'a>| Cron::parse(change.schedule).ok_or(change.schedule);
    let crons = changes.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let days = if crons.iter().all(Cron::is_weekly) { 7 } else { 365 };
    let mut events: Vec<(u32, &Change<'a>)> = Vec::new();
    for (cron, change) in crons.iter().zip(changes) {
        events.extend(cron.minutes_of(days).into_iter().map(|minute| (minute, change)));
    }
    events.sort_by_key(|(minute, _)| *minute);
    let minutes = minutes_under(usual, &events, days * MINUTES_PER_DAY);
    let share =
        |(limits, minutes): (Limits, u32)| (limits, Quantity::from(HOURS).times(minutes).per(days * MINUTES_PER_DAY));
    Ok(minutes.into_iter().map(share).collect())
}

/// What the last action left holds until the first one, since the time before was like this one.
fn minutes_under(usual: Limits, events: &[(u32, &Change<'_>)], end: u32) -> BTreeMap<Limits, u32> {
    let mut limits = events.iter().fold(usual, |limits, (_, change)| limits.changed(change));
    let mut since = 0;
    let mut minutes = BTreeMap::new();
    for (minute, change) in events {
        *minutes.entry(limits).or_default() += minute - since;
        (limits, since) = (limits.changed(change), *minute);
    }
    *minutes.entry(limits).or_default() += end - since;
    minutes.retain(|_, minutes| *minutes > 0);
    minutes
}

impl Limits {
    fn changed(self, change: &Change<'_>) -> Self {
        let min = change.min.unwrap_or(self.min);
        Self {
            min,
            max: change.max.unwrap_or(self.max).max(min),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Limits = Limits { min: 1, max: 3 };
    const CLOSED: Limits = Limits { min: 0, max: 0 };

    fn to(schedule: &str, limits: Limits) -> Change<'_> {
        Change {
            schedule,
            min: Some(limits.min),
            max: Some(limits.max),
        }
    }

    fn check(open: &str, close: &str, open_hours: &str) {
        let hours = hours(USUAL, &[to(open, USUAL), to(close, CLOSED)]).unwrap();
        let found = hours.iter().find(|(limits, _)| *limits == USUAL);
        assert_eq!(
            found.map(|(_, hours)| hours.to_string()).as_deref(),
            Some(open_hours),
            "{open} {close}"
        );
        let sum: Quantity = hours.iter().map(|(_, hours)| *hours).sum();
        assert_eq!(sum.to_string(), "730", "{open} {close}");
    }

    #[test]
    fn business_hours_are_part_of_a_month() {
        check("cron(0 8 ? * MON-FRI *)", "cron(0 20 ? * MON-FRI *)", "260.714286"); // 60 of 168 hours
        check("cron(30 7 ? * * *)", "cron(0 19 * * ? *)", "349.791667"); // 11.5 of 24
        check("cron(0 0 ? * 2 *)", "cron(0 0 ? * 7 *)", "521.428571"); // Monday to Friday, day and night
        check("cron(0 0 1 * ? *)", "cron(0 0 16 * ? *)", "360"); // 12 times 15 days of 365
        check("cron(0 22 ? * * *)", "cron(0 2 ? * * *)", "121.666667"); // over midnight
    }

    #[test]
    fn without_a_schedule_the_usual_limits_hold_all_month() {
        assert_eq!(hours(USUAL, &[]), Ok(vec![(USUAL, 730_u32.into())]));
    }

    #[test]
    fn what_does_not_come_again_cannot_be_averaged() {
        for schedule in [
            "at(2027-01-01T00:00:00)",
            "rate(1 day)",
            "cron(0 8 * * ? 2027)",
            "cron(0 8 L * ? *)",
            "cron()",
        ] {
            assert_eq!(hours(USUAL, &[to(schedule, CLOSED)]), Err(schedule));
        }
    }

    #[test]
    fn half_a_change_leaves_the_other_half() {
        let raise = Change {
            schedule: "cron(0 0 ? * * *)",
            min: Some(5),
            max: None,
        };
        assert_eq!(
            hours(USUAL, &[raise]),
            Ok(vec![(Limits { min: 5, max: 5 }, 730_u32.into())])
        );
    }
}
