//! `karma metrics`, as far as nothing has to run for it.

mod support;

use support::{karma, stack};

#[test]
fn what_is_no_duration_period_or_statistic_is_wrong_usage() {
    let stack = stack(&[("main.tf", "")]);
    let check = |arguments: &[&str], expected: &str| {
        let answer = karma(stack.path(), &[&["metrics"], arguments].concat());
        assert!(answer.starts_with("exit: 64") && answer.contains(expected), "{answer}");
    };
    check(&["--since", "soon"], "give a duration such as `15m`");
    check(&["--period", "90s"], "give whole minutes");
    check(&["--stat", "mean"], "a percentile such as `p99`");
}
