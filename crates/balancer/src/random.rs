//! Numbers that need to differ, not to be secret: trace identifiers and weighted choices.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The next number of a `SplitMix64` sequence that starts at a different place in each process.
///
/// <https://doi.org/10.1145/2714064.2660195>
pub(crate) fn next() -> u64 {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("start"));
    static STEPS: AtomicU64 = AtomicU64::new(0);
    mix(START.wrapping_add(
        STEPS
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15),
    ))
}

/// A number in `0..limit`; zero when the limit is zero.
pub(crate) fn below(limit: u64) -> u64 {
    // The high half of the product: no division, and a bias far below what anybody could count.
    let product = u128::from(next()) * u128::from(limit);
    u64::try_from(product >> 64).expect("the high half of a product of two u64 is a u64")
}

/// A number from 0 to 1, without 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are as many as the number can have")]
pub(crate) fn chance() -> f64 {
    (next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_differ() {
        let seen: HashSet<u64> = (0..10_000).map(|_| next()).collect();
        assert_eq!(seen.len(), 10_000);
    }

    #[test]
    fn a_chance_is_even() {
        let hits = (0..4_000).filter(|_| chance() < 0.25).count();
        assert!((800..1_200).contains(&hits), "{hits}");
    }

    #[test]
    fn below_reaches_all_and_no_more() {
        let mut counts = [0_u32; 4];
        for _ in 0..4_000 {
            counts[usize::try_from(below(4)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|&count| (800..1_200).contains(&count)), "{counts:?}");
        assert_eq!(below(0), 0);
    }
}
