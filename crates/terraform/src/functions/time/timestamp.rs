//! Points in time with their distance from UTC: <https://www.rfc-editor.org/rfc/rfc3339>.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// A time of day somewhere.
pub(super) struct Timestamp {
    /// As the clock there shows it.
    pub(super) local: DateTime,
    /// How far that clock is ahead of UTC, in minutes.
    pub(super) offset: i16,
}

impl Timestamp {
    /// Reads the strict form Terraform wants.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader { rest: text };
        reader
            .timestamp()
            .map_err(|reason| format!("not a valid RFC3339 timestamp: {reason}"))
    }

    /// The clock at the same moment in UTC.
    pub(super) fn instant(&self) -> DateTime {
        self.local.saturating_sub(SignedDuration::from_mins(self.offset.into()))
    }

    /// The same place later; `None` beyond the years that can be written.
    pub(super) fn after(&self, duration: SignedDuration) -> Option<Self> {
        let local = self
            .local
            .checked_add(duration)
            .ok()
            .filter(|local| local.year() >= 0)?;
        Some(Self { local, ..*self })
    }

    /// `+05:30` with a colon between, or `Z`.
    pub(super) fn offset_text(&self, separator: &str) -> String {
        let (hours, minutes) = (self.offset.abs() / 60, self.offset.abs() % 60);
        let sign = if self.offset < 0 { '-' } else { '+' };
        format!("{sign}{hours:02}{separator}{minutes:02}")
    }
}

/// To the second, as `timeadd` answers.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.local.strftime("%Y-%m-%dT%H:%M:%S");
        let offset = if self.offset == 0 {
            "Z".into()
        } else {
            self.offset_text(":")
        };
        write!(f, "{local}{offset}")
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn timestamp(&mut self) -> Result<Timestamp, String> {
        let year = self.digits(4, "year")?;
        self.separator('-', "year", "month")?;
        let month = self.digits(2, "month")?;
        self.separator('-', "month", "day")?;
        let day = self.digits(2, "day")?;
        if !self.accept('T') {
            return Err("missing required time introducer 'T'".into());
        }
        let hour = self.digits(2, "hour")?;
        self.separator(':', "hour", "minute")?;
        let minute = self.digits(2, "minute")?;
        self.separator(':', "minute", "second")?;
        let second = self.digits(2, "second")?;
        let nanosecond = self.fraction();
        let offset = self.offset()?;
        check("month", month, 1, 12)?;
        check("hour", hour, 0, 23)?;
        check("minute", minute, 0, 59)?;
        check("second", second, 0, 59)?;
        let narrow = |number: i16| i8::try_from(number).expect("two digits");
        let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(narrow);
        let local = DateTime::new(year, month, day, hour, minute, second, nanosecond);
        Ok(Timestamp {
            local: local.map_err(|_| "day out of range")?,
            offset,
        })
    }

    fn digits(&mut self, count: usize, what: &str) -> Result<i16, String> {
        if self.rest.is_empty() {
            return Err(format!("end of string before {what}"));
        }
        let digits = self
            .rest
            .get(..count)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let digits = digits.ok_or_else(|| format!("cannot use {:?} as {what}", self.rest))?;
        self.rest = &self.rest[count..];
        Ok(digits.parse().expect("at most four digits"))
    }

    fn separator(&mut self, separator: char, before: &str, after: &str) -> Result<(), String> {
        if self.accept(separator) {
            return Ok(());
        }
        Err(match self.rest {
            "" => format!("end of string before {after}"),
            rest => format!("found {rest:?} after {before} where '{separator}' is expected"),
        })
    }

    fn fraction(&mut self) -> i32 {
        const DIGITS: usize = 9;
        let length = match self.rest.strip_prefix('.') {
            Some(after) => after.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        if length == 0 {
            return 0;
        }
        let digits = &self.rest[1..=length];
        self.rest = &self.rest[length + 1..];
        let nanoseconds = format!("{:0<DIGITS$}", &digits[..length.min(DIGITS)]);
        nanoseconds.parse().expect("nine digits")
    }

    fn offset(&mut self) -> Result<i16, String> {
        if self.rest == "Z" {
            return Ok(0);
        }
        if self.rest.is_empty() {
            return Err("end of string before UTC offset".into());
        }
        let unusable = format!("cannot use {:?} as UTC offset", self.rest);
        let ahead = match self.rest.chars().next() {
            Some('+') => 1,
            Some('-') => -1,
            _ => return Err(unusable),
        };
        self.rest = &self.rest[1..];
        let hours = self.digits(2, "UTC offset").map_err(|_| unusable.clone())?;
        let colon = self.accept(':');
        let minutes = self.digits(2, "UTC offset").map_err(|_| unusable.clone())?;
        let usable = colon && self.rest.is_empty() && hours < 24 && minutes < 60;
        if usable {
            Ok(ahead * (hours * 60 + minutes))
        } else {
            Err(unusable)
        }
    }

    fn accept(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn check(what: &str, number: i16, least: i16, most: i16) -> Result<(), String> {
    if (least..=most).contains(&number) {
        return Ok(());
    }
    Err(format!("{what} must be between {least} and {most} inclusive"))
}
