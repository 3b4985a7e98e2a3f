//! Binary floating point with 512 bits, the arithmetic of Terraform's numbers.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};

/// Bits of the mantissa; Terraform parses and computes with this many.
const PRECISION: u64 = 512;
/// Bits of a double's mantissa: what comes from a double is also printed like one.
const DOUBLE_PRECISION: u64 = 53;
/// Binary exponents stay within this, so that no expression can ask for gigabytes of digits.
const EXPONENT_LIMIT: i64 = 40_000;

/// `mantissa · 2^exponent`, the mantissa odd, or zero with exponent zero.
#[derive(Debug, Clone)]
pub(super) struct Wide {
    mantissa: BigInt,
    exponent: i64,
    /// How many bits it was rounded to: decides how many digits are printed, not what it equals.
    precision: u64,
}

impl Wide {
    /// A decimal such as `-12.5e3`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        const LONGEST: usize = 2000;
        const GREATEST_EXPONENT: i64 = 5000;
        if text.len() > LONGEST {
            return None;
        }
        let (decimal, exponent) = match text.split_once(['e', 'E']) {
            Some((decimal, exponent)) => (decimal, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        let unsigned = whole.strip_prefix('-').unwrap_or(whole);
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let missing = unsigned.is_empty() || (fraction.is_empty() && decimal.contains('.'));
        if missing || !all_digits(unsigned) || !all_digits(fraction) || exponent.abs() > GREATEST_EXPONENT {
            return None;
        }
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let scale = exponent - i64::try_from(fraction.len()).ok()?;
        Some(Self::from_decimal(digits, scale))
    }

    pub(super) fn from_f64(double: f64) -> Self {
        let bits = double.to_bits();
        let raw_exponent = i64::try_from((bits >> 52) & 0x7ff).expect("eleven bits");
        let fraction = bits & ((1 << 52) - 1);
        // A subnormal number has no hidden bit.
        let (magnitude, exponent) = match raw_exponent {
            0 => (fraction, -1074),
            _ => (fraction | (1 << 52), raw_exponent - 1075),
        };
        let mantissa = BigInt::from(magnitude) * if double.is_sign_negative() { -1 } else { 1 };
        Self::rounded(&mantissa, exponent, DOUBLE_PRECISION)
    }

    pub(super) fn is_negative(&self) -> bool {
        self.mantissa.sign() == Sign::Minus
    }

    pub(super) fn as_i128(&self) -> Option<i128> {
        if !(0..=127).contains(&self.exponent) {
            return None;
        }
        i128::try_from(&self.mantissa << self.exponent).ok()
    }

    pub(super) fn neg(&self) -> Self {
        Self {
            mantissa: -&self.mantissa,
            ..self.clone()
        }
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self::rounded(
            &(self.scaled_to(exponent) + other.scaled_to(exponent)),
            exponent,
            self.precision.max(other.precision),
        )
    }

    pub(super) fn mul(&self, other: &Self) -> Self {
        let mantissa = &self.mantissa * &other.mantissa;
        Self::rounded(
            &mantissa,
            self.exponent + other.exponent,
            self.precision.max(other.precision),
        )
    }

    pub(super) fn div(&self, other: &Self) -> Option<Self> {
        if other.mantissa.sign() == Sign::NoSign {
            return None;
        }
        let (quotient, exponent) = quotient(&self.mantissa, &other.mantissa);
        let exponent = exponent + self.exponent - other.exponent;
        Some(Self::rounded(&quotient, exponent, self.precision.max(other.precision)))
    }

    pub(super) fn floor(&self) -> Self {
        if self.exponent >= 0 {
            return self.clone();
        }
        // The shift of a `BigInt` rounds towards negative infinity.
        Self::rounded(&(&self.mantissa >> self.exponent.unsigned_abs()), 0, self.precision)
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let exponent = self.exponent.min(other.exponent);
        self.scaled_to(exponent).cmp(&other.scaled_to(exponent))
    }

    /// `digits · 10^scale`
    fn from_decimal(digits: BigInt, scale: i64) -> Self {
        let power = BigInt::from(10).pow(u32::try_from(scale.unsigned_abs()).expect("the exponent was limited"));
        if scale >= 0 {
            return Self::rounded(&(digits * power), 0, PRECISION);
        }
        let (quotient, exponent) = quotient(&digits, &power);
        Self::rounded(&quotient, exponent, PRECISION)
    }

    /// Rounds to the precision, half to even, and brings the number into its one form.
    fn rounded(mantissa: &BigInt, exponent: i64, precision: u64) -> Self {
        let excess = mantissa.bits().saturating_sub(precision);
        let (mut mantissa, mut exponent) = (round_off(mantissa, excess), exponent + signed(excess));
        if let Some(zeros) = mantissa.trailing_zeros() {
            mantissa >>= zeros;
            exponent += signed(zeros);
        }
        if mantissa.sign() == Sign::NoSign || exponent < -EXPONENT_LIMIT {
            (mantissa, exponent) = (BigInt::ZERO, 0);
        }
        Self {
            mantissa,
            exponent: exponent.min(EXPONENT_LIMIT),
            precision,
        }
    }

    /// The mantissa this number has with a smaller exponent.
    fn scaled_to(&self, exponent: i64) -> BigInt {
        &self.mantissa << (self.exponent - exponent)
    }
}

impl From<i128> for Wide {
    fn from(whole: i128) -> Self {
        Self::rounded(&whole.into(), 0, PRECISION)
    }
}

/// The fewest decimal digits that read back as the same number, without exponent.
impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa.sign() == Sign::NoSign {
            return f.write_str("0");
        }
        let (digits, point) = self.shortest_digits();
        f.write_str(&with_point(self.is_negative(), &digits, point))
    }
}

