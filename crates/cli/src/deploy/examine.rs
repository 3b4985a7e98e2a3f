//! The first step: who asks, and whether all is there that the others need.

use karma_aws::Session;
use karma_fleet::Fleet;

use super::event::Event;
use super::journal::Journal;
use crate::doctor::{self, Check, OF_IMAGES, Subject};
use crate::failure::Failure;
use crate::stack::Loaded;

/// The check of the program that was named on the command line, and so need not be where others look for it.
const TERRAFORM: &str = "terraform";

/// What the deploy does about images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageStep {
    /// It builds and pushes them.
    Bring,
    /// It deploys the digests that are written.
    Skip,
}

/// Says whose the credentials are, before the wrong account gets anything, and stops where something is missing that no later step makes.
pub(crate) async fn examine(
    session: &Session,
    loaded: &Loaded,
    fleet: &Fleet,
    images: ImageStep,
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
    nothing_is_missing(&checks, images)?;
    let sentence = format!(
        "account {} in {}, as {}",
        identity.account,
        session.region(),
        identity.arn
    );
    Ok(((), sentence))
}

fn nothing_is_missing(checks: &[Check], images: ImageStep) -> Result<(), Failure> {
    let is_needed = |name: &str| match images {
        ImageStep::Bring => name != TERRAFORM,
        ImageStep::Skip => name != TERRAFORM && !OF_IMAGES.contains(&name),
    };
    let missing = checks
        .iter()
        .filter(|check| check.is_missing() && is_needed(&check.name));
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
        let told = nothing_is_missing(&checks, ImageStep::Bring).unwrap_err().render();
        let expected = "error: images: karma.toml has no entry for k/a\nhint: add [image.\"k/a\"]\nhint: see all of it: karma doctor";
        assert_eq!(told, expected);
        assert!(nothing_is_missing(&checks[..2], ImageStep::Bring).is_ok());
        assert!(nothing_is_missing(&checks, ImageStep::Skip).is_ok());
    }
}
