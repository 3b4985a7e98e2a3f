//! Which containers of a task come before which.

use std::collections::BTreeSet;
use std::sync::Arc;

use karma_fleet::Container;

use super::LocalContainer;
use crate::error::StartError;

/// Every dependency names a container of the task, and none waits for itself in the end.
pub(super) fn check_dependencies(family: &str, containers: &[Container]) -> Result<(), StartError> {
    let mut started: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: Vec<&Container> = containers.iter().collect();
    loop {
        let is_ready = |container: &&Container| {
            container
                .depends_on
                .iter()
                .all(|dependency| started.contains(dependency.container_name.as_str()))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        if rest.is_empty() {
            return Ok(());
        }
        if ready.is_empty() {
            let names: Vec<_> = rest.iter().map(|container| container.name.as_str()).collect();
            return Err(StartError::Definition {
                subject: format!("task definition {family}"),
                reason: format!(
                    "these containers can never start, by their dependsOn: {}",
                    names.join(", ")
                ),
            });
        }
        started.extend(ready.iter().map(|container| container.name.as_str()));
        waiting = rest;
    }
}

/// Nobody waits for a container that is left out on this machine.
pub(super) fn forget_absent(containers: &mut [LocalContainer]) {
    let names: BTreeSet<Arc<str>> = containers.iter().map(|container| Arc::clone(&container.name)).collect();
    for container in containers {
        container
            .depends_on
            .retain(|dependency| names.contains(dependency.container_name.as_str()));
    }
}
