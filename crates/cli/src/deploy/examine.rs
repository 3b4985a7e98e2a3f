//! The first step: who asks, and whether all is there that the others need.

use karma_aws::Session;
use karma_fleet::Fleet;

use super::event::Event;
use super::journal::Journal;
use crate::doctor::{self, Check, Subject};
use crate::failure::Failure;
use crate::stack::Loaded;

/// The check of the program that was named on the command line, and so need not be where others look for it.
const TERRAFORM: &str = "terraform";

/// Says whose the credentials are, before the wrong account gets anything, and stops where something is missing that no later step makes.
pub(crate) async fn examine(
    session: &Session,
    loaded: &Loaded,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<((), String), Failure> {
    let identity = session.identity().await?;
    journal.event(&Event::Identity {
        account: &identity.account,
        arn: &identity.arn,
        region: session.region(),
    })?;
    let subject = Subject {
        loaded,
        fleet,
        session: Ok(session),
    };
    let checks = doctor::examine(subject).await?;
    for check in &checks {
        journal.event(&Event::Check(check))?;
    }
    nothing_is_missing(&checks)?;
    let sentence = format!(
        "account {} in {}, as {}",
        identity.account,
        session.region(),
        identity.arn
    );
    Ok(((), sentence))
}

fn nothing_is_missing(checks: &[Check]) -> Result<(), Failure> {
    let missing = checks
        .iter()
        .filter(|check| check.is_missing() && check.name != TERRAFORM);
    let missing: Vec<&Check> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    let findings: Vec<String> = missing
        .iter()
        .map(|check| format!("{}: {}", check.name, check.finding))
        .collect();
    let mends = missing.iter().filter_map(|check| check.mend.clone());
    Err(Failure::no(findings.join("; "))
        .hints(mends)
        .hint("see all of it: karma doctor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_mends_it() {
        let checks = [
            Check::ok("region", "us-east-1"),
            Check::skipped("digests", "none is pinned"),
            Check::missing("images", "karma.toml has no entry for k/a", "add [image.\"k/a\"]"),
            Check::missing("terraform", "not in PATH", "install it"),
        ];
        let told = nothing_is_missing(&checks).unwrap_err().render();
        let expected = "error: images: karma.toml has no entry for k/a\nhint: add [image.\"k/a\"]\nhint: see all of it: karma doctor";
        assert_eq!(told, expected);
        assert!(nothing_is_missing(&checks[..2]).is_ok());
    }
}
