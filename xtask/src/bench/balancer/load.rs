//! Load on a proxy, by [wrk](https://github.com/wg/wrk).

use std::fs;
use std::time::Duration;

use super::super::Result;
use super::super::wrk::Report;
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
#[expect(clippy::cast_precision_loss, reason = "far less than 2^52 ticks and requests")]
pub(super) fn run(bench: &Bench, proxy: &Proxy, path: &str, time: Duration) -> Result<Load> {
    let (connections, time) = (CONNECTIONS.to_string(), format!("{}s", time.as_secs()));
    let url = format!("http://127.0.0.1:{}{path}", proxy.port);
    let words = ["wrk", "-t1", "-c", &connections, "-d", &time, "--latency", &url].map(str::to_owned);
    let before = ticks(proxy);
    let output = bench.beside(&words).output()?;
    let spent = ticks(proxy) - before;
    let report = Report::read(&output.stdout)?;
    Ok(Load {
        per_second: report.per_second,
        slowest_hundredth: report.slowest_hundredth,
        processor_time: spent as f64 / report.requests as f64,
    })
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

    #[test]
    fn processor_time_is_read_past_the_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 0 0 20 0 2 0 5 0 0";
        assert_eq!(stat_ticks(stat), Some(42));
    }
}
