//! The secrets that tasks read.

use karma_fleet::Fleet;

use super::check::Check;
use super::seen::Seen;
use crate::secrets::{StackSecrets, Standing};

/// One line where all is there; else one for each that is not.
pub(super) fn check(fleet: &Fleet, seen: &Seen) -> Vec<Check> {
    let wanted = StackSecrets::of(fleet);
    let is_read = wanted
        .iter()
        .any(|secret| secret.is_read_whole || !secret.keys.is_empty());
    if !is_read {
        return vec![Check::ok("secrets", "no task reads one of the stack's")];
    }
    let Some(known) = seen.known() else {
        return vec![Check::skipped("secrets", "AWS cannot be asked")];
    };
    let stored = match &known.secrets {
        Ok(stored) => stored,
        Err(why) => return vec![Check::skipped("secrets", why)],
    };
    let missing = Standing::of_all(&wanted, stored).into_iter().filter_map(|standing| {
        let lack = standing.lack()?;
        let name = format!("secret {}", standing.wanted.label());
        Some(Check::missing(name, lack.describe(), standing.mend(&lack)))
    });
    let missing: Vec<Check> = missing.collect();
    if missing.is_empty() {
        return vec![Check::ok("secrets", "every one has what tasks read of it")];
    }
    missing
}
