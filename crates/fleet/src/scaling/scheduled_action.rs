//! `aws_appautoscaling_scheduled_action`

use jiff::Timestamp;
use jiff::tz::TimeZone;
use karma_terraform::{Address, Span};

use super::Schedule;
use crate::Fleet;
use crate::attributes::{Attributes, Read};

/// Changes the limits of a service's desired count at set times.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScheduledAction.html>
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledAction {
    /// Its name.
    pub name: String,
    /// Where it stands in the stack.
    pub address: Address,
    /// When it happens.
    pub schedule: Schedule,
    /// The time zone that the schedule is written in.
    pub time_zone: TimeZone,
    /// It happens then for the first time, and by its schedule after that.
    pub start_time: Option<Timestamp>,
    /// It does not happen after that.
    pub end_time: Option<Timestamp>,
    /// The fewest tasks from then on.
    pub min_capacity: Option<u32>,
    /// The most tasks from then on.
    pub max_capacity: Option<u32>,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// Reads an action into the target that it belongs to.
pub(crate) fn attach(from: &Attributes<'_>, fleet: &mut Fleet) {
    let action = ScheduledAction::read(from);
    let target = super::target_of(from, fleet);
    if let (Ok(action), Ok(target)) = (action, target) {
        target.scheduled_actions.push(action);
    }
}

impl ScheduledAction {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("name");
        let schedule = schedule(from, "schedule");
        let time_zone = time_zone(from, "timezone");
        let (start_time, end_time) = (time(from, "start_time"), time(from, "end_time"));
        let limits = from.required_block("scalable_target_action")?;
        let (min_capacity, max_capacity) = (limits.optional("min_capacity"), limits.optional("max_capacity"));
        if min_capacity.is_none() && max_capacity.is_none() {
            limits.missing("min_capacity");
        }
        Ok(Self {
            name: name?,
            address: from.address().clone(),
            schedule: schedule?,
            time_zone: time_zone?,
            start_time: start_time?,
            end_time: end_time?,
            min_capacity,
            max_capacity,
            declared_at: from.declared_at(),
        })
    }

    /// When it happens next after a moment, where it has been there since `created`.
    pub fn next_after(&self, after: Timestamp, created: Timestamp) -> Option<Timestamp> {
        let start = self.start_time.filter(|start| *start > after);
        let from = start.map_or(after, |start| start.max(after));
        let by_schedule = || {
            let base = self.start_time.unwrap_or(created);
            self.schedule.next_after(from, base, &self.time_zone)
        };
        let next = start.or_else(by_schedule)?;
        self.end_time.is_none_or(|end| next <= end).then_some(next)
    }
}

/// The schedule in this argument.
pub(crate) fn schedule(from: &Attributes<'_>, name: &'static str) -> Read<Schedule> {
    let text: String = from.required(name)?;
    text.parse().map_err(|error| {
        let detail = format!("{} is {text:?}, which is no schedule: {error}.", from.called(name));
        let help = "write `at(2026-01-31T08:00:00)`, `rate(5 minutes)` or `cron(0 8 ? * MON-FRI *)`";
        from.error_with_help(name, "Invalid schedule", detail, help)
    })
}

/// The time zone in this argument; UTC where there is none.
pub(crate) fn time_zone(from: &Attributes<'_>, argument: &'static str) -> Read<TimeZone> {
    let Some(name) = from.optional::<String>(argument) else {
        return Ok(TimeZone::UTC);
    };
    TimeZone::get(&name).map_err(|_| {
        let detail = format!(
            "{} is {name:?}, which is no time zone of IANA's.",
            from.called(argument)
        );
        from.error_with_help(argument, "Invalid time zone", detail, "write it like `Europe/Madrid`")
    })
}

fn time(from: &Attributes<'_>, name: &'static str) -> Read<Option<Timestamp>> {
    let Some(text) = from.optional::<String>(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let detail = format!(
            "{} is {text:?}, which is no time like `2026-01-31T08:00:00Z`.",
            from.called(name)
        );
        from.error(name, "Invalid time", detail)
    })
}
