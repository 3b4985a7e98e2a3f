//! AWS's cron expressions, as far as they repeat by the week or the year:
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html>

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// When something happens, over and over.
pub(super) struct Cron {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days_of_month: Vec<u32>,
    months: Vec<u32>,
    /// From Sunday, which is 1.
    days_of_week: Vec<u32>,
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A Monday on which a year of 365 days does not begin, but which is as good as any other; a week from it has every weekday once.
const WEEK: Date = date(2027, 1, 4);
const YEAR: Date = date(2027, 1, 1);

impl Cron {
    /// `None` for `rate` and `at`, for single years, and for the marks `L`, `W` and `#`.
    pub(super) fn parse(expression: &str) -> Option<Self> {
        let inside = expression.trim().strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = inside.split_whitespace().collect();
        let [minutes, hours, days_of_month, months, days_of_week, "*"] = fields[..] else {
            return None;
        };
        Some(Self {
            minutes: values(minutes, 0, 59, &[])?,
            hours: values(hours, 0, 23, &[])?,
            days_of_month: values(days_of_month, 1, 31, &[])?,
            months: values(months, 1, 12, &MONTHS)?,
            days_of_week: values(days_of_week, 1, 7, &DAYS)?,
        })
    }

    /// Whether every week is like the other.
    pub(super) fn is_weekly(&self) -> bool {
        self.days_of_month.len() == 31 && self.months.len() == 12
    }

    /// The minutes at which it happens, counted from the first of so many days.
    pub(super) fn minutes_of(&self, days: u32) -> Vec<u32> {
        let first = if days == 7 { WEEK } else { YEAR };
        let matching = (0..days).filter(|day| self.falls_on(first.saturating_add(i64::from(*day).days())));
        let times: Vec<u32> = self
            .hours
            .iter()
            .flat_map(|hour| self.minutes.iter().map(move |minute| hour * 60 + minute))
            .collect();
        matching
            .flat_map(|day| times.iter().map(move |time| day * 24 * 60 + time))
            .collect()
    }

    fn falls_on(&self, day: Date) -> bool {
        let from_sunday = u32::from(day.weekday().to_sunday_one_offset().unsigned_abs());
        self.days_of_week.contains(&from_sunday)
            && self.days_of_month.contains(&u32::from(day.day().unsigned_abs()))
            && self.months.contains(&u32::from(day.month().unsigned_abs()))
    }
}

/// The numbers that a field stands for: `*`, `?`, `5`, `MON-FRI`, `1,15`, `*/10`, `0/15`.
fn values(field: &str, least: u32, most: u32, names: &[&str]) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let number = |text: &str| number(text, least, names).filter(|number| (least..=most).contains(number));
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if matches!(range, "*" | "?") => (least, most),
            None => (number(range)?, if step.is_some() { most } else { number(range)? }),
        };
        // FRI-MON goes over the end of the week.
        let ends = if from <= to {
            vec![(from, to)]
        } else {
            vec![(from, most), (least, to)]
        };
        all.extend(
            ends.into_iter()
                .flat_map(|(from, to)| from..=to)
                .step_by(step.unwrap_or(1)),
        );
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

fn number(text: &str, least: u32, names: &[&str]) -> Option<u32> {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match position {
        Some(position) => u32::try_from(position).ok().map(|position| position + least),
        None => text.parse().ok(),
    }
}
