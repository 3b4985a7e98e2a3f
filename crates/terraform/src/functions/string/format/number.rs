//! Numbers in `format`, by the rules of Go's `fmt`.

use super::specification::Specification;
use crate::value::Number;

/// `%d %b %o %x %X`; `None` if it is not a whole number.
pub(super) fn integer(specification: &Specification<'_>, number: &Number) -> Option<String> {
    let exact = number.to_exact_string();
    if exact.contains('.') {
        return None;
    }
    let magnitude = exact.trim_start_matches('-');
    let digits = match specification.verb {
        'd' => magnitude.to_owned(),
        verb => in_base(verb, magnitude.parse().ok()?),
    };
    let digits = match specification.precision {
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    let prefix = match specification.verb {
        'b' if specification.sharp => "0b",
        'o' if specification.sharp => "0",
        'x' if specification.sharp => "0x",
        'X' if specification.sharp => "0X",
        _ => "",
    };
    let zeros = specification.precision.is_none();
    Some(signed(specification, number.is_negative(), prefix, &digits, zeros))
}

/// `%e %f %g` with six places where none are asked for, `%g` with as many digits as the number has.
pub(super) fn float(specification: &Specification<'_>, number: &Number) -> String {
    const PLACES: usize = 6;
    let exact = Decimal::of(&number.to_exact_string());
    let places = specification.precision.unwrap_or(PLACES);
    let digits = match (specification.verb, specification.precision) {
        ('f', _) => exact.fixed(places),
        ('e' | 'E', _) => exact.scientific(places),
        (_, None) => return shortest(specification, number),
        (_, Some(precision)) => {
            let rounded = exact.rounded(precision.max(1));
            // Go's rule: trailing zeros do not count, unless they stand before the point.
            let counted = length(&rounded.digits);
            let limit = if counted >= rounded.point {
                precision.min(rounded.digits.len())
            } else {
                precision
            };
            rounded.general(limit)
        }
    };
    finished(specification, number, &digits)
}

/// As many digits as the number has, with an exponent for the small and the large.
pub(super) fn shortest(specification: &Specification<'_>, number: &Number) -> String {
    const LARGEST_EXPONENT: usize = 6;
    let digits = Decimal::of(&number.to_string()).general(LARGEST_EXPONENT);
    finished(specification, number, &digits)
}

fn finished(specification: &Specification<'_>, number: &Number, digits: &str) -> String {
    let digits = if specification.verb.is_ascii_uppercase() {
        digits.to_uppercase()
    } else {
        digits.to_owned()
    };
    signed(specification, number.is_negative(), "", &digits, true)
}

/// Zeros go between sign and digits, spaces around both.
fn signed(specification: &Specification<'_>, negative: bool, prefix: &str, digits: &str, zeros: bool) -> String {
    let sign = match (negative, specification.plus, specification.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    };
    let head = format!("{sign}{prefix}");
    let width = specification.width;
    match (specification.minus, specification.zero && zeros) {
        (true, _) => format!("{:<width$}", head + digits),
        (false, true) => format!("{head}{digits:0>0$}", width.saturating_sub(head.len())),
        (false, false) => format!("{:>width$}", head + digits),
    }
}

fn in_base(verb: char, magnitude: u128) -> String {
    match verb {
        'b' => format!("{magnitude:b}"),
        'o' => format!("{magnitude:o}"),
        'X' => format!("{magnitude:X}"),
        _ => format!("{magnitude:x}"),
    }
}

/// `0.digits · 10^point`; the digits neither begin nor end with zero, and there are none for zero.
struct Decimal {
    digits: String,
    point: isize,
}

impl Decimal {
    fn of(text: &str) -> Self {
        let magnitude = text.trim_start_matches('-');
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let point = length(whole) - length(&all) + length(significant);
        let digits = significant.trim_end_matches('0').to_owned();
        Self {
            point: if digits.is_empty() { 0 } else { point },
            digits,
        }
    }

    /// At most so many digits, half to even.
    fn rounded(&self, count: usize) -> Self {
        if count >= self.digits.len() {
            return Self {
                digits: self.digits.clone(),
                point: self.point,
            };
        }
        let (kept, rest) = self.digits.split_at(count);
        let even = kept.bytes().last().is_none_or(|digit| (digit - b'0').is_multiple_of(2));
        let up = rest > "5" || (rest == "5" && !even);
        let mut digits = kept.to_owned().into_bytes();
        let mut point = self.point;
        if up {
            increment(&mut digits, &mut point);
        }
        let digits = String::from_utf8(digits).expect("ASCII digits");
        Self {
            digits: digits.trim_end_matches('0').to_owned(),
            point,
        }
    }

    /// `1234.50`
    fn fixed(&self, places: usize) -> String {
        let count = self.point + isize::try_from(places).expect("a small count");
        let shown = match usize::try_from(count) {
            Ok(count) => self.rounded(count),
            Err(_) => Self::of("0"),
        };
        let whole = if shown.point > 0 {
            shown.slice(0, shown.point)
        } else {
            "0".into()
        };
        let fraction = shown.slice(
            shown.point.max(0),
            shown.point + isize::try_from(places).expect("a small count"),
        );
        let leading = "0".repeat(shown.point.min(0).unsigned_abs().min(places));
        if places == 0 {
            whole
        } else {
            format!("{whole}.{:0<places$}", leading + &fraction)
        }
    }

    /// `1.2345e+03`
    fn scientific(&self, places: usize) -> String {
        let shown = self.rounded(places + 1);
        let exponent = if shown.digits.is_empty() { 0 } else { shown.point - 1 };
        let first = shown.slice(0, 1);
        let rest = shown.slice(1, isize::try_from(places).expect("a small count") + 1);
        let point = if places == 0 { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{point}{rest}e{sign}{:02}", exponent.unsigned_abs())
    }

    /// Fixed for exponents from -4 up to the limit, scientific beyond.
    fn general(&self, limit: usize) -> String {
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        if exponent < -4 || exponent >= isize::try_from(limit).expect("a small count") {
            return self.scientific(self.digits.len().saturating_sub(1));
        }
        self.fixed(usize::try_from(length(&self.digits) - self.point).unwrap_or(0))
    }

    /// The digits from one position to another, with zeros after the last.
    fn slice(&self, start: isize, end: isize) -> String {
        let [start, end] = [start, end].map(|position| usize::try_from(position).unwrap_or(0));
        let known: String = self
            .digits
            .chars()
            .skip(start)
            .take(end.saturating_sub(start))
            .collect();
        let width = end.saturating_sub(start);
        format!("{known:0<width$}")
    }
}

/// The next greater digits of the same length; `999` becomes `100` and moves the point.
fn increment(digits: &mut Vec<u8>, point: &mut isize) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
    *point += 1;
}

fn length(text: &str) -> isize {
    isize::try_from(text.len()).expect("no text is that long")
}
