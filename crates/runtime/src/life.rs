//! The life of one task, from its address to its end. It does what it is told and reports; it takes no decision of the scheduler's.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::containers::{ContainerEvent, Containers};
use crate::endpoints::{Endpoint, Endpoints};
use crate::local::LocalService;
use crate::runner::{Launched, Place, StartFailure, TaskRunner};
use crate::task::{ContainerState, HealthStatus, Stop, StopCode, TargetsHealth, TaskId, TaskStatus};

/// How much time is taken to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Urgency {
    /// Requests that are under way end, and programs get their `stopTimeout`.
    Graceful,
    /// Now.
    AtOnce,
}

/// A task is to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopOrder {
    pub(crate) stop: Stop,
    pub(crate) manner: Manner,
}

/// How a task leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Its requests end; then SIGTERM, and SIGKILL after `stopTimeout`.
    Drained,
    /// SIGTERM comes while its requests end. What still runs after the warning is killed.
    Warned(Duration),
    /// Without a word: what sends it requests learns of it when it is gone.
    CutOff,
    /// It gets no request any more, and SIGKILL.
    AtOnce,
}

impl From<Urgency> for Manner {
    fn from(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Graceful => Self::Drained,
            Urgency::AtOnce => Self::AtOnce,
        }
    }
}

/// What a task tells of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    pub(crate) task: TaskId,
    pub(crate) fact: Fact,
}

/// One thing about a task that is new.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    Status(TaskStatus),
    Address(Ipv4Addr),
    Containers(Vec<ContainerState>, HealthStatus),
    Targets(Option<TargetsHealth>),
    Registered(String),
    Deregistered(String),
    Stopping(Stop),
    Note(String),
}

/// What a life needs.
#[derive(Debug)]
pub(crate) struct Life<R: TaskRunner> {
    pub(crate) id: TaskId,
    pub(crate) service: Arc<LocalService>,
    pub(crate) clock: Clock,
    pub(crate) runner: Arc<R>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) reports: mpsc::UnboundedSender<Report>,
    pub(crate) orders: watch::Receiver<Option<StopOrder>>,
}

impl StopOrder {
    /// The order that ends all others.
    fn kill() -> Self {
        Self {
            stop: gone(),
            manner: Manner::AtOnce,
        }
    }

    /// Resolves when the order is to stop at once. Who is left without anybody to order him is to stop at once too.
    pub(crate) async fn at_once(orders: &mut watch::Receiver<Option<Self>>) {
        let is_at_once = |order: &Option<Self>| {
            order
                .as_ref()
                .is_some_and(|order| matches!(order.manner, Manner::AtOnce | Manner::CutOff))
        };
        let _ = orders.wait_for(is_at_once).await;
    }
}

impl<R: TaskRunner> Life<R> {
    /// Lives it.
    pub(crate) async fn run(mut self) {
        match self.runner.provision(&self.id, &self.service) {
            Ok(place) => self.live(place).await,
            Err(failure) => self.report(Fact::Stopping(failed_to_start(&failure))),
        }
        self.status(TaskStatus::Stopped);
    }

    async fn live(&mut self, place: Place) {
        self.report(Fact::Address(place.address));
        self.status(TaskStatus::Pending);
        let mut endpoints = Endpoints::new(place.address, &self.endpoints);
        let runner = Arc::clone(&self.runner);
        let mut containers = Containers::new(runner, place.clone(), &self.service.containers, self.clock);
        self.status(TaskStatus::Activating);
        let stop = match self.activate(&mut containers).await {
            Ok(()) => self.serve(&mut containers, &mut endpoints).await,
            Err(stop) => stop,
        };
        self.report(Fact::Stopping(stop));
        self.end(&mut containers, &mut endpoints).await;
        self.report(Fact::Containers(containers.states(), containers.health()));
        self.status(TaskStatus::Deprovisioning);
        self.runner.deprovision(&place);
    }

    async fn end(&mut self, containers: &mut Containers<R>, endpoints: &mut Endpoints) {
        match self.manner() {
            Manner::Drained | Manner::AtOnce => {
                self.status(TaskStatus::Deactivating);
                self.leave(endpoints).await;
                self.status(TaskStatus::Stopping);
                containers.stop(&mut self.orders).await;
            }
            Manner::Warned(warning) => self.end_within(warning, containers, endpoints).await,
            Manner::CutOff => {
                self.status(TaskStatus::Stopping);
                containers.stop(&mut self.orders).await;
                self.leave(endpoints).await;
            }
        }
    }

