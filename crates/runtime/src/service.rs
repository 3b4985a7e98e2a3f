//! A service as it runs: its deployments, its tasks, what is remembered of them, and what happened.

mod observe;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use karma_ops::{DeploymentId, DeploymentStatus, EVENTS_KEPT, RolloutState, ServiceEvent};
use tokio::sync::watch;

use crate::back_off::BackOff;
use crate::clock::Clock;
use crate::decide::ServiceView;
use crate::deployment::rollout;
use crate::deployment::{Deployment, Watched};
use crate::endpoints::{Behind, Endpoint};
use crate::life::StopOrder;
use crate::local::LocalService;
use crate::logs::task_log;
use crate::placement::Capacity;
use crate::task::{Task, TaskId, TaskStatus};

/// So many stopped tasks of a service are remembered, and their logs kept.
const STOPPED_KEPT: usize = 10;

/// So many deployments of a service are remembered, and the programs of their revisions kept.
const DEPLOYMENTS_KEPT: usize = 10;

/// What a deployment brings: a definition, settled, and where its tasks stand.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) definition: Arc<LocalService>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// Where the first rule to it leads.
    pub(crate) url: Option<String>,
    /// What the load balancer asks its tasks.
    pub(crate) health_check_path: Option<String>,
    /// The zones of its subnets, by the names they have here.
    pub(crate) zones: Vec<Arc<str>>,
}

/// What is the matter around all services.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// The run's time.
    pub(crate) clock: Clock,
    /// The zones that are gone.
    pub(crate) lost_zones: BTreeSet<Arc<str>>,
    /// The alarms that are in alarm.
    pub(crate) in_alarm: BTreeSet<String>,
}

/// A service as it runs.
#[derive(Debug)]
pub(crate) struct RunningService {
    /// As the stack wants it. After a rollback it runs something else.
    pub(crate) wanted: Revision,
    pub(crate) view: ServiceView,
    /// What each deployment of the view brings.
    revisions: BTreeMap<DeploymentId, Revision>,
    /// Oldest first.
    pub(crate) tasks: Vec<Task>,
    /// How each task that is not stopped is told to stop.
    pub(crate) orders: HashMap<TaskId, watch::Sender<Option<StopOrder>>>,
    events: VecDeque<ServiceEvent>,
    pub(crate) was_steady: bool,
    pub(crate) had_room: bool,
    /// The stack has it no more: it goes when its last task has.
    pub(crate) is_leaving: bool,
}

impl Revision {
    fn watched(&self) -> Watched {
        let behind_load_balancer = |endpoint: &Endpoint| endpoint.behind == Behind::LoadBalancer;
        Watched {
            by_container_health_check: self.definition.has_container_health_check(),
            by_load_balancer: self.endpoints.iter().any(behind_load_balancer),
        }
    }

    fn deployment(&self, now: Duration) -> Deployment {
        let task_definition = self.definition.task_definition();
        Deployment::new(DeploymentId::random(), task_definition, self.watched(), now)
    }
}

impl RunningService {
    pub(crate) fn new(wanted: Revision, surroundings: &Surroundings) -> Self {
        let definition = Arc::clone(&wanted.definition);
        let view = ServiceView {
            desired_count: definition.desired_count,
            configuration: definition.deployment,
            alarms: None,
            in_alarm: BTreeSet::new(),
            health_check_grace_period: Duration::ZERO,
            capacity: Capacity::default(),
            rebalances: false,
            deployments: Vec::new(),
            back_off: BackOff::default(),
        };
        let mut service = Self {
            wanted: wanted.clone(),
            view,
            revisions: BTreeMap::new(),
            tasks: Vec::new(),
            orders: HashMap::new(),
            events: VecDeque::new(),
            was_steady: false,
            had_room: true,
            is_leaving: false,
        };
        service.settle(surroundings);
        service.deploy(wanted, surroundings.clock.now());
        service
    }

    /// Its ECS name.
    pub(crate) fn name(&self) -> &str {
        &self.wanted.definition.name
    }

