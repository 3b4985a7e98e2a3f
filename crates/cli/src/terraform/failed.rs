//! What is said when Terraform has failed: its own words, and of a lock whose it is.

use std::path::Path;
use std::process::ExitStatus;

use crate::failure::Failure;

/// Terraform's failure as ours.
pub(super) fn failed(command: &str, stack: &Path, status: ExitStatus, complaint: &str) -> Failure {
    let complaint = complaint.trim();
    let message = match lock(complaint) {
        Some(lock) => format!("the state is locked by {}\n\n{complaint}", lock.owner()),
        None if complaint.is_empty() => format!("{command} has failed ({status})"),
        None => format!("{command} has failed\n\n{complaint}\n"),
    };
    let failure = Failure::unable(message);
    match lock(complaint) {
        Some(lock) => failure
            .hint("wait until that has ended, and run it again")
            .hint(format!(
                "where nobody is at work any more: terraform -chdir={} force-unlock {}",
                stack.display(),
                lock.id
            )),
        None => failure,
    }
}

/// Whose lock it is, as Terraform tells it.
/// <https://developer.hashicorp.com/terraform/language/state/locking>
#[derive(Debug, PartialEq, Eq)]
struct Lock<'a> {
    id: &'a str,
    who: &'a str,
    operation: &'a str,
    created: &'a str,
}

impl Lock<'_> {
    fn owner(&self) -> String {
        format!("{} since {} ({})", self.who, self.created, self.operation)
    }
}

fn lock(complaint: &str) -> Option<Lock<'_>> {
    let (_, information) = complaint.split_once("Lock Info:")?;
    let field = |name: &str| {
        let mut lines = information.lines().map(|line| line.trim_start_matches(['│', ' ']));
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    Some(Lock {
        id: field("ID")?,
        who: field("Who")?,
        operation: field("Operation")?,
        created: field("Created")?,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const LOCKED: &str = "
Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        5ae49b8e-4b43-1d3b-3f16-7a3b0fa3e1b2
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ada@engine
  Version:   1.11.4
  Created:   2026-11-23 18:00:00.000000001 +0000 UTC
  Info:

Terraform acquires a state lock to protect the state from being written
by multiple users at the same time.
";

    fn check(complaint: &str) -> String {
        failed(
            "terraform apply",
            Path::new("stack"),
            ExitStatus::from_raw(256),
            complaint,
        )
        .render()
    }

    #[test]
    fn a_lock_is_told_with_its_owner_and_the_way_out() {
        let told = check(LOCKED);
        let first = "error: the state is locked by ada@engine since 2026-11-23 18:00:00.000000001 +0000 UTC (OperationTypeApply)\n";
        assert!(told.starts_with(first), "{told}");
        assert!(told.contains("resource temporarily unavailable"), "{told}");
        assert!(
            told.ends_with("terraform -chdir=stack force-unlock 5ae49b8e-4b43-1d3b-3f16-7a3b0fa3e1b2"),
            "{told}"
        );
    }

    #[test]
    fn other_errors_are_told_as_they_are() {
        assert_eq!(
            check("Error: no\n\nbecause\n"),
            "error: terraform apply has failed\n\nError: no\n\nbecause\n"
        );
        assert_eq!(check(" \n"), "error: terraform apply has failed (exit status: 1)");
    }
}