    /// Deregistration and SIGTERM begin together, and nothing outlives the warning.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>
    async fn end_within(&mut self, warning: Duration, containers: &mut Containers<R>, endpoints: &mut Endpoints) {
        self.status(TaskStatus::Deactivating);
        let mut draining = self.deregister(endpoints);
        self.status(TaskStatus::Stopping);
        let (_, mut kill) = watch::channel(Some(StopOrder::kill()));
        if timeout(warning, containers.stop(&mut self.orders)).await.is_err() {
            containers.stop(&mut kill).await;
        }
        while draining.join_next().await.is_some() {}
    }

    /// Starts the containers in their order, until the essential ones run.
    async fn activate(&mut self, containers: &mut Containers<R>) -> Result<(), Stop> {
        loop {
            containers
                .start_ready()
                .await
                .map_err(|failure| failed_to_start(&failure))?;
            if containers.are_running() {
                return Ok(());
            }
            self.turn(containers).await?;
        }
    }

    /// Takes requests until there is a reason to stop.
    async fn serve(&mut self, containers: &mut Containers<R>, endpoints: &mut Endpoints) -> Stop {
        self.status(TaskStatus::Running);
        loop {
            self.enter(containers.health(), endpoints);
            let turn = tokio::select! {
                turn = self.turn(containers) => turn,
                () = endpoints.changed() => Ok(()),
            };
            if let Err(stop) = turn {
                return stop;
            }
            if let Err(failure) = containers.start_ready().await {
                return failed_to_start(&failure);
            }
        }
    }

    /// Waits for the next thing that happens. The error is the reason to stop.
    async fn turn(&mut self, containers: &mut Containers<R>) -> Result<(), Stop> {
        let event = tokio::select! {
            event = containers.next() => event,
            order = self.orders.wait_for(Option::is_some) => return Err(ordered(order.ok().as_deref())),
        };
        self.report(Fact::Containers(containers.states(), containers.health()));
        match event {
            ContainerEvent::Ready {
                container,
                on_all_addresses,
            } => {
                for port in on_all_addresses {
                    self.report(Fact::Note(format!(
                        "container `{container}` listens on port {port} of all addresses instead of on HOST: no second task can"
                    )));
                }
                Ok(())
            }
            ContainerEvent::Exited {
                container,
                exit,
                reason,
            } if container.essential => Err(match exit.launched {
                Launched::Yes => Stop {
                    code: StopCode::EssentialContainerExited,
                    reason: reason.unwrap_or("Essential container in task exited").to_owned(),
                },
                Launched::No => failed_to_start(&StartFailure(format!(
                    "CannotStartContainerError: the program of container {} cannot be started",
                    container.name
                ))),
            }),
            ContainerEvent::Exited { .. } | ContainerEvent::Changed => Ok(()),
        }
    }

    /// How it is to leave; whoever ends by himself has his requests end first.
    fn manner(&self) -> Manner {
        self.orders
            .borrow()
            .as_ref()
            .map_or(Manner::Drained, |order| order.manner)
    }

    fn enter(&self, health: HealthStatus, endpoints: &mut Endpoints) {
        let has_health_check = self.service.has_container_health_check();
        for group in endpoints.enter(health, has_health_check) {
            self.report(Fact::Registered(group));
        }
        self.report(Fact::Targets(endpoints.health()));
    }

    /// Out of the load balancer and the names before SIGTERM: whoever is on his way still arrives.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html>
    async fn leave(&mut self, endpoints: &mut Endpoints) {
        let mut draining = self.deregister(endpoints);
        tokio::select! {
            () = async { while draining.join_next().await.is_some() {} } => {}
            () = StopOrder::at_once(&mut self.orders) => {}
        }
    }

    fn deregister(&self, endpoints: &mut Endpoints) -> JoinSet<()> {
        let (left, draining) = endpoints.leave();
        for group in left {
            self.report(Fact::Deregistered(group));
        }
        draining
    }

    fn status(&self, status: TaskStatus) {
        self.runner.note_status(&self.id, status);
        self.report(Fact::Status(status));
    }

    /// An error means that nobody listens: the orchestrator is gone, and the orders say so too.
    fn report(&self, fact: Fact) {
        let task = self.id.clone();
        let _ = self.reports.send(Report { task, fact });
    }
}

fn failed_to_start(failure: &StartFailure) -> Stop {
    Stop {
        code: StopCode::TaskFailedToStart,
        reason: failure.to_string(),
    }
}

fn ordered(order: Option<&Option<StopOrder>>) -> Stop {
    let stop = order.and_then(Option::as_ref).map(|order| order.stop.clone());
    stop.unwrap_or_else(gone)
}

fn gone() -> Stop {
    Stop {
        code: StopCode::UserInitiated,
        reason: "The orchestrator is gone".to_owned(),
    }
}
