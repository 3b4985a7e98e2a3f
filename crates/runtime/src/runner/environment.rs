//! What a container sees of the world: its variables, and the directories that are its own.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::Place;
use crate::local::LocalContainer;
use crate::logs;
use crate::secrets::SecretValue;
use crate::survivors;
use crate::task::TaskId;

/// Says to SDKs and agents that they run on Fargate.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>
const EXECUTION_ENVIRONMENT: [&str; 2] = ["AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"];

/// Says where the metadata of a container are to be had.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html>
const METADATA: &str = "ECS_CONTAINER_METADATA_URI_V4";

/// `PATH` where this process has none.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Who sets one of these has somebody of his own to send traces to, and is told nothing about ours. X-Ray is nobody of his own: here, ours
/// takes its place.
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

/// What the variables of a container are made of wherever it runs.
pub(super) struct Given<'a> {
    pub(super) state_directory: &'a Path,
    pub(super) region: Option<&'a str>,
    /// Where the container asks for its metadata.
    pub(super) metadata: Option<&'a str>,
    /// The address that it is to listen on.
    pub(super) host: Ipv4Addr,
}

impl Given<'_> {
    /// What Fargate sets, what the definition says, and above all the address to listen on and the mark that its processes are known by.
    pub(super) fn variables(&self, task: &TaskId, container: &LocalContainer) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([EXECUTION_ENVIRONMENT.map(str::to_owned).into()]);
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            variables.extend(self.region.map(|region| (name.to_owned(), region.to_owned())));
        }
        variables.extend(self.metadata.map(|uri| (METADATA.to_owned(), uri.to_owned())));
        let secret = |(name, value): (&String, &SecretValue)| (name.clone(), value.expose().to_owned());
        variables.extend(here(&container.environment));
        variables.extend(container.secrets.iter().map(secret));
        let mark = survivors::container_mark(self.state_directory, task, &container.name);
        variables.insert("HOST".to_owned(), self.host.to_string());
        variables.insert(survivors::MARKER.to_owned(), mark.display().to_string());
        variables
    }
}

impl Surroundings<'_> {
    /// The variables of a container that is a process, and no other.
    pub(super) fn variables(&self, place: &Place, container: &LocalContainer) -> BTreeMap<String, String> {
        let temporary = self.temporary(container).display().to_string();
        let path = std::env::var("PATH").unwrap_or_else(|_| PATH.to_owned());
        let mut variables = BTreeMap::from([("PATH".to_owned(), path), ("TMPDIR".to_owned(), temporary)]);
        let sends_elsewhere = here(&container.environment).any(|(name, _)| is_exporter_endpoint(&name));
        let told = place
            .variables
            .iter()
            .filter(|(name, _)| !(sends_elsewhere && name.starts_with("OTEL_")));
        variables.extend(told.map(|(name, value)| ((*name).to_owned(), value.clone())));
        let given = Given {
            state_directory: self.state_directory,
            region: self.region,
            metadata: self.metadata.as_deref(),
            host: place.address,
        };
        variables.extend(given.variables(&place.task, container));
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

/// What the definition says, but for X-Ray's address.
fn here(environment: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    let stays = |(name, value): &(&String, &String)| !(is_exporter_endpoint(name) && is_xray(value));
    let own = environment.iter().filter(stays);
    own.map(|(name, value)| (name.clone(), value.clone()))
}

fn is_exporter_endpoint(name: &str) -> bool {
    EXPORTER_ENDPOINTS.contains(&name)
}

/// Whether traces that are sent there go to X-Ray, in any region.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>
fn is_xray(endpoint: &str) -> bool {
    let host = endpoint
        .strip_prefix("https://")
        .and_then(|rest| rest.split(['/', ':']).next());
    let of_a_region = |host: &str| {
        host.starts_with("xray.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
    };
    host.is_some_and(of_a_region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xrays_endpoint_is_left_out_and_anybody_elses_stays() {
        let check = |name: &str, endpoint: &str, stays: bool| {
            let environment = [(name.to_owned(), endpoint.to_owned())].into();
            assert_eq!(here(&environment).count() == 1, stays, "{name}={endpoint}");
        };
        let generic = "OTEL_EXPORTER_OTLP_ENDPOINT";
        check(generic, "https://xray.us-east-1.amazonaws.com", false);
        check(generic, "https://xray.cn-north-1.amazonaws.com.cn:443/", false);
        check(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "https://xray.eu-west-1.amazonaws.com/v1/traces",
            false,
        );
        check(generic, "https://traces.example.com", true);
        check(generic, "https://xray.us-east-1.amazonaws.com.example.com", true);
        check(generic, "http://127.0.0.1:4318", true);
        check("XRAY_URL", "https://xray.us-east-1.amazonaws.com", true);
    }
}
