//! Load on a proxy, by [wrk](https://github.com/wg/wrk).

use std::fs;
use std::time::Duration;

use super::super::Result;
use super::programs::{Bench, Proxy};

const CONNECTIONS: usize = 64;

/// What a proxy did under load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// Requests.
    pub(super) per_second: f64,
    /// Seconds that 99 of 100 requests took at most.
    pub(super) slowest_hundredth: f64,
    /// Of the proxy, for a request, in clock ticks.
    pub(super) processor_time: f64,
}

/// Asks for one path over and over.
pub(super) fn run(bench: &Bench, proxy: &Proxy, path: &str, time: Duration) -> Result<Load> {
    let (connections, time) = (CONNECTIONS.to_string(), format!("{}s", time.as_secs()));
    let url = format!("http://127.0.0.1:{}{path}", proxy.port);
    let words = ["wrk", "-t1", "-c", &connections, "-d", &time, "--latency", &url].map(str::to_owned);
    let before = ticks(proxy);
    let output = bench.beside(&words).output()?;
    let spent = ticks(proxy) - before;
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    parse(&report, spent).ok_or_else(|| {
        format!("wrk printed something else than expected, or not all answers were good:\n{report}").into()
    })
}

#[expect(clippy::cast_precision_loss, reason = "far less than 2^52 ticks and requests")]
fn parse(report: &str, ticks: u64) -> Option<Load> {
    if report.contains("Non-2xx") || report.contains("Socket errors") {
        return None;
    }
    let line = |has: &str| report.lines().find(|line| line.contains(has));
    let last_word = |line: &str| line.split_whitespace().next_back().map(str::to_owned);
    let requests: u64 = line(" requests in ")?.split_whitespace().next()?.parse().ok()?;
    let slowest = report
        .lines()
        .map(str::trim_start)
        .find(|line| line.starts_with("99%"))?;
    Some(Load {
        per_second: last_word(line("Requests/sec:")?)?.parse().ok()?,
        slowest_hundredth: seconds(&last_word(slowest)?)?,
        processor_time: ticks as f64 / requests as f64,
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

/// User and system time of a proxy's processes, by
/// [`/proc/PID/stat`](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
fn ticks(proxy: &Proxy) -> u64 {
    let of_process = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat_ticks(&stat).unwrap_or(0)
    };
    proxy.processes().into_iter().map(of_process).sum()
}

/// The 14th and 15th fields; the second is a name in brackets, and may have blanks.
fn stat_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 2s test @ http://127.0.0.1:1/1k\n  1 threads and 64 connections\n    Latency     1.5ms    1ms  9ms   84.99%\n  Latency Distribution\n     \
        50%    1.02ms\n     99%    4.32ms\n  116234 requests in 2.00s, 130.57MB read\nRequests/sec:  57981.56\nTransfer/sec:     65.13MB\n";

    #[test]
    fn wrks_report_is_read() {
        let load = parse(REPORT, 116_234).unwrap();
        assert_eq!((load.per_second, load.processor_time), (57_981.56, 1.0));
        assert!((load.slowest_hundredth - 0.004_32).abs() < 1e-9);
        assert_eq!(parse(&format!("{REPORT}  Non-2xx or 3xx responses: 3\n"), 1), None);
    }

    #[test]
    fn units_of_time_are_read() {
        for (text, expected) in [("850.00us", Some(0.000_85)), ("1.5s", Some(1.5)), ("2m", None)] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn processor_time_is_read_past_the_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 0 0 20 0 2 0 5 0 0";
        assert_eq!(stat_ticks(stat), Some(42));
    }
}
