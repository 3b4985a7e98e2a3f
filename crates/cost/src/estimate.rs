//! [`Estimate`]: three answers to one question.

use std::ops::Add;

use serde::Serialize;

/// How much at least, probably and at most: with autoscaling's minimum, the desired count and autoscaling's maximum, each for every hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Estimate<T> {
    /// Every service at its minimum.
    pub low: T,
    /// Every service at its desired count.
    pub expected: T,
    /// Every service at its maximum.
    pub high: T,
}

impl<T: Copy> Estimate<T> {
    /// The same in all three cases.
    pub fn certain(value: T) -> Self {
        Self {
            low: value,
            expected: value,
            high: value,
        }
    }

    /// Each of the three, turned into something else.
    pub fn map<U>(self, mut turn: impl FnMut(T) -> U) -> Estimate<U> {
        Estimate {
            low: turn(self.low),
            expected: turn(self.expected),
            high: turn(self.high),
        }
    }

    /// Each of the three together with its counterpart.
    pub fn with<U, V>(self, other: Estimate<U>, mut combine: impl FnMut(T, U) -> V) -> Estimate<V> {
        Estimate {
            low: combine(self.low, other.low),
            expected: combine(self.expected, other.expected),
            high: combine(self.high, other.high),
        }
    }
}

impl<T: Copy + Add<Output = T>> Add for Estimate<T> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.with(other, Add::add)
    }
}

impl<T: Copy + Default + Add<Output = T>> std::iter::Sum for Estimate<T> {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}
