//! [`Measured`]: what was used for a while, as a month's use.

use std::time::Duration;

use crate::{Quantity, Usage};

/// A month of 730 hours, in seconds.
const MONTH_SECONDS: u32 = 730 * 60 * 60;

/// What was used while somebody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// For how long.
    pub duration: Duration,
    /// Requests that reached the load balancers.
    pub requests: u64,
    /// Bytes of these requests and their responses.
    pub request_bytes: u64,
    /// Bytes that were logged.
    pub log_bytes: u64,
}

impl Usage {
    /// This use, but for what was measured: as if the whole month were like that while. `None` if it was less than a second.
    ///
    /// Without a request there is none that could be weighed: its size stays what it was.
    pub fn with_measured(&self, measured: &Measured) -> Option<Self> {
        let seconds = measured.duration.as_secs();
        if seconds == 0 {
            return None;
        }
        let monthly = |count: u64| Quantity::from(count).times(MONTH_SECONDS).per(seconds);
        let gigabytes = |bytes: u64| monthly(bytes).per(1_000_000_000_u32);
        let kilobytes = || {
            Quantity::from(measured.request_bytes)
                .per(measured.requests)
                .per(1_000_u32)
        };
        Some(Self {
            requests: monthly(measured.requests),
            request_kb: if measured.requests == 0 {
                self.request_kb
            } else {
                kilobytes()
            },
            logs_gb: gigabytes(measured.log_bytes),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(seconds: u64, requests: u64, request_bytes: u64, log_bytes: u64) -> Option<Usage> {
        Usage::default().with_measured(&Measured {
            duration: Duration::from_secs(seconds),
            requests,
            request_bytes,
            log_bytes,
        })
    }

    #[test]
    fn a_month_is_as_the_hour_that_was_seen() {
        let usage = measured(3600, 3600, 3600 * 2_500, 10_000_000).unwrap();
        assert_eq!(usage.requests, Quantity::from(2_628_000_u32));
        assert_eq!(usage.request_kb.to_string(), "2.5");
        assert_eq!(usage.logs_gb.to_string(), "7.3");
        assert_eq!(usage.traces, Usage::default().traces, "not measured");
    }

    #[test]
    fn what_nobody_asked_weighs_what_was_assumed() {
        let usage = measured(60, 0, 0, 0).unwrap();
        assert_eq!((usage.requests, usage.logs_gb), (Quantity::ZERO, Quantity::ZERO));
        assert_eq!(usage.request_kb, Usage::default().request_kb);
    }

    #[test]
    fn nothing_follows_from_no_time_and_much_is_no_panic() {
        assert_eq!(measured(0, 1, 1, 1), None);
        assert!(measured(1, u64::MAX, u64::MAX, u64::MAX).is_some());
    }
}
