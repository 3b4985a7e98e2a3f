//! Numbers: whole where they can be, binary fractions of 512 bits where they must, as Terraform computes.

mod wide;

use std::cmp::Ordering;
use std::fmt;

use wide::Wide;

/// A number of the Terraform language.
///
/// Whole numbers within `i128` are exact. All others are binary fractions with Terraform's 512 bits, so that `0.1 + 0.2` is `0.3` and
/// `1 / 3` has as many digits as there.
#[derive(Clone)]
pub struct Number(Repr);

#[derive(Clone)]
enum Repr {
    Whole(i128),
    /// A fraction, a whole number beyond `i128`, or one that a double only came near to.
    Wide(Box<Wide>),
}

impl Number {
    /// The number a literal or a string such as `"1.5e3"` stands for. None has more than 2000 characters or an exponent beyond 5000.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(whole) if !text.starts_with('+') => Some(Self(Repr::Whole(whole))),
            _ => Wide::parse(text).map(Self::from_wide),
        }
    }

    /// A double as a number; `None` for infinities and what is not a number.
    pub fn from_f64(double: f64) -> Option<Self> {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: beyond it a double is no longer every whole number
        let wide = double.is_finite().then(|| Wide::from_f64(double))?;
        Some(if double.abs() <= EXACT {
            Self::from_wide(wide)
        } else {
            Self(Repr::Wide(Box::new(wide)))
        })
    }

    /// The nearest double.
    #[expect(clippy::cast_precision_loss, reason = "a double is what was asked for")]
    pub fn as_f64(&self) -> f64 {
        match &self.0 {
            Repr::Whole(whole) => *whole as f64,
            Repr::Wide(wide) => wide.to_string().parse().expect("digits with a point are a double"),
        }
    }

    /// The number as a whole number, where it is one within `i128`.
    pub fn as_i128(&self) -> Option<i128> {
        match &self.0 {
            Repr::Whole(whole) => Some(*whole),
            Repr::Wide(wide) => wide.as_i128(),
        }
    }

    /// The sum.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        self.combine(other, i128::checked_add, Wide::add)
    }

    /// The difference.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        self.combine(other, i128::checked_sub, |a, b| a.add(&b.neg()))
    }

    /// The product.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        self.combine(other, i128::checked_mul, Wide::mul)
    }

    /// The quotient; `None` for a division by zero.
    pub fn div(&self, other: &Self) -> Option<Self> {
        if let (Repr::Whole(a), Repr::Whole(b)) = (&self.0, &other.0)
            && a.checked_rem(*b) == Some(0)
        {
            return a.checked_div(*b).map(Self::from);
        }
        self.wide().div(&other.wide()).map(Self::from_wide)
    }

    /// The remainder, with the sign of the dividend; `None` for a division by zero.
    pub fn rem(&self, other: &Self) -> Option<Self> {
        if let (Repr::Whole(a), Repr::Whole(b)) = (&self.0, &other.0) {
            return a.checked_rem(*b).map(Self::from);
        }
        let times = self.div(other)?;
        let whole_times = if times.is_negative() {
            times.ceil()
        } else {
            times.floor()
        };
        Some(self.sub(&other.mul(&whole_times)))
    }

    /// The number with the opposite sign.
    #[must_use]
    pub fn neg(&self) -> Self {
        match &self.0 {
            Repr::Whole(whole) if *whole != i128::MIN => Self(Repr::Whole(-whole)),
            _ => Self(Repr::Wide(Box::new(self.wide().neg()))),
        }
    }

    /// Below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Whole(whole) => *whole < 0,
            Repr::Wide(wide) => wide.is_negative(),
        }
    }

    /// The greatest whole number that is not above it.
    #[must_use]
    pub fn floor(&self) -> Self {
        match &self.0 {
            Repr::Whole(_) => self.clone(),
            Repr::Wide(wide) => Self::from_wide(wide.floor()),
        }
    }

    /// The least whole number that is not below it.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }

    /// All decimal digits of the binary fraction, where `Display` stops as soon as they are unmistakable.
    pub(crate) fn to_exact_string(&self) -> String {
        match &self.0 {
            Repr::Whole(whole) => whole.to_string(),
            Repr::Wide(wide) => wide.to_exact_string(),
        }
    }

    /// The number of a JSON document.
    pub(crate) fn from_json(number: &serde_json::Number) -> Self {
        Self::parse(&number.to_string()).expect("a JSON number is a finite decimal")
    }

    /// The number as JSON: exact for 64-bit integers, the nearest double otherwise.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let whole = self.as_i128();
        if let Some(small) = whole.and_then(|whole| i64::try_from(whole).ok()) {
            return small.into();
        }
        if let Some(large) = whole.and_then(|whole| u64::try_from(whole).ok()) {
            return large.into();
        }
        self.as_f64().into()
    }

    fn combine(&self, other: &Self, exact: fn(i128, i128) -> Option<i128>, rounded: fn(&Wide, &Wide) -> Wide) -> Self {
        if let (Repr::Whole(a), Repr::Whole(b)) = (&self.0, &other.0)
            && let Some(whole) = exact(*a, *b)
        {
            return whole.into();
        }
        Self::from_wide(rounded(&self.wide(), &other.wide()))
    }

    fn wide(&self) -> Wide {
        match &self.0 {
            Repr::Whole(whole) => Wide::from(*whole),
            Repr::Wide(wide) => (**wide).clone(),
        }
    }

    fn from_wide(wide: Wide) -> Self {
        match wide.as_i128() {
            Some(whole) => whole.into(),
            None => Self(Repr::Wide(Box::new(wide))),
        }
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
        match (&self.0, &other.0) {
            (Repr::Whole(a), Repr::Whole(b)) => a.cmp(b),
            _ => self.wide().cmp(&other.wide()),
        }
    }
}

/// All digits, never an exponent, as Terraform puts numbers into strings and JSON.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(whole) => fmt::Display::fmt(whole, f),
            Repr::Wide(wide) => fmt::Display::fmt(wide, f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