impl Wide {
    /// All decimal digits.
    pub(super) fn to_exact_string(&self) -> String {
        let exact = decimal(&BigInt::from(self.mantissa.magnitude().clone()), self.exponent);
        let point = isize::try_from(exact.digits.len()).expect("a length") - exact.scale;
        with_point(self.is_negative(), &exact.digits, point)
    }

    /// The digits of the magnitude, and where the point stands relative to their beginning.
    fn shortest_digits(&self) -> (String, isize) {
        // Half a unit in the last place, as an exact decimal beside the number itself.
        let padding = self.precision + 1 - self.mantissa.bits().min(self.precision);
        let exponent = self.exponent - signed(padding);
        let twice = BigInt::from(self.mantissa.magnitude().clone()) << padding;
        let even = twice.bit(1);
        let [exact, lower, upper] = [&twice + 0, &twice - 1, &twice + 1].map(|bound| decimal(&bound, exponent));
        let width = upper.digits.len();
        let aligned = [&exact, &lower].map(|bound| format!("{:0>width$}", bound.digits));
        let digits = shortest(&aligned[0], &aligned[1], &upper.digits, !even);
        let point = isize::try_from(width).expect("a length") - upper.scale;
        let leading_zeros = digits.len() - digits.trim_start_matches('0').len();
        let trimmed = digits.trim_start_matches('0').trim_end_matches('0').to_owned();
        (trimmed, point - isize::try_from(leading_zeros).expect("a length"))
    }
}

/// `0.digits · 10^point` without exponent.
fn with_point(negative: bool, digits: &str, point: isize) -> String {
    let sign = if negative { "-" } else { "" };
    let distance = point.unsigned_abs();
    if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(distance))
    } else if distance >= digits.len() {
        format!("{sign}{digits}{}", "0".repeat(distance - digits.len()))
    } else {
        let (whole, fraction) = digits.split_at(distance);
        format!("{sign}{whole}.{fraction}")
    }
}

/// `digits · 10^-scale`
struct Decimal {
    digits: String,
    scale: isize,
}

