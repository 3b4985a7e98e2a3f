//! Observations of a few words, and an orchestrator that shows one after the other.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::alarms::AlarmAnswer;
use crate::autoscaling::AutoscalingChange;
use crate::deployment::{DeploymentId, DeploymentObservation, DeploymentStatus, RolloutState};
use crate::log_reader::{LogQuery, LogReader};
use crate::metrics::{MetricAnswer, MetricQuery};
use crate::observation::{DiscoveryMechanism, Observation, ServiceHealth, ServiceObservation, TaskObservation};
use crate::orchestrator::{Answer, Orchestrator, OrchestratorError};
use crate::task::{DesiredStatus, HealthStatus, StopCode, TaskId, TaskStatus};

/// Shows one observation after the other, and the last one again and again.
#[derive(Debug)]
pub(crate) struct ScriptedOrchestrator(Mutex<Vec<Observation>>);

impl ScriptedOrchestrator {
    pub(crate) fn new(script: impl DoubleEndedIterator<Item = Observation>) -> Self {
        Self(Mutex::new(script.rev().collect()))
    }

    fn next(&self) -> Result<Observation, OrchestratorError> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = if left.len() > 1 {
            left.pop()
        } else {
            left.last().cloned()
        };
        next.ok_or(OrchestratorError::NothingRunning)
    }
}

fn refuse<'a, T: Send + 'a>() -> Answer<'a, T> {
    Box::pin(std::future::ready(Err(OrchestratorError::Refused {
        reason: "the script has no such thing".to_owned(),
        hint: None,
    })))
}

impl Orchestrator for ScriptedOrchestrator {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn observe(&self) -> Answer<'_, Observation> {
        Box::pin(std::future::ready(self.next()))
    }

    fn scale<'a>(&'a self, _service: &'a str, _desired_count: u32) -> Answer<'a, ()> {
        refuse()
    }

    fn restart<'a>(&'a self, _service: &'a str) -> Answer<'a, DeploymentId> {
        refuse()
    }

    fn rollback<'a>(&'a self, _service: &'a str, _to: Option<u32>) -> Answer<'a, DeploymentId> {
        refuse()
    }

    fn stop_task<'a>(&'a self, _task: &'a TaskId, _reason: &'a str) -> Answer<'a, ()> {
        refuse()
    }

    fn change_autoscaling<'a>(&'a self, _service: &'a str, _change: AutoscalingChange) -> Answer<'a, ()> {
        refuse()
    }

    fn metrics(&self, _query: MetricQuery) -> Answer<'_, MetricAnswer> {
        refuse()
    }

    fn alarms(&self) -> Answer<'_, AlarmAnswer> {
        refuse()
    }

    fn logs(&self, _query: LogQuery) -> Answer<'_, Box<dyn LogReader>> {
        refuse()
    }
}

/// One service, `api`, by its deployments, a line each, newest first: `2 PRIMARY IN_PROGRESS 1/2 stopped`. The number is the deployment's id and its
/// revision; after `running/desired` a word says that a task of it has stopped. The service is healthy where all that are wanted of the PRIMARY run.
pub(crate) fn observation_of(deployments: &str) -> Observation {
    Observation {
        stack: "stack".into(),
        pid: Some(1),
        started_at: Some(Timestamp::UNIX_EPOCH),
        listeners: Vec::new(),
        services: vec![service(deployments)],
        aliases: Vec::new(),
        discovery: DiscoveryMechanism::HostsFile,
        notes: Vec::new(),
    }
}

fn service(text: &str) -> ServiceObservation {
    let deployments: Vec<_> = text.lines().map(deployment).collect();
    let primary = deployments.first().cloned();
    let counts = primary.as_ref().map(|one| (one.running_count, one.desired_count));
    let (running_count, desired_count) = counts.unwrap_or((0, 1));
    let stopped = text.lines().filter(|line| line.ends_with(" stopped"));
    ServiceObservation {
        service: "fleet-api".to_owned(),
        label: "api".to_owned(),
        desired_count,
        autoscaling: None,
        running_count,
        pending_count: 0,
        health: if running_count == desired_count {
            ServiceHealth::Healthy
        } else {
            ServiceHealth::Starting
        },
        url: None,
        health_check_path: None,
        task_definition: primary.map_or_else(|| "api:1".to_owned(), |one| one.task_definition),
        tasks: stopped.map(|line| stopped_task(&deployment(line))).collect(),
        deployments,
        capacity_provider_strategy: Vec::new(),
        events: [].into(),
    }
}

fn deployment(line: &str) -> DeploymentObservation {
    let words: Vec<&str> = line.split(' ').collect();
    let (running, desired) = words[3].split_once('/').expect("running/desired");
    let number = |text: &str| text.parse().expect("a number");
    DeploymentObservation {
        id: id(words[0]),
        status: status(words[1]),
        rollout_state: rollout_state(words[2]),
        rollout_state_reason: format!("reason {}", words[0]),
        task_definition: format!("api:{}", words[0]),
        desired_count: number(desired),
        running_count: number(running),
        pending_count: 0,
        failed_tasks: 0,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

pub(crate) fn id(text: &str) -> DeploymentId {
    serde_json::from_value(text.into()).expect("any text is an id")
}

fn status(word: &str) -> DeploymentStatus {
    serde_json::from_value(word.into()).expect("a deployment status")
}

fn rollout_state(word: &str) -> RolloutState {
    serde_json::from_value(word.into()).expect("a rollout state")
}

fn stopped_task(of: &DeploymentObservation) -> TaskObservation {
    TaskObservation {
        task_id: TaskId::random(),
        task_definition: of.task_definition.clone(),
        deployment: of.id.clone(),
        capacity_provider: None,
        availability_zone: None,
        last_status: TaskStatus::Stopped,
        desired_status: DesiredStatus::Stopped,
        health_status: HealthStatus::Unknown,
        target_health: None,
        address: None,
        started_at: None,
        stopped_at: Some(Timestamp::UNIX_EPOCH),
        stopped_reason: Some("Essential container in task exited".to_owned()),
        stop_code: Some(StopCode::EssentialContainerExited),
        exit_code: Some(3),
        containers: Vec::new(),
        log_path: None,
        last_lines: Vec::new(),
    }
}
