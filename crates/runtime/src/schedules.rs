//! What Amazon's scheduler would do with services: updates at set times.

use std::time::Duration;

use jiff::Timestamp;
use karma_fleet::{Address, ServiceSchedule, ServiceUpdate};

/// An update whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueUpdate {
    /// The schedule's name.
    pub(crate) schedule: String,
    /// The service that it updates.
    pub(crate) service: Address,
    pub(crate) update: ServiceUpdate,
}

/// The updates that were due after `since` and by `until`, each once. A rate is counted from `began`.
pub(crate) fn due<'a>(
    schedules: impl IntoIterator<Item = &'a ServiceSchedule>,
    began: Timestamp,
    since: Timestamp,
    until: Timestamp,
) -> Vec<DueUpdate> {
    let is_due = |schedule: &&ServiceSchedule| {
        let next = schedule.next_after(since, began, place_in_window(schedule));
        next.is_some_and(|next| next <= until)
    };
    let update = |schedule: &ServiceSchedule| DueUpdate {
        schedule: schedule.name.clone(),
        service: schedule.service.clone(),
        update: schedule.update,
    };
    schedules.into_iter().filter(is_due).map(update).collect()
}

/// AWS does not document where in a flexible window it acts; here each schedule has a minute of its own, by its name (FNV-1a).
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-flexible-time-windows.html>
fn place_in_window(schedule: &ServiceSchedule) -> Duration {
    let minutes = schedule.window.as_secs() / 60;
    let hash = schedule.name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Duration::from_mins(hash.checked_rem(minutes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;
    use jiff::tz::TimeZone;
    use karma_fleet::{Mode, Span};

    use super::*;

    fn nightly(name: &str) -> ServiceSchedule {
        ServiceSchedule {
            name: name.to_owned(),
            service: Address {
                module: Vec::new(),
                mode: Mode::Managed,
                kind: "aws_ecs_service".to_owned(),
                name: name.to_owned(),
                key: None,
            },
            update: ServiceUpdate {
                desired_count: None,
                force_new_deployment: true,
            },
            schedule: "cron(0 3 * * ? *)".parse().unwrap(),
            time_zone: TimeZone::UTC,
            window: Duration::from_hours(1),
            is_enabled: true,
            declared_at: Span {
                file: "main.tf".into(),
                start: 0,
                end: 0,
            },
        }
    }

    #[test]
    fn each_is_due_once_a_day_and_not_all_in_one_minute() {
        let mut schedules: Vec<_> = ["a", "b", "c", "d", "e", "f"].map(nightly).into();
        schedules[5].is_enabled = false;
        let began: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let minute = |count: i64| began + SignedDuration::from_mins(count);
        let (mut names, mut minutes) = (Vec::new(), BTreeSet::new());
        for count in 0..24 * 60 {
            for update in due(&schedules, began, minute(count), minute(count + 1)) {
                minutes.insert(count + 1);
                names.push(update.schedule);
            }
        }
        names.sort();
        assert_eq!(names, ["a", "b", "c", "d", "e"]);
        assert!(minutes.len() > 2, "{minutes:?}");
        let three = 15 * 60;
        assert!(
            minutes.iter().all(|minute| (three..three + 60).contains(minute)),
            "{minutes:?}"
        );
    }
}
