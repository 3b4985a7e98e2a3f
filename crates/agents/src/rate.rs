//! How often one caller may ask: the generic cell rate algorithm, which remembers one instant for each caller.
//! <https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm>

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::error::ApiError;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Whoever sends from this address; of IPv6, from this network, since one customer has all of it.
    Address(IpAddr),
    /// Whoever pays from this account, wherever he sends from.
    Payer(String),
}

/// What `RATE_LIMIT_PER_MINUTE` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimit {
    /// Everybody may ask as often as he likes.
    #[default]
    Off,
    /// So often in a minute, and up to a sixth of that at once.
    PerMinute(NonZeroU32),
}

/// Counts for all callers. Clones count together.
#[derive(Clone, Debug)]
pub struct Rates(Option<Arc<Limiter>>);

#[derive(Debug)]
struct Limiter {
    /// The time that one request uses up.
    interval: Duration,
    /// How much may be used up ahead.
    ahead: Duration,
    used_up_to: Mutex<HashMap<Caller, Instant>>,
}

/// So many callers are remembered; more are nobody's normal day.
const CALLERS: usize = 50_000;

impl RateLimit {
    /// `off` or a number, or why it is neither.
    pub(crate) fn parse(text: &str) -> Result<RateLimit, String> {
        match text {
            "off" => Ok(RateLimit::Off),
            _ => text
                .parse()
                .map(RateLimit::PerMinute)
                .map_err(|_| format!("`{text}` is neither off nor a number from 1 on")),
        }
    }
}

impl Rates {
    /// Counting that refuses whoever passes the limit.
    pub(crate) fn new(limit: RateLimit) -> Rates {
        let limiter = |per_minute: NonZeroU32| Limiter {
            interval: Duration::from_mins(1) / per_minute.get(),
            ahead: Duration::from_secs(10),
            used_up_to: Mutex::default(),
        };
        Rates(match limit {
            RateLimit::Off => None,
            RateLimit::PerMinute(per_minute) => Some(Arc::new(limiter(per_minute))),
        })
    }

    /// Counts a request, or refuses it.
    pub(crate) fn check(&self, caller: Caller, now: Instant) -> Result<(), ApiError> {
        let Some(limiter) = &self.0 else {
            return Ok(());
        };
        limiter.take(caller, now).map_err(too_many)
    }
}

impl Limiter {
    fn take(&self, caller: Caller, now: Instant) -> Result<(), Duration> {
        let mut callers = self.used_up_to.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= CALLERS {
            callers.retain(|_, used_up_to| *used_up_to > now);
        }
        if callers.len() >= CALLERS && !callers.contains_key(&caller) {
            // So many at once are an attack: better to refuse new callers than to forget what the others have used up.
            return Err(self.ahead);
        }
        let used_up_to = callers.entry(caller).or_insert(now);
        let next = (*used_up_to).max(now) + self.interval;
        let latest = now + self.ahead.max(self.interval);
        if next > latest {
            return Err(next - latest);
        }
        *used_up_to = next;
        Ok(())
    }
}

impl Caller {
    /// By the load balancer's word, else by the connection. What stands last in the header was written by the load balancer itself:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
    pub(crate) fn of(headers: &HeaderMap, peer: Option<SocketAddr>) -> Option<Caller> {
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let named = last.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        let address = named.or(peer.map(|peer| peer.ip()))?;
        Some(Caller::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        }))
    }
}

fn too_many(wait: Duration) -> ApiError {
    let seconds = wait.as_secs() + 1;
    let reason = "more requests came than one caller may send";
    ApiError {
        retry_after: Some(seconds),
        ..ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_requests",
            reason,
            "wait as Retry-After says",
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(number: u8) -> Caller {
        Caller::Address(IpAddr::from([10, 0, 0, number]))
    }

    fn rates(per_minute: u32) -> Rates {
        Rates::new(RateLimit::PerMinute(per_minute.try_into().unwrap()))
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let (rates, now) = (rates(60), Instant::now());
        let passed = (0..30).filter(|_| rates.check(caller(1), now).is_ok()).count();
        assert_eq!(passed, 10, "a sixth of a minute at once");
        let refused = rates.check(caller(1), now).unwrap_err();
        assert_eq!(
            (refused.status, refused.retry_after),
            (StatusCode::TOO_MANY_REQUESTS, Some(2))
        );
        assert!(rates.check(caller(2), now).is_ok(), "another caller");
        assert!(rates.check(Caller::Payer("0xabc".to_owned()), now).is_ok());
        assert!(rates.check(caller(1), now + Duration::from_secs(1)).is_ok());
        assert!(Rates::new(RateLimit::Off).check(caller(1), now).is_ok());
    }

    #[test]
    fn a_low_rate_still_lets_one_pass() {
        let (rates, now) = (rates(1), Instant::now());
        assert!(rates.check(caller(1), now).is_ok());
        assert!(rates.check(caller(1), now + Duration::from_secs(30)).is_err());
        assert!(rates.check(caller(1), now + Duration::from_mins(1)).is_ok());
    }

    #[test]
    fn the_load_balancer_says_who_asks() {
        let peer = Some("127.0.0.1:5".parse().unwrap());
        let check = |header: Option<&'static str>, expected: &str| {
            let headers = header.map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap()));
            let caller = Caller::of(&headers.into_iter().collect(), peer).unwrap();
            assert_eq!(caller, Caller::Address(expected.parse().unwrap()), "{header:?}");
        };
        check(None, "127.0.0.1");
        check(Some("1.2.3.4"), "1.2.3.4");
        check(Some("6.6.6.6, 1.2.3.4"), "1.2.3.4");
        check(Some("nonsense"), "127.0.0.1");
        check(Some("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        check(Some("::ffff:1.2.3.4"), "1.2.3.4");
    }

    proptest! {
        #[test]
        fn nobody_passes_more_often_than_the_limit(per_minute in 1_u32..2_000, pauses in proptest::collection::vec(0_u64..2_000, 1..300)) {
            let (rates, begun) = (rates(per_minute), Instant::now());
            let mut now = begun;
            let mut passed = 0_u128;
            for pause in pauses {
                now += Duration::from_millis(pause);
                passed += u128::from(rates.check(caller(1), now).is_ok());
            }
            let allowed = u128::from(per_minute) * ((now - begun).as_millis() + 10_000) / 60_000 + 1;
            prop_assert!(passed <= allowed, "{passed} of {allowed}");
        }
    }
}
