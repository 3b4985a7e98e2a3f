//! Which revision each service shall run, and following all of them there.

use std::sync::Arc;
use std::time::Duration;

use karma_fleet::Fleet;
use karma_ops::{Orchestrator, Until};

use super::event::Event;
use super::journal::Journal;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::{self, Begun};
use crate::terraform::State;

/// A service, and the task definition that Terraform has given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The service's label.
    pub(crate) service: String,
    /// `karmacadabra-validator:3`
    pub(crate) task_definition: String,
}

impl Wanted {
    /// `karmacadabra-validator` and 3.
    pub(crate) fn parts(&self) -> Option<(&str, u32)> {
        let (family, revision) = self.task_definition.rsplit_once(':')?;
        Some((family, revision.parse().ok()?))
    }
}

/// The family of a service's task definitions.
pub(crate) fn family<'a>(fleet: &'a Fleet, label: &str) -> Option<&'a str> {
    let (_, service) = fleet.service(label)?;
    Some(&fleet.task_definitions.get(&service.task_definition)?.family)
}

/// What Terraform's state says that each service shall run: the task definition itself, for ECS may have put another in its place.
pub(crate) fn wanted(fleet: &Fleet, state: &State) -> Vec<Wanted> {
    let revision = |service: &karma_fleet::Service| {
        let arn = state.text(&service.task_definition, "arn")?;
        Some(Wanted {
            service: service.label.clone(),
            task_definition: revision_of(arn)?.to_owned(),
        })
    };
    fleet.services.values().filter_map(revision).collect()
}

/// `validator:3` of `arn:aws:ecs:us-east-1:123456789012:task-definition/validator:3`
fn revision_of(arn: &str) -> Option<&str> {
    arn.split_once(":task-definition/").map(|(_, revision)| revision)
}

/// Follows every service to its revision. `No` where one of them does not get there, and then it is told why.
pub(crate) async fn follow(
    on: Arc<dyn Orchestrator>,
    wanted: Vec<Wanted>,
    patience: Duration,
    journal: &Journal,
) -> Result<(ExitStatus, String), Failure> {
    let begun = wanted.into_iter().map(|one| Begun {
        service: one.service,
        until: Until::Revision {
            task_definition: one.task_definition,
        },
    });
    let outcomes = operation::outcomes(Arc::clone(&on), begun.collect(), patience, journal.printer).await?;
    for outcome in &outcomes {
        journal.event(&Event::Service(outcome.json()))?;
    }
    journal.data(&operation::table(&outcomes).render(journal.printer))?;
    for why in outcomes.iter().filter_map(|outcome| outcome.why(&*on)) {
        journal.printer.error(why.trim_end());
    }
    let stable = outcomes.iter().filter(|outcome| outcome.is_stable()).count();
    let status = if stable == outcomes.len() {
        ExitStatus::Yes
    } else {
        ExitStatus::No
    };
    Ok((status, format!("{stable} of {} services are stable", outcomes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_the_end_of_its_arn() {
        let arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/karmacadabra-validator:3";
        assert_eq!(revision_of(arn), Some("karmacadabra-validator:3"));
        assert_eq!(revision_of("validator:3"), None);
    }
}