/// `mantissa · 2^exponent` in decimal, exactly.
fn decimal(mantissa: &BigInt, exponent: i64) -> Decimal {
    if exponent >= 0 {
        return Decimal {
            digits: (mantissa << exponent).to_string(),
            scale: 0,
        };
    }
    let places = exponent.unsigned_abs();
    let fives = BigInt::from(5).pow(u32::try_from(places).expect("exponents are limited"));
    Decimal {
        digits: (mantissa * fives).to_string(),
        scale: isize::try_from(places).expect("exponents are limited"),
    }
}

/// The fewest leading digits between the bounds, nearest to the exact ones; all three are equally long.
fn shortest(exact: &str, lower: &str, upper: &str, inclusive: bool) -> String {
    let (exact_digits, lower, upper) = (exact.as_bytes(), lower.as_bytes(), upper.as_bytes());
    let (lower_end, upper_end) = (significant(lower), significant(upper));
    let mut upper_apart = false;
    let mut lower_apart = false;
    for index in 0..exact_digits.len() {
        let (l, m, u) = (lower[index], exact_digits[index], upper[index]);
        let down_fits = lower_apart || l != m || (inclusive && index + 1 == lower_end);
        let up_fits = (upper_apart || m != u) && (inclusive || upper_apart || m + 1 < u || index + 1 < upper_end);
        let kept = &exact[..=index];
        match (down_fits, up_fits) {
            (true, true) if rounds_up(exact_digits, index) => return incremented(kept, exact.len()),
            (true, _) => return padded(kept, exact.len()),
            (false, true) => return incremented(kept, exact.len()),
            (false, false) => {}
        }
        lower_apart |= l != m;
        upper_apart |= m != u;
    }
    exact.to_owned()
}

/// How many digits there are without the trailing zeros.
fn significant(digits: &[u8]) -> usize {
    digits
        .iter()
        .rposition(|digit| *digit != b'0')
        .map_or(0, |last| last + 1)
}

/// Whether cutting after `index` rounds up: half to even.
fn rounds_up(digits: &[u8], index: usize) -> bool {
    let rest = &digits[index + 1..];
    match rest.first() {
        Some(b'5') if significant(rest) == 1 => !(digits[index] - b'0').is_multiple_of(2),
        Some(next) => *next >= b'5',
        None => false,
    }
}

fn padded(kept: &str, width: usize) -> String {
    format!("{kept:0<width$}")
}

fn incremented(kept: &str, width: usize) -> String {
    let next: BigInt = kept.parse::<BigInt>().expect("digits") + 1;
    let places = kept.len();
    padded(&format!("{next:0>places$}"), width)
}

/// A quotient with more bits than any precision keeps, its last bit telling of any remainder.
fn quotient(dividend: &BigInt, divisor: &BigInt) -> (BigInt, i64) {
    let shift = PRECISION + 2 + divisor.bits();
    let shifted = BigInt::from(dividend.magnitude().clone()) << shift;
    let magnitude = BigInt::from(divisor.magnitude().clone());
    let (mut quotient, remainder) = (&shifted / &magnitude, &shifted % &magnitude);
    if remainder.sign() != Sign::NoSign {
        quotient.set_bit(0, true);
    }
    let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
    (if negative { -quotient } else { quotient }, -signed(shift))
}

/// The mantissa without its last bits, rounded half to even.
fn round_off(mantissa: &BigInt, bits: u64) -> BigInt {
    if bits == 0 {
        return mantissa.clone();
    }
    let magnitude = BigInt::from(mantissa.magnitude().clone());
    let mut kept: BigInt = &magnitude >> bits;
    let half = magnitude.bit(bits - 1);
    let more_than_half = magnitude.trailing_zeros().is_some_and(|zeros| zeros < bits - 1);
    if half && (more_than_half || kept.bit(0)) {
        kept += 1;
    }
    if mantissa.sign() == Sign::Minus { -kept } else { kept }
}

fn signed(bits: u64) -> i64 {
    i64::try_from(bits).expect("numbers have few bits")
}
