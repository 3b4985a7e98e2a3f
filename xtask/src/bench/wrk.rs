//! Reading what [wrk](https://github.com/wg/wrk) reports.

use super::Result;

/// What was asked and answered. Every answer was good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Report {
    pub(super) requests: u64,
    pub(super) per_second: f64,
    /// Seconds that 99 of 100 requests took at most.
    pub(super) slowest_hundredth: f64,
}

impl Report {
    /// Reads what `wrk --latency` printed.
    pub(super) fn read(printed: &[u8]) -> Result<Self> {
        let report = String::from_utf8_lossy(printed);
        parse(&report).ok_or_else(|| {
            format!("wrk printed something else than expected, or not all answers were good:\n{report}").into()
        })
    }
}

fn parse(report: &str) -> Option<Report> {
    let line = |has: &str| report.lines().find(|line| line.contains(has));
    // What wrk calls a time-out is an answer that took two seconds: late, and good.
    let is_good = line("Socket errors:").is_none_or(|errors| errors.contains("connect 0, read 0, write 0,"));
    if report.contains("Non-2xx") || !is_good {
        return None;
    }
    let last_word = |line: &str| line.split_whitespace().next_back().map(str::to_owned);
    let slowest = report
        .lines()
        .map(str::trim_start)
        .find(|line| line.starts_with("99%"))?;
    Some(Report {
        requests: line(" requests in ")?.split_whitespace().next()?.parse().ok()?,
        per_second: last_word(line("Requests/sec:")?)?.parse().ok()?,
        slowest_hundredth: seconds(&last_word(slowest)?)?,
    })
}

/// `850.00us`, `4.32ms`, `1.02s`
fn seconds(text: &str) -> Option<f64> {
    let (number, factor) = match text {
        _ if text.ends_with("us") => (&text[..text.len() - 2], 1e-6),
        _ if text.ends_with("ms") => (&text[..text.len() - 2], 1e-3),
        _ => (text.strip_suffix('s')?, 1.0),
    };
    Some(number.parse::<f64>().ok()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 2s test @ http://127.0.0.1:1/1k\n  1 threads and 64 connections\n    Latency     1.5ms    1ms  9ms   84.99%\n  Latency Distribution\n     \
        50%    1.02ms\n     99%    4.32ms\n  116234 requests in 2.00s, 130.57MB read\nRequests/sec:  57981.56\nTransfer/sec:     65.13MB\n";

    #[test]
    fn wrks_report_is_read() {
        let load = parse(REPORT).unwrap();
        assert_eq!((load.per_second, load.requests), (57_981.56, 116_234));
        assert!((load.slowest_hundredth - 0.004_32).abs() < 1e-9);
        let late = format!("{REPORT}  Socket errors: connect 0, read 0, write 0, timeout 3\n");
        assert!(parse(&late).is_some());
        assert_eq!(parse(&late.replace("read 0", "read 1")), None);
        assert_eq!(parse(&format!("{REPORT}  Non-2xx or 3xx responses: 3\n")), None);
    }

    #[test]
    fn units_of_time_are_read() {
        for (text, expected) in [("850.00us", Some(0.000_85)), ("1.5s", Some(1.5)), ("2m", None)] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
