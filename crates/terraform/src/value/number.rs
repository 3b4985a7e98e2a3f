//! Numbers: whole where they can be, decimal where they must.

use std::cmp::Ordering;
use std::fmt;

/// A number of the Terraform language.
///
/// Whole numbers are exact over the range of `i128`. Fractions are IEEE doubles, printed with the fewest digits that read back as the same
/// number; Terraform itself computes with 512 bits, which differs only beyond the 15th digit.
#[derive(Clone, Copy)]
pub struct Number(Repr);

#[derive(Clone, Copy)]
enum Repr {
    Whole(i128),
    Fraction(f64),
}

impl Number {
    /// The number as a double.
    #[expect(clippy::cast_precision_loss, reason = "a double is what was asked for")]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Whole(whole) => whole as f64,
            Repr::Fraction(fraction) => fraction,
        }
    }

    /// The number as a whole number, where it is one.
    pub fn as_i128(self) -> Option<i128> {
        match self.0 {
            Repr::Whole(whole) => Some(whole),
            Repr::Fraction(_) => None,
        }
    }

    /// A double as a number; `None` for infinities and what is not a number.
    pub fn from_f64(double: f64) -> Option<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a double is no longer every whole number
        if !double.is_finite() {
            return None;
        }
        if double.fract() == 0.0 && double.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "checked: whole and within 2^53")]
            return Some(Self(Repr::Whole(double as i128)));
        }
        Some(Self(Repr::Fraction(double)))
    }
}

impl<N: Into<i128>> From<N> for Number {
    fn from(whole: N) -> Self {
        Self(Repr::Whole(whole.into()))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Repr::Whole(a), Repr::Whole(b)) => a.cmp(&b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Whole(whole) => write!(f, "{whole}"),
            Repr::Fraction(fraction) => write!(f, "{fraction}"),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
