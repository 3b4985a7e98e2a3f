//! From a fleet, the programs on this machine and the values of its secrets to services that can run.

mod pinned;
mod revisions;

use std::collections::BTreeSet;
use std::path::Path;

use karma_fleet::Fleet;

use super::Options;
use crate::error::StartError;
use crate::local::{self, Images, LocalService, MissingSecrets};
use crate::placement::ZoneNames;
use crate::program::Programs;
use crate::runner::RunnerKind;
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
    runner: RunnerKind,
}

/// Looks for what stands in the way of a definition, before anything is touched.
pub(super) fn check(
    fleet: &Fleet,
    programs: &Programs,
    secrets: &LocalSecrets,
    options: &Options,
) -> Result<(), StartError> {
    let images = images(options.runner, programs);
    local::services(fleet, images, secrets, options.missing_secrets).map(drop)
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
            runner: options.runner,
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
        let (mut services, notes) = self.services(fleet, programs, secrets)?;
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

    fn services(
        &mut self,
        fleet: &Fleet,
        programs: &Programs,
        secrets: &LocalSecrets,
    ) -> Result<(Vec<LocalService>, Vec<String>), StartError> {
        let settled = local::services(fleet, images(self.runner, programs), secrets, self.missing_secrets)?;
        if self.runner == RunnerKind::Container {
            return Ok(settled);
        }
        let pinned = self.pinned.pin(programs, fleet)?;
        local::services(fleet, Images::Programs(&pinned), secrets, self.missing_secrets)
    }

    /// Removes the programs that nothing names any more.
    pub(super) fn keep_only(&self, words: &BTreeSet<String>) {
        self.pinned.keep_only(words);
    }
}

fn images(runner: RunnerKind, programs: &Programs) -> Images<'_> {
    match runner {
        RunnerKind::Process => Images::Programs(programs),
        RunnerKind::Container => Images::Themselves,
    }
}
