//! [`Lodging`]: what a task has wherever its containers run: an address, a log, a directory, and a place in the register.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{Place, StartFailure};
use crate::addresses::AddressBlock;
use crate::discovery::Names;
use crate::limits::register::{ContainerRecord, Register, TaskRecord};
use crate::listening;
use crate::local::{LocalContainer, LocalService};
use crate::logs::task_log::TaskLog;
use crate::logs::{self, LogSink};
use crate::metadata::{MetadataServer, Region};
use crate::progress::Announcer;
use crate::state::StateDirectory;
use crate::task::{TaskId, TaskStatus};
use crate::traces::{TraceReceiver, TraceStore};

/// What all tasks have in common.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) state_directory: PathBuf,
    pub(crate) region: Option<String>,
    pub(crate) names: Arc<Names>,
    pub(crate) announcer: Announcer,
    pub(crate) traces: TraceStore,
}

/// Gives tasks what they have wherever their containers run, and takes it back.
#[derive(Debug)]
pub(super) struct Lodging {
    pub(super) house: House,
    pub(super) register: Arc<Register>,
    addresses: Mutex<AddressBlock>,
    /// `None` where it cannot listen.
    metadata: Option<MetadataServer>,
    /// `None` where it cannot listen.
    traces: Option<TraceReceiver>,
}

impl Lodging {
    /// Begins to answer containers that ask what they are, and to take their spans.
    pub(super) fn new(house: House, addresses: AddressBlock) -> Self {
        let register = Arc::new(Register::default());
        let region = Region(house.region.clone());
        Self {
            addresses: Mutex::new(addresses),
            metadata: MetadataServer::start(Arc::clone(&register), region).ok(),
            traces: TraceReceiver::start(house.traces.clone()).ok(),
            register,
            house,
        }
    }

    /// What is not as it would be on AWS; one sentence each.
    pub(super) fn notes(&self) -> Vec<String> {
        let metadata = self.metadata.is_none();
        let traces = self.traces.is_none();
        let metadata = metadata.then(|| "no port is free for the task metadata endpoint".to_owned());
        let traces = traces.then(|| "no port is free for taking traces".to_owned());
        metadata.into_iter().chain(traces).collect()
    }

    /// Gives a task its log and its address.
    pub(super) fn take(&self, task: &TaskId, service: &LocalService) -> Result<(Place, TaskLog), StartFailure> {
        let path = logs::path(&self.house.state_directory, &service.label, task);
        let log = TaskLog::open(&path).map_err(|error| failure(&error))?;
        let place = Place {
            task: task.clone(),
            service: Arc::clone(&service.label),
            address: self.take_address(service)?,
            variables: self.variables(service),
        };
        Ok((place, log))
    }

    /// From now on the task is to be found in the register.
    pub(super) fn enter(&self, place: &Place, service: &LocalService, log: TaskLog) {
        let containers = service.containers.iter();
        self.register.enter(TaskRecord {
            place: place.clone(),
            service: Arc::new(service.clone()),
            log: Arc::new(log),
            disk: self.directory(&place.task).join("disk"),
            created_at: Timestamp::now(),
            last_status: TaskStatus::Provisioning,
            storage: None,
            containers: containers.map(|it| ContainerRecord::new(Arc::clone(it))).collect(),
        });
    }

    /// Takes its place in the register back, and its address.
    pub(super) fn leave(&self, place: &Place) {
        self.register.leave(&place.task);
        self.addresses().release(place.address);
    }

    /// The directory of a task.
    pub(super) fn directory(&self, task: &TaskId) -> PathBuf {
        StateDirectory::task_directory(&self.house.state_directory, task)
    }

    /// Where a container asks for its metadata.
    pub(super) fn metadata_uri(&self, place: &Place, container: &LocalContainer) -> Option<String> {
        let key = self.register.key(&place.task, &container.name)?;
        Some(self.metadata.as_ref()?.uri(&key))
    }

    /// Where a container's output goes; `None` when its task is gone.
    pub(super) fn sink(&self, place: &Place, container: &LocalContainer) -> Option<LogSink> {
        Some(LogSink {
            service: Arc::clone(&place.service),
            task: place.task.clone(),
            container: Arc::clone(&container.name),
            announcer: self.house.announcer.clone(),
            log: self.register.task(&place.task)?.log,
        })
    }

    /// What all containers of a service's tasks are told.
    fn variables(&self, service: &LocalService) -> Vec<(&'static str, String)> {
        let mut variables = self.house.names.proxy_variables(service.service_connect.as_ref());
        let traces = self.traces.as_ref().map(|traces| traces.variables(&service.name));
        variables.extend(traces.unwrap_or_default());
        variables
    }

    fn take_address(&self, service: &LocalService) -> Result<Ipv4Addr, StartFailure> {
        let containers = service.containers.iter();
        let ports: Vec<u16> = containers
            .flat_map(|container| &container.ports)
            .map(|port| port.0)
            .collect();
        self.addresses().take(&ports).map_err(|port| {
            let owner = listening::owner(Ipv4Addr::UNSPECIFIED, port).unwrap_or_else(|| "another program".to_owned());
            StartFailure(format!(
                "port {port} is taken on all addresses of this machine by {owner}; a program that heeds HOST takes one address only"
            ))
        })
    }

    fn addresses(&self) -> MutexGuard<'_, AddressBlock> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task cannot be given what it needs.
pub(super) fn failure(error: &io::Error) -> StartFailure {
    StartFailure(format!("ResourceInitializationError: {error}"))
}
