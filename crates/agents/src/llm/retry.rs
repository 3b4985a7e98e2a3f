//! When a call is made again, and how long to wait before.
//!
//! <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;

/// Attempts of one call, the first included.
pub(super) const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Whether the same request may do better a moment later.
pub(super) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long to wait before the next attempt; none where there is to be none.
///
/// Without a word of the server each pause is at most twice the one before, and by `chance` (from 0 to 1) up to a half
/// shorter, so that callers who failed together do not come back together.
pub(super) fn pause(failed: u32, asked: Option<Duration>, chance: f64, time_left: Duration) -> Option<Duration> {
    if failed >= ATTEMPTS {
        return None;
    }
    let pause = asked.unwrap_or_else(|| FIRST_PAUSE * 2_u32.pow(failed.saturating_sub(1)));
    let pause = if asked.is_some() {
        pause
    } else {
        pause.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    };
    (pause < time_left).then_some(pause)
}

/// `Retry-After`: seconds, or an instant.
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = httpdate::parse_http_date(value).ok()?;
    Some(instant.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn pauses_grow_and_end() {
        let check = |failed, asked: Option<u64>, chance, expected: Option<u64>| {
            let found = pause(failed, asked.map(Duration::from_millis), chance, LONG);
            assert_eq!(found, expected.map(Duration::from_millis));
        };
        check(1, None, 0.0, Some(250));
        check(1, None, 1.0, Some(125));
        check(2, None, 0.0, Some(500));
        check(3, None, 0.0, None);
        check(1, Some(2000), 1.0, Some(2000));
        check(1, Some(61_000), 0.0, None);
    }

    #[test]
    fn the_header_is_seconds_or_an_instant() {
        let now = httpdate::parse_http_date("Mon, 12 Jan 2026 17:00:00 GMT").unwrap();
        assert_eq!(retry_after(" 7 ", now), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after("Mon, 12 Jan 2026 17:00:30 GMT", now),
            Some(Duration::from_secs(30))
        );
        assert_eq!(retry_after("Mon, 12 Jan 2026 16:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }

    proptest! {
        #[test]
        fn a_pause_is_inside_the_time_left(failed in 0_u32..9, asked in proptest::option::of(0_u64..9000), chance in -1.0..2.0, left in 0_u64..9000) {
            let left = Duration::from_millis(left);
            if let Some(pause) = pause(failed, asked.map(Duration::from_millis), chance, left) {
                prop_assert!(pause < left && failed < ATTEMPTS);
            }
        }

        #[test]
        fn no_header_panics(value in ".{0,40}") {
            let _ = retry_after(&value, SystemTime::UNIX_EPOCH);
        }
    }
}
