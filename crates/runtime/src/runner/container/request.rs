//! What an engine is asked to make of a container of a task. Pure.
//!
//! A task that is one container and takes no part in Service Connect has a network of its own, as on Fargate, and its ports are published on
//! the task's address: whatever its program listens on, tasks do not meet. Any other has the network of this machine, where the names of Service
//! Connect and the task's address are to be reached; there its program has to heed `HOST`, as a process has to.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::launcher::Files;
use crate::limits::CPU_UNITS_PER_CPU;
use crate::local::{ImageRun, LocalContainer, LocalService};
use crate::runner::Place;
use crate::runner::environment::Given;
use crate::task::TaskId;

/// What is marked with a state directory is of that stack.
const STATE_DIRECTORY: &str = "karmacadabra.state-directory";

/// What is marked with a task is of that task.
const TASK: &str = "karmacadabra.task";

/// Billionths of a CPU in a CPU.
const NANO_CPUS: u64 = 1_000_000_000;

/// The log that the engine keeps besides ours is of no use to anybody, so that it is kept small.
const ENGINE_LOG: [(&str, &str); 2] = [("max-size", "1m"), ("max-file", "1")];

/// The network of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// One of its own; its ports are published on the task's address.
    Own,
    /// That of this machine.
    Machine,
}

/// A container, and where it is to run.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) state_directory: &'a Path,
    pub(super) region: Option<&'a str>,
    pub(super) metadata: Option<String>,
    pub(super) names: BTreeMap<String, Ipv4Addr>,
    pub(super) place: &'a Place,
    pub(super) service: &'a LocalService,
    pub(super) container: &'a LocalContainer,
    pub(super) run: &'a ImageRun,
}

impl Network {
    pub(super) fn of(service: &LocalService) -> Self {
        if service.service_connect.is_none() && service.containers.len() == 1 {
            Self::Own
        } else {
            Self::Machine
        }
    }
}

/// What a container is called, also by people: `docker logs karma-…`.
pub(crate) fn name(task: &TaskId, container: &str) -> String {
    format!("karma-{task}-{container}")
}

/// Which containers of all are meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// Those of a stack.
    OfStack(&'a Path),
    /// Those of a task.
    OfTask(&'a TaskId),
}

impl Which<'_> {
    /// The filter of a list.
    pub(super) fn filter(self) -> Value {
        let label = match self {
            Self::OfStack(state_directory) => format!("{STATE_DIRECTORY}={}", state_directory.display()),
            Self::OfTask(task) => format!("{TASK}={task}"),
        };
        json!({ "label": [label] })
    }
}

impl Order<'_> {
    /// <https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerCreate>
    pub(super) fn request(&self) -> Value {
        let mut request = json!({
            "Image": self.container.image,
            "Env": self.variables(),
            "Labels": {
                STATE_DIRECTORY: self.state_directory.display().to_string(),
                TASK: self.place.task.as_str(),
            },
            // The scheduler runs the health check of the definition, and as on ECS none of the image.
            "Healthcheck": { "Test": ["NONE"] },
            "HostConfig": self.host_config(),
        });
        let request_map = request.as_object_mut().expect("it has just been made as an object");
        self.replace_image_settings(request_map);
        if Network::of(self.service) == Network::Own {
            request_map.insert("ExposedPorts".to_owned(), self.ports(|_| json!({})));
        }
        request
    }

    /// An entry point of the definition clears the image's command, which engines do by themselves.
    fn replace_image_settings(&self, request: &mut Map<String, Value>) {
        let mut replace = |name: &str, value: Option<Value>| {
            request.extend(value.map(|value| (name.to_owned(), value)));
        };
        replace("Entrypoint", self.run.entry_point.as_ref().map(|words| json!(words)));
        replace("Cmd", self.run.command.as_ref().map(|words| json!(words)));
        replace(
            "WorkingDir",
            self.run.working_directory.as_ref().map(|path| json!(path)),
        );
        replace("User", self.run.user.as_ref().map(|user| json!(user)));
    }

    fn variables(&self) -> Vec<String> {
        let network = Network::of(self.service);
        let given = Given {
            state_directory: self.state_directory,
            region: self.region,
            // It is served on an address of this machine, which another network does not have.
            metadata: self.metadata.as_deref().filter(|_| network == Network::Machine),
            host: match network {
                Network::Own => Ipv4Addr::UNSPECIFIED,
                Network::Machine => self.place.address,
            },
        };
        let variables = given.variables(&self.place.task, self.container);
        variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    fn host_config(&self) -> Value {
        let hosts = self.names.iter().map(|(name, address)| format!("{name}:{address}"));
        let ulimit = |it: &karma_fleet::Ulimit| json!({ "Name": it.name.as_str(), "Soft": it.soft, "Hard": it.hard });
        let (task, own) = (&self.service.limits, &self.container.limits);
        let network = Network::of(self.service);
        json!({
            "NetworkMode": match network { Network::Own => "bridge", Network::Machine => "host" },
            "PortBindings": match network { Network::Own => self.bindings(), Network::Machine => json!({}) },
            "ExtraHosts": hosts.collect::<Vec<_>>(),
            // Zero is no limit. What the containers of a task use together is not limited, only what each uses.
            "Memory": own.memory.or(task.memory).unwrap_or(0),
            "NanoCpus": task.cpu_units.map_or(0, |units| u64::from(units) * NANO_CPUS / CPU_UNITS_PER_CPU),
            "CpuShares": own.cpu_units.unwrap_or(0),
            "Ulimits": self.container.ulimits.iter().map(ulimit).collect::<Vec<_>>(),
            "ReadonlyRootfs": self.container.files == Files::ReadOnly,
            "LogConfig": { "Type": "json-file", "Config": BTreeMap::from(ENGINE_LOG) },
        })
    }

    fn bindings(&self) -> Value {
        let address = self.place.address.to_string();
        self.ports(|port| json!([{ "HostIp": address, "HostPort": port.to_string() }]))
    }

    fn ports(&self, value: impl Fn(u16) -> Value) -> Value {
        let ports = self.container.ports.iter().map(|(port, _)| *port);
        ports
            .map(|port| (format!("{port}/tcp"), value(port)))
            .collect::<Map<_, _>>()
            .into()
    }
}

#[cfg(test)]
mod tests;
