//! What our cookies say: which member of which group a client belongs to, and since when.
//!
//! On AWS these are encrypted with keys nobody knows. Here a ticket is made of keyed hashes of the names of group and
//! member, a time, and a keyed hash of all three: nothing can be read from it but the time, and one that we did not
//! issue, or that was changed, is none. The hash is the standard library's (`SipHash`), with keys drawn anew for each
//! process, so that tickets do not outlive it. It is meant to keep honest what a client sends back, no more.

use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A client's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) group: u64,
    pub(crate) member: u64,
    /// In seconds since 1970.
    issued: u64,
}

/// Not a ticket of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged;

/// The number of hexadecimal digits of a number in a ticket.
const DIGITS: usize = 16;

impl Ticket {
    pub(crate) fn issue(group: u64, member: u64, now: SystemTime) -> Self {
        Self {
            group,
            member,
            issued: seconds(now),
        }
    }

    /// Whether it is not older than `life`.
    pub(crate) fn is_fresh(&self, life: Duration, now: SystemTime) -> bool {
        seconds(now).saturating_sub(self.issued) <= life.as_secs()
    }

    fn seal(&self) -> u64 {
        keyed(("ticket", self.group, self.member, self.issued))
    }
}

/// A number for a name that only this process could tell.
pub(crate) fn keyed(name: impl Hash) -> u64 {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEYS.hash_one(name)
}

impl fmt::Display for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seal = self.seal();
        write!(
            formatter,
            "{:016x}{:016x}{:016x}{seal:016x}",
            self.group, self.member, self.issued
        )
    }
}

impl FromStr for Ticket {
    type Err = Forged;

    /// Only the very text that we would write is ours.
    fn from_str(text: &str) -> Result<Self, Forged> {
        let number = |position: usize| {
            let digits = text.get(position * DIGITS..(position + 1) * DIGITS).ok_or(Forged)?;
            u64::from_str_radix(digits, 16).map_err(|_invalid| Forged)
        };
        let (group, member, issued) = (number(0)?, number(1)?, number(2)?);
        let ticket = Self { group, member, issued };
        if ticket.to_string() == text {
            Ok(ticket)
        } else {
            Err(Forged)
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_ticket_is_good_for_its_life() {
        let ticket = Ticket::issue(1, 2, at(1_000));
        let is_fresh = |seconds| ticket.is_fresh(Duration::from_mins(1), at(seconds));
        assert!(is_fresh(900) && is_fresh(1_000) && is_fresh(1_060));
        assert!(!is_fresh(1_061));
    }

    proptest! {
        #[test]
        fn our_own_are_known(group in any::<u64>(), member in any::<u64>(), issued in 0_u64..1 << 33) {
            let ticket = Ticket::issue(group, member, at(issued));
            prop_assert_eq!(ticket.to_string().parse(), Ok(ticket));
        }

        #[test]
        fn one_changed_digit_makes_it_none(member in any::<u64>(), place in 0_usize..64, digit in "[0-9a-fA-F+ é]") {
            let ticket = Ticket::issue(1, member, at(1_000)).to_string();
            let changed = [&ticket[..place], &digit, &ticket[place + 1..]].concat();
            prop_assert_eq!(changed.parse::<Ticket>().is_ok(), changed == ticket, "{}", changed);
        }

        #[test]
        fn any_text_is_read_without_harm(text in any::<String>()) {
            prop_assert_eq!(text.parse::<Ticket>(), Err(Forged));
        }
    }
}
