//! What a container sees of the world: its variables, and the directories that are its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Place;
use crate::local::LocalContainer;
use crate::logs;
use crate::secrets::SecretValue;
use crate::survivors;

/// Says to SDKs and agents that they run on Fargate.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
const EXECUTION_ENVIRONMENT: (&str, &str) = ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE");

/// `PATH` where this process has none.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Who sets one of these has somebody of his own to send traces to, and is told nothing about ours.
const EXPORTER_ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// What the variables of all containers are made of.
pub(super) struct Surroundings<'a> {
    pub(super) state_directory: &'a Path,
    /// The directory of the task.
    pub(super) task_directory: &'a Path,
    pub(super) region: Option<&'a str>,
    /// Where the container asks for its metadata.
    pub(super) metadata: Option<String>,
}

impl Surroundings<'_> {
    /// The variables of a container and no other: what Fargate sets, what the definition says, and above all the address that it is to
    /// listen on and the mark that its processes are known by.
    pub(super) fn variables(&self, place: &Place, container: &LocalContainer) -> BTreeMap<String, String> {
        let temporary = self.temporary(container).display().to_string();
        let path = std::env::var("PATH").unwrap_or_else(|_| PATH.to_owned());
        let mut variables = BTreeMap::from([("PATH", path), ("TMPDIR", temporary)]);
        variables.insert(EXECUTION_ENVIRONMENT.0, EXECUTION_ENVIRONMENT.1.to_owned());
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            variables.extend(self.region.map(|region| (name, region.to_owned())));
        }
        variables.extend(self.metadata.clone().map(|uri| ("ECS_CONTAINER_METADATA_URI_V4", uri)));
        variables.extend(place.variables.iter().cloned());
        let mut variables: BTreeMap<String, String> = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let secret = |(name, value): (&String, &SecretValue)| (name.clone(), value.expose().to_owned());
        if container
            .environment
            .keys()
            .any(|name| EXPORTER_ENDPOINTS.contains(&name.as_str()))
        {
            variables.retain(|name, _| !name.starts_with("OTEL_"));
        }
        variables.extend(container.environment.clone());
        variables.extend(container.secrets.iter().map(secret));
        let mark = survivors::container_mark(self.state_directory, &place.task, &container.name);
        variables.insert("HOST".to_owned(), place.address.to_string());
        variables.insert(survivors::MARKER.to_owned(), mark.display().to_string());
        variables
    }

    /// What the containers may write to.
    pub(super) fn disk(&self) -> PathBuf {
        self.task_directory.join("disk")
    }

    /// Where a container's program begins; containers of one task share nothing else either.
    pub(super) fn working_directory(&self, container: &LocalContainer) -> PathBuf {
        let own = self.disk().join(logs::file_name(&container.name));
        own.join(&container.working_directory)
    }

    /// Where a container keeps what need not last.
    pub(super) fn temporary(&self, container: &LocalContainer) -> PathBuf {
        self.disk().join("tmp").join(logs::file_name(&container.name))
    }
}
