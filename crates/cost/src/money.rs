//! Dollars and quantities: decimals, never floats, and never a panic.
//!
//! Beyond 28 digits they stop at the largest decimal there is: a month's bill has fewer.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

/// Digits after the point that a quantity has at most, so that a product with a rate is exact.
const QUANTITY_DIGITS: u32 = 6;

/// US dollars, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(Decimal);

/// How much of something: hours, gigabytes, requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Quantity(Decimal);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The amount that a text such as `0.04048` stands for; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).map(Self)
    }

    /// Every digit there is, without zeros at the end: `14.3380864`.
    pub fn exact(self) -> String {
        self.0.normalize().to_string()
    }

    /// As part of a larger amount, in whole percent; nothing has no parts.
    #[must_use]
    pub fn percent_of(self, whole: Self) -> u32 {
        let hundred = Decimal::ONE_HUNDRED;
        let share = self.0.checked_mul(hundred).and_then(|part| part.checked_div(whole.0));
        share
            .and_then(|percent| u32::try_from(percent.round()).ok())
            .unwrap_or(0)
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// One.
    pub const ONE: Self = Self(Decimal::ONE);

    /// The quantity that a text such as `2.5` stands for; `None` for anything else, and for less than nothing.
    pub fn parse(text: &str) -> Option<Self> {
        parse(text).filter(|quantity| !quantity.is_sign_negative()).map(Self)
    }

    /// The product.
    #[must_use]
    pub fn times(self, factor: impl Into<Self>) -> Self {
        Self(self.0.checked_mul(factor.into().0).unwrap_or(Decimal::MAX)).rounded()
    }

    /// The quotient; of a division by nothing, nothing.
    #[must_use]
    pub fn per(self, divisor: impl Into<Self>) -> Self {
        Self(self.0.checked_div(divisor.into().0).unwrap_or(Decimal::ZERO)).rounded()
    }

    /// What so much costs at a rate for one.
    pub fn at(self, rate: Usd) -> Usd {
        Usd(self.0.checked_mul(rate.0).unwrap_or(Decimal::MAX))
    }

    /// What is left of it after so much was taken away: never less than nothing.
    #[must_use]
    pub fn without(self, taken: Self) -> Self {
        Self(self.0.checked_sub(taken.0).unwrap_or(Decimal::ZERO).max(Decimal::ZERO))
    }

    /// Whether there is any.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    fn rounded(self) -> Self {
        Self(
            self.0
                .round_dp_with_strategy(QUANTITY_DIGITS, RoundingStrategy::MidpointAwayFromZero),
        )
    }
}

/// Plain digits or, as a float is printed, digits with an exponent.
fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim();
    Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

impl From<u64> for Quantity {
    fn from(whole: u64) -> Self {
        Self(Decimal::from(whole))
    }
}

impl From<u32> for Quantity {
    fn from(whole: u32) -> Self {
        Self(Decimal::from(whole))
    }
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).unwrap_or(Decimal::MAX))
    }
}

impl Sub for Usd {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.checked_sub(other.0).unwrap_or(Decimal::MIN))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.checked_add(other.0).unwrap_or(Decimal::MAX))
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// To the cent, as a bill shows it: `14.34`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        let cents = if cents.is_zero() { Decimal::ZERO } else { cents };
        f.pad(&format!("{cents:.2}"))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.normalize().to_string())
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.exact())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    #[test]
    fn dollars_are_shown_to_the_cent_and_kept_exactly() {
        for (exact, shown) in [
            ("14.3380864", "14.34"),
            ("0.005", "0.01"),
            ("-0.001", "0.00"),
            ("3", "3.00"),
        ] {
            assert_eq!(usd(exact).to_string(), shown);
            assert_eq!(usd(exact).exact(), exact);
        }
    }

    #[test]
    fn tenths_add_up() {
        assert_eq!(usd("0.1") + usd("0.2"), usd("0.3"));
    }

    #[test]
    fn too_much_is_the_most_there_is() {
        let most = Quantity::parse("79228162514264337593543950335").unwrap();
        assert_eq!(most.times(most), most);
        assert_eq!(most + most, most);
        assert_eq!(most.at(usd("2")), most.at(usd("3")));
    }

    #[test]
    fn a_quantity_is_not_negative_and_division_by_nothing_is_nothing() {
        assert_eq!(Quantity::parse("-1"), None);
        assert_eq!(Quantity::parse("1e-6"), Quantity::parse("0.000001"));
        assert_eq!(Quantity::ONE.per(0_u32), Quantity::ZERO);
        assert_eq!(Quantity::ONE.without(2_u32.into()), Quantity::ZERO);
    }
}
