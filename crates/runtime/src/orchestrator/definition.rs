//! From a fleet, the programs on this machine and the values of its secrets to services that can run.

mod pinned;
mod revisions;

use std::collections::BTreeSet;
use std::path::Path;

use karma_fleet::Fleet;

use super::Options;
use crate::error::StartError;
use crate::local::{self, LocalService, MissingSecrets};
use crate::placement::ZoneNames;
use crate::program::Programs;
use crate::secrets::LocalSecrets;
use pinned::PinnedPrograms;
use revisions::Revisions;

/// A definition that can run here.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) services: Vec<LocalService>,
    pub(super) zones: ZoneNames,
    /// What is not as it would be on AWS.
    pub(super) notes: Vec<String>,
}

/// Settles one definition after the other.
#[derive(Debug)]
pub(super) struct Settler {
    pinned: PinnedPrograms,
    revisions: Revisions,
    missing_secrets: MissingSecrets,
    region: Option<String>,
}

/// Looks for what stands in the way of a definition, before anything is touched.
pub(super) fn check(
    fleet: &Fleet,
    programs: &Programs,
    secrets: &LocalSecrets,
    options: &Options,
) -> Result<(), StartError> {
    local::services(fleet, programs, secrets, options.missing_secrets).map(drop)
}

impl Settler {
    /// The note says that the revisions begin anew, where they could not be read.
    pub(super) fn new(state_directory: &Path, options: &Options) -> Result<(Self, Option<String>), StartError> {
        let (revisions, note) = Revisions::read(state_directory)?;
        let settler = Self {
            pinned: PinnedPrograms::new(state_directory),
            revisions,
            missing_secrets: options.missing_secrets,
            region: options.region.clone(),
        };
        Ok((settler, note))
    }

    /// Pins the programs, and gives each task definition its revision.
    pub(super) fn settle(
        &mut self,
        fleet: &Fleet,
        programs: &Programs,
        secrets: &LocalSecrets,
    ) -> Result<Definition, StartError> {
        local::services(fleet, programs, secrets, self.missing_secrets)?;
        let pinned = self.pinned.pin(programs, fleet)?;
        let (mut services, notes) = local::services(fleet, &pinned, secrets, self.missing_secrets)?;
        for (service, local) in fleet.services.values().zip(&mut services) {
            let defined_at = service.task_definition.to_string();
            local.revision = self.revisions.number(&local.family, &defined_at, &local.digest());
        }
        self.revisions.write()?;
        Ok(Definition {
            services,
            zones: ZoneNames::of(fleet, self.region.as_deref()),
            notes,
        })
    }

    /// Removes the programs that nothing names any more.
    pub(super) fn keep_only(&self, words: &BTreeSet<String>) {
        self.pinned.keep_only(words);
    }
}
