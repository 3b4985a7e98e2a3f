//! [`Waiting`]: which services Terraform is at work on, by what it says, and how long it may be.
//!
//! With `wait_for_steady_state` a service is only done when its tasks run: then Terraform waits, as long as its provider likes.
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_service#wait_for_steady_state-1>

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// The type of the resources that are waited for.
const SERVICE: &str = "aws_ecs_service.";

/// Terraform's words for the beginning and the end of its work on a resource.
const BEGINNINGS: [&str; 2] = ["Creating...", "Modifying..."];
const ENDS: [&str; 2] = ["Creation complete", "Modifications complete"];

/// The services that are begun and not done.
#[derive(Debug)]
pub(super) struct Waiting {
    patience: Option<Duration>,
    begun: BTreeMap<String, Instant>,
}

impl Waiting {
    /// `None` is for ever.
    pub(super) fn new(patience: Option<Duration>) -> Self {
        Self {
            patience,
            begun: BTreeMap::new(),
        }
    }

    /// Takes in a line of Terraform's.
    pub(super) fn read(&mut self, line: &str, now: Instant) {
        let Some((address, what)) = line.split_once(": ").filter(|(address, _)| address.contains(SERVICE)) else {
            return;
        };
        if BEGINNINGS.iter().any(|word| what.starts_with(word)) {
            self.begun.insert(address.to_owned(), now);
        } else if ENDS.iter().any(|word| what.starts_with(word)) {
            self.begun.remove(address);
        }
    }

    /// When patience with the first of them is at its end; `None` where there is none to wait for.
    pub(super) fn until(&self) -> Option<Instant> {
        Some(*self.begun.values().min()? + self.patience?)
    }

    /// The addresses of those that are not done.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.begun.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(10);

    #[track_caller]
    fn check(patience: Option<Duration>, lines: &[(u64, &str)], until: Option<u64>) {
        let begun = Instant::now();
        let mut waiting = Waiting::new(patience);
        for (second, line) in lines {
            waiting.read(line, begun + Duration::from_secs(*second));
        }
        let found = waiting.until().map(|until| (until - begun).as_secs());
        assert_eq!(found, until, "{lines:?}");
    }

    #[test]
    fn patience_begins_with_a_service_and_ends_with_it() {
        let a = (5, "aws_ecs_service.agents[\"a\"]: Creating...");
        let b = (
            9,
            "module.m.aws_ecs_service.b: Modifying... [id=arn:aws:ecs:us-east-1:1:service/m/b]",
        );
        let other = (1, "aws_lb.main: Creating...");
        check(Some(PATIENCE), &[other], None);
        check(Some(PATIENCE), &[other, a, b], Some(605));
        check(None, &[a], None);
        let still = (300, "aws_ecs_service.agents[\"a\"]: Still creating... [4m50s elapsed]");
        check(Some(PATIENCE), &[a, still], Some(605));
        let done = (
            20,
            "aws_ecs_service.agents[\"a\"]: Creation complete after 15s [id=arn]",
        );
        check(Some(PATIENCE), &[a, b, done], Some(609));
        let all = (
            30,
            "module.m.aws_ecs_service.b: Modifications complete after 21s [id=arn]",
        );
        check(Some(PATIENCE), &[a, b, done, all], None);
    }
}