    /// What a user calls it.
    pub(crate) fn label(&self) -> String {
        self.wanted.definition.label.to_string()
    }

    /// Takes over what changes without a deployment.
    pub(crate) fn settle(&mut self, surroundings: &Surroundings) {
        let definition = &self.wanted.definition;
        self.view.configuration = definition.deployment;
        self.view.alarms.clone_from(&definition.deployment_alarms);
        // It is given to programs, which are not faster than they are.
        self.view.health_check_grace_period = surroundings.clock.stretched(definition.health_check_grace_period);
        self.view.rebalances = definition.availability_zone_rebalancing;
        self.note_surroundings(surroundings);
    }

    /// Takes over what is the matter around it.
    pub(crate) fn note_surroundings(&mut self, surroundings: &Surroundings) {
        self.view.in_alarm.clone_from(&surroundings.in_alarm);
        self.view.capacity.lost_zones = surroundings.lost_zones.iter().cloned().collect();
    }

    /// Begins a deployment.
    pub(crate) fn deploy(&mut self, revision: Revision, now: Duration) -> DeploymentId {
        let deployment = revision.deployment(now);
        let id = deployment.id.clone();
        rollout::begin(&mut self.view, deployment);
        self.view.back_off.forget();
        self.revisions.insert(id.clone(), revision);
        self.place_as_primary();
        self.forget_old_deployments();
        id
    }

    /// Tasks go where the wanted deployment wants them.
    pub(crate) fn place_as_primary(&mut self) {
        let Revision { definition, zones, .. } = &self.revisions[&self.view.primary().id];
        self.view
            .capacity
            .strategy
            .clone_from(&definition.capacity_provider_strategy);
        self.view.capacity.zones.clone_from(zones);
    }

    /// What the wanted deployment brings.
    pub(crate) fn deployed(&self) -> &Revision {
        &self.revisions[&self.view.primary().id]
    }

    /// What a deployment brought, newest first, with the deployments' states.
    pub(crate) fn history(&self) -> impl Iterator<Item = (&Deployment, &Revision)> {
        let deployments = self.view.deployments.iter();
        deployments.map(|deployment| (deployment, &self.revisions[&deployment.id]))
    }

    /// All that its deployments may name of this machine's files.
    pub(crate) fn words(&self) -> impl Iterator<Item = String> {
        let revisions = self.revisions.values().chain([&self.wanted]);
        let containers = revisions.flat_map(|revision| &revision.definition.containers);
        containers.flat_map(|container| container.words())
    }

    /// Remembers an event; the oldest is forgotten.
    pub(crate) fn remember(&mut self, at: Timestamp, message: String) {
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(ServiceEvent { at, message });
    }

    /// Forgets the oldest stopped tasks with their logs.
    pub(crate) fn forget_old_tasks(&mut self) {
        let is_stopped = |task: &Task| task.last_status == TaskStatus::Stopped;
        let mut surplus = self
            .tasks
            .iter()
            .filter(|task| is_stopped(task))
            .count()
            .saturating_sub(STOPPED_KEPT);
        self.tasks.retain(|task| {
            let forgotten = surplus > 0 && is_stopped(task);
            if forgotten {
                surplus -= 1;
                task_log::remove(&task.log_path);
            }
            !forgotten
        });
    }

    /// Forgets the oldest deployments that have been replaced, but not the one that a rollback would lead to.
    fn forget_old_deployments(&mut self) {
        let deployments = &mut self.view.deployments;
        let rollback_target = deployments
            .iter()
            .skip(1)
            .find(|one| one.rollout_state == RolloutState::Completed)
            .map(|one| one.id.clone());
        let mut position = 0;
        deployments.retain(|one| {
            position += 1;
            position <= DEPLOYMENTS_KEPT
                || one.status != DeploymentStatus::Inactive
                || rollback_target.as_ref() == Some(&one.id)
        });
        self.revisions
            .retain(|id, _| deployments.iter().any(|deployment| deployment.id == *id));
    }
}
