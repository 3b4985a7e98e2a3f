//! Which service a user means: by its map key or its ECS name.

use std::collections::{BTreeMap, BTreeSet};

use karma_fleet::Fleet;
use karma_ops::Observation;
use karma_runtime::Run;

use crate::failure::Failure;
use crate::settings::StackDirectory;
use crate::wiring;

/// From here on two names are taken for a slip of the fingers.
const ALIKE: f64 = 0.8;

/// Every name that is known, and the label it stands for.
pub(crate) struct ServiceNames(BTreeMap<String, String>);

impl ServiceNames {
    /// The services that run, or else those that have written logs (which know only their labels).
    pub(crate) async fn of(directory: &StackDirectory) -> Result<Self, Failure> {
        if let Ok(running) = wiring::local(directory).await
            && let Ok(observation) = running.observe().await
        {
            return Ok(Self::seen(&observation));
        }
        let mut names = BTreeMap::new();
        for run in [Run::Latest, Run::Previous] {
            let files = wiring::log_files_of(directory, run)?;
            names.extend(files.into_iter().map(|file| (file.service.clone(), file.service)));
        }
        Ok(Self(names))
    }

    /// The services that the stack declares.
    pub(crate) fn declared(fleet: &Fleet) -> Self {
        let services = fleet.services.values();
        let names = services.flat_map(|one| [&one.name, &one.label].map(|name| (name.clone(), one.label.clone())));
        Self(names.collect())
    }

    /// The services that run.
    pub(crate) fn seen(observation: &Observation) -> Self {
        let services = observation.services.iter();
        let names = services.flat_map(|one| [&one.service, &one.label].map(|name| (name.clone(), one.label.clone())));
        Self(names.collect())
    }

    /// The labels that names stand for, each once and in the order of the names; no name means every service.
    pub(crate) fn resolve_all<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> Result<Vec<String>, Failure> {
        let mut labels: Vec<String> = Vec::new();
        for name in names {
            let label = self.resolve(name)?;
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        if labels.is_empty() {
            let all: BTreeSet<&String> = self.0.values().collect();
            labels = all.into_iter().cloned().collect();
        }
        Ok(labels)
    }

    /// The label that a name stands for.
    pub(crate) fn resolve(&self, name: &str) -> Result<String, Failure> {
        self.0.get(name).cloned().ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> Failure {
        let failure = Failure::unable(format!("no service `{name}`"));
        if self.0.is_empty() {
            return failure.hint("nothing has run here yet: karma up");
        }
        let likeness = |known: &str| strsim::jaro_winkler(known, name);
        let nearest = self.0.keys().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        if let Some(known) = nearest.filter(|known| likeness(known) > ALIKE) {
            return failure.hint(format!("did you mean `{known}`?"));
        }
        let labels: BTreeSet<&str> = self.0.values().map(String::as_str).collect();
        failure.hint(format!("there are: {}", Vec::from_iter(labels).join(", ")))
    }
}
