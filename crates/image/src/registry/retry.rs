//! When to ask again: a pure function of how often one has, and what came back.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::error::RegistryError;

/// How long to wait for a registry, and how often to ask it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often a request is made at all before it is given up.
    pub attempts: u32,
    /// About how long to wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait, also where the registry asks for more.
    pub longest_wait: Duration,
    /// How long a registry may take to accept a connection.
    pub connect: Duration,
    /// How long nothing may move on a connection.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(20),
            connect: Duration::from_secs(15),
            silence: Duration::from_mins(1),
        }
    }
}

impl Patience {
    /// How long to wait before the next attempt; `None` when there should be none. `failures` counts this one, and `chance` is from 0 to 1.
    ///
    /// What a registry asks for is waited in full, up to the longest wait. Otherwise the doubled time or down to half of it, at random, so that
    /// [clients that failed together do not come back together](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    pub(super) fn wait(&self, failures: u32, error: &RegistryError, chance: f64) -> Option<Duration> {
        if failures >= self.attempts || !error.is_transient() {
            return None;
        }
        if let Some(asked) = error.retry_after() {
            return Some(asked.min(self.longest_wait));
        }
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let most = self.first_wait.saturating_mul(doubled).min(self.longest_wait);
        Some(most.mul_f64(f64::midpoint(1.0, chance.clamp(0.0, 1.0))))
    }
}

/// What `Retry-After` asks for: seconds, or a date. <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// A number from 0 to 1 that is another each time; nothing depends on nobody guessing it.
#[expect(clippy::cast_precision_loss, reason = "53 bits are as many as the number can have")]
pub(super) fn chance() -> f64 {
    (RandomState::new().hash_one(()) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn busy(retry_after: Option<u64>) -> RegistryError {
        RegistryError::Failing {
            registry: "r.example".to_owned(),
            status: http::StatusCode::TOO_MANY_REQUESTS,
            message: None,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    const PATIENCE: Patience = Patience {
        attempts: 4,
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_secs(1),
        connect: Duration::ZERO,
        silence: Duration::ZERO,
    };

    #[test]
    fn waits_double_and_end() {
        let waits = |chance| (1..=5).map(move |failures| PATIENCE.wait(failures, &busy(None), chance));
        let milliseconds = |waits: [u64; 3]| waits.map(|wait| Some(Duration::from_millis(wait)));
        assert!(waits(1.0).eq(milliseconds([100, 200, 400]).into_iter().chain([None, None])));
        assert!(waits(0.5).eq(milliseconds([75, 150, 300]).into_iter().chain([None, None])));
    }

    #[test]
    fn what_the_registry_asks_for_is_waited_up_to_the_longest() {
        assert_eq!(PATIENCE.wait(1, &busy(Some(0)), 1.0), Some(Duration::ZERO));
        assert_eq!(PATIENCE.wait(3, &busy(Some(1)), 0.0), Some(Duration::from_secs(1)));
        assert_eq!(PATIENCE.wait(1, &busy(Some(3600)), 0.0), Some(PATIENCE.longest_wait));
    }

    #[test]
    fn what_will_be_the_same_again_is_not_asked_again() {
        let error = RegistryError::NoRepository {
            registry: "r.example".to_owned(),
            repository: "a".to_owned(),
        };
        assert_eq!(PATIENCE.wait(1, &error, 1.0), None);
    }

    #[test]
    fn seconds_and_dates_are_read() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let check = |text: &'static str, expected: Option<u64>| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        };
        check("3", Some(3));
        check("Sun, 06 Nov 1994 08:50:37 GMT", Some(60));
        check("Sun, 06 Nov 1994 08:40:37 GMT", Some(0));
        check("soon", None);
        check("-1", None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_longest(failures: u32, asked in proptest::option::of(any::<u64>()), chance in 0.0..=1.0) {
            let patience = Patience { attempts: u32::MAX, ..PATIENCE };
            if let Some(wait) = patience.wait(failures, &busy(asked), chance) {
                prop_assert!(wait <= patience.longest_wait);
            }
        }
    }
}
