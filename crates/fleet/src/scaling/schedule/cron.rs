//! `0 8 ? * MON-FRI *`: minute, hour, day of the month, month, day of the week, year. A seventh field in front, seconds, is left unread.
//!
//! Lists, ranges, steps and names are read, and `L` and `#` for days. `W`, the workday next to a date, is not.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::ScheduleError;

/// The last year that AWS takes.
const LAST_YEAR: i16 = 2199;

/// February the 29th comes back after so many years at most.
const YEARS_SEARCHED: i16 = 9;

/// Times of the day on certain days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days_of_month: Days,
    months: BTreeSet<i16>,
    days_of_week: Days,
    years: BTreeSet<i16>,
}

/// Days of a month, or of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    /// `?` and `*`
    Any,
    /// `1,15` and `MON-FRI`
    These(BTreeSet<i16>),
    /// `L` of a month; `6L`: the last Friday of it.
    Last(Option<i16>),
    /// `2#1`: the first Monday of a month.
    Nth(i16, i8),
}

/// One field: what it is called, what it may be, and the names of its numbers.
struct Kind {
    called: &'static str,
    first: i16,
    last: i16,
    names: &'static [&'static str],
}

const MINUTE: Kind = kind("minute", 0, 59, &[]);
const HOUR: Kind = kind("hour", 0, 23, &[]);
const DAY_OF_MONTH: Kind = kind("day of the month", 1, 31, &[]);
const MONTH: Kind = kind(
    "month",
    1,
    12,
    &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
);
const DAY_OF_WEEK: Kind = kind(
    "day of the week",
    1,
    7,
    &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
);
const YEAR: Kind = kind("year", 1970, LAST_YEAR, &[]);

const fn kind(called: &'static str, first: i16, last: i16, names: &'static [&'static str]) -> Kind {
    Kind {
        called,
        first,
        last,
        names,
    }
}

impl Cron {
    /// The next time after a moment, by the clocks of a time zone.
    pub(super) fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = after.to_zoned(zone.clone()).date();
        let mut year = *self.years.range(today.year()..).next()?;
        let last_year = year.saturating_add(YEARS_SEARCHED);
        // A clock that is set back can make a time of yesterday come after now.
        let mut day = today.yesterday().ok()?.max(date(year, 1, 1).yesterday().ok()?);
        while year <= last_year {
            if let Some(found) = self.on_day(day, after, zone) {
                return Some(found);
            }
            day = day.checked_add(1.day()).ok()?;
            year = day.year();
        }
        None
    }

    fn on_day(&self, day: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        if !self.is_due(day) {
            return None;
        }
        let times = self
            .hours
            .iter()
            .flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        let at = |(hour, minute): (i16, i16)| {
            let time = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
            zone.to_timestamp(time).ok()
        };
        times.filter_map(at).filter(|at| *at > after).min()
    }

    fn is_due(&self, day: Date) -> bool {
        self.years.contains(&day.year())
            && self.months.contains(&day.month().into())
            && self.days_of_month.include_date(day)
            && self.days_of_week.include_weekday(day)
    }
}

impl Days {
    fn include_date(&self, day: Date) -> bool {
        match self {
            Self::Any => true,
            Self::These(days) => days.contains(&day.day().into()),
            Self::Last(_) | Self::Nth(..) => day == day.last_of_month(),
        }
    }

    fn include_weekday(&self, day: Date) -> bool {
        let number = number_of(day.weekday());
        match self {
            Self::Any => true,
            Self::These(days) => days.contains(&number),
            Self::Last(weekday) => {
                // `L` alone is Saturday, the last day of the week.
                number == weekday.unwrap_or(7) && weekday.is_none_or(|_| day.day() > day.days_in_month() - 7)
            }
            Self::Nth(weekday, nth) => number == *weekday && (day.day() - 1) / 7 + 1 == *nth,
        }
    }

    fn read(text: &str, kind: &Kind) -> Result<Self, ScheduleError> {
        if text == "?" || text == "*" {
            return Ok(Self::Any);
        }
        if text == "L" {
            return Ok(Self::Last(None));
        }
        let is_week = kind.last == DAY_OF_WEEK.last;
        if let Some(weekday) = text.strip_suffix('L').filter(|_| is_week) {
            return kind.number(weekday).map(|weekday| Self::Last(Some(weekday)));
        }
        if let Some((weekday, nth)) = text.split_once('#').filter(|_| is_week) {
            let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
            return Ok(Self::Nth(
                kind.number(weekday)?,
                nth.ok_or_else(|| kind.unreadable(text))?,
            ));
        }
        kind.read(text).map(Self::These)
    }
}

/// Sunday is 1.
fn number_of(weekday: Weekday) -> i16 {
    i16::from(weekday.to_sunday_zero_offset()) + 1
}

impl FromStr for Cron {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let ([minute, hour, day_of_month, month, day_of_week, year]
        | [_, minute, hour, day_of_month, month, day_of_week, year]) = fields[..]
        else {
            return Err(ScheduleError(
                "a cron expression has 6 fields: `cron(0 8 ? * MON-FRI *)`".to_owned(),
            ));
        };
        let cron = Self {
            minutes: MINUTE.read(minute)?,
            hours: HOUR.read(hour)?,
            days_of_month: Days::read(day_of_month, &DAY_OF_MONTH)?,
            months: MONTH.read(month)?,
            days_of_week: Days::read(day_of_week, &DAY_OF_WEEK)?,
            years: YEAR.read(year)?,
        };
        if cron.days_of_month != Days::Any && cron.days_of_week != Days::Any {
            return Err(ScheduleError(
                "one of the two days is `?` where the other is not".to_owned(),
            ));
        }
        Ok(cron)
    }
}

impl Kind {
    /// `1,5-7,10/5,*`
    fn read(&self, text: &str) -> Result<BTreeSet<i16>, ScheduleError> {
        let parts: Result<Vec<_>, _> = text.split(',').map(|part| self.part(part)).collect();
        Ok(parts?.into_iter().flatten().collect())
    }

    /// One of them: `5`, `5-7`, `*`, and each with a step. `5/10` goes on to the end.
    fn part(&self, text: &str) -> Result<Vec<i16>, ScheduleError> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.first, self.last),
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            None => (
                self.number(range)?,
                if step.is_some() { self.last } else { self.number(range)? },
            ),
        };
        let step = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0));
        let step = step.ok_or_else(|| self.unreadable(text))?;
        Ok(self.range(first, last).into_iter().step_by(step).collect())
    }

    /// `FRI-MON` goes over the end.
    fn range(&self, first: i16, last: i16) -> Vec<i16> {
        if first <= last {
            return (first..=last).collect();
        }
        (first..=self.last).chain(self.first..=last).collect()
    }

    fn number(&self, text: &str) -> Result<i16, ScheduleError> {
        let by_name = self
            .names
            .iter()
            .zip(self.first..)
            .find(|(name, _)| name.eq_ignore_ascii_case(text));
        let number = by_name.map(|(_, number)| number).or_else(|| text.parse().ok());
        number
            .filter(|number| (self.first..=self.last).contains(number))
            .ok_or_else(|| self.unreadable(text))
    }

    fn unreadable(&self, text: &str) -> ScheduleError {
        ScheduleError(format!("`{text}` is no {}", self.called))
    }
}
