//! The containers of one task: which starts when, how each fares, and who stops first.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html>

use std::sync::Arc;
use std::time::Duration;

use karma_fleet::DependencyCondition;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::health::{self, HealthTracker};
use crate::life::StopOrder;
use crate::listening::Reach;
use crate::local::LocalContainer;
use crate::runner::{Exit, Place, Probe, RunningContainer, StartFailure, StopSignal, TaskRunner};
use crate::task::{ContainerState, HealthStatus};

/// A container that listens on none of its ports for so long counts as started nevertheless. ECS does not wait at all; on Fargate a
/// program has listened for seconds when its first probe comes, here it has been started a moment ago.
const LISTENING_PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks whether a container listens: so long at first, doubled up to the most.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LONGEST_LOOK: Duration = Duration::from_millis(64);

/// The containers of one task.
#[derive(Debug)]
pub(crate) struct Containers<R: TaskRunner> {
    runner: Arc<R>,
    place: Place,
    slots: Vec<Slot>,
    exits: JoinSet<(usize, Exit)>,
    /// Aborted when the containers are dropped.
    watches: JoinSet<()>,
    sightings: mpsc::UnboundedSender<(usize, Sighting)>,
    seen: mpsc::UnboundedReceiver<(usize, Sighting)>,
}

/// Something happened to a container.
#[derive(Debug, Clone)]
pub(crate) enum ContainerEvent {
    /// It takes connections on its ports; on which of them, it does so on all addresses of the machine.
    Ready {
        container: Arc<str>,
        on_all_addresses: Vec<u16>,
    },
    /// Its health check was run.
    Checked,
    /// It has ended.
    Exited { container: Arc<LocalContainer>, exit: Exit },
}

#[derive(Debug)]
struct Slot {
    container: Arc<LocalContainer>,
    phase: Phase,
    pid: Option<u32>,
    health: HealthStatus,
    health_output: Option<String>,
    signals: Option<mpsc::UnboundedSender<StopSignal>>,
    /// When it is killed, once it has been told to end.
    deadline: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Started,
    Ready,
    Exited(Exit),
}

#[derive(Debug)]
enum Sighting {
    Ready(Vec<u16>),
    Health(HealthStatus, Probe),
}

impl<R: TaskRunner> Containers<R> {
    pub(crate) fn new(runner: Arc<R>, place: Place, containers: &[Arc<LocalContainer>]) -> Self {
        let (sightings, seen) = mpsc::unbounded_channel();
        Self {
            runner,
            place,
            slots: containers.iter().map(Slot::new).collect(),
            exits: JoinSet::new(),
            watches: JoinSet::new(),
            sightings,
            seen,
        }
    }

    /// Starts every container whose dependencies are met.
    pub(crate) async fn start_ready(&mut self) -> Result<(), StartFailure> {
        for index in 0..self.slots.len() {
            if self.slots[index].phase == Phase::Waiting && self.may_start(index)? {
                self.start(index).await?;
            }
        }
        Ok(())
    }

    /// Whether the task runs: every essential container has been started and takes connections.
    pub(crate) fn are_running(&self) -> bool {
        self.slots
            .iter()
            .filter(|slot| slot.container.essential)
            .all(|slot| slot.phase == Phase::Ready)
    }

    /// What the health checks say of the task.
    pub(crate) fn health(&self) -> HealthStatus {
        let watched = |slot: &&Slot| slot.container.essential && slot.container.health_check.is_some();
        health::task_health(self.slots.iter().filter(watched).map(|slot| slot.health))
    }

    /// How they stand.
    pub(crate) fn states(&self) -> Vec<ContainerState> {
        self.slots.iter().map(Slot::state).collect()
    }

    /// The next thing that happens. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> ContainerEvent {
        tokio::select! {
            Some(Ok((index, exit))) = self.exits.join_next() => {
                let slot = &mut self.slots[index];
                slot.end(exit);
                ContainerEvent::Exited { container: Arc::clone(&slot.container), exit }
            }
            Some((index, sighting)) = self.seen.recv() => self.slots[index].see(sighting),
        }
    }

    /// Stops them all: SIGTERM, and SIGKILL when `stopTimeout` is over or the order says at once. Whoever depends on another is
    /// stopped before it.
    pub(crate) async fn stop(&mut self, orders: &mut watch::Receiver<Option<StopOrder>>) {
        self.watches.abort_all();
        while self.slots.iter().any(Slot::is_running) {
            self.terminate_leaves();
            let deadline = self.slots.iter().filter_map(|slot| slot.deadline).min();
            tokio::select! {
                _ = self.next() => {}
                () = StopOrder::at_once(orders), if !self.all_killed() => self.kill_where(|_| true),
                () = until(deadline) => self.kill_where(|slot| slot.deadline == deadline),
            }
        }
    }

    fn may_start(&self, index: usize) -> Result<bool, StartFailure> {
        let mut may_start = true;
        for dependency in &self.slots[index].container.depends_on {
            let other = self
                .slots
                .iter()
                .find(|slot| *slot.container.name == *dependency.container_name);
            let other =
                other.expect("a dependency names a container of the task: checked when the service was settled");
            may_start &= other.meets(dependency.condition).ok_or_else(|| {
                StartFailure(format!(
                    "container {} waits for {}, which cannot meet the condition any more",
                    self.slots[index].container.name, dependency.container_name
                ))
            })?;
        }
        Ok(may_start)
    }

    async fn start(&mut self, index: usize) -> Result<(), StartFailure> {
        let container = Arc::clone(&self.slots[index].container);
        let mut running = self.runner.start(&self.place, &container).await?;
        let (signals, mut received) = mpsc::unbounded_channel();
        let slot = &mut self.slots[index];
        slot.phase = Phase::Started;
        slot.pid = running.pid();
        slot.signals = Some(signals);
        self.exits.spawn(async move {
            loop {
                tokio::select! {
                    exit = running.wait() => return (index, exit),
                    Some(signal) = received.recv() => running.signal(signal),
                }
            }
        });
        let watch = watch_container(
            Arc::clone(&self.runner),
            self.place.clone(),
            container,
            self.sightings.clone(),
            index,
        );
        self.watches.spawn(watch);
        Ok(())
    }

    fn terminate_leaves(&mut self) {
        let needed: Vec<String> = self
            .slots
            .iter()
            .filter(|slot| slot.is_running())
            .flat_map(|slot| &slot.container.depends_on)
            .map(|dependency| dependency.container_name.clone())
            .collect();
        let is_leaf = |slot: &&mut Slot| !needed.iter().any(|name| **name == *slot.container.name);
        self.slots.iter_mut().filter(is_leaf).for_each(Slot::terminate);
    }

    fn kill_where(&mut self, which: impl Fn(&Slot) -> bool) {
        self.slots.iter_mut().filter(|slot| which(slot)).for_each(Slot::kill);
    }

    fn all_killed(&self) -> bool {
        self.slots.iter().all(|slot| slot.signals.is_none())
    }
}

impl Slot {
    fn new(container: &Arc<LocalContainer>) -> Self {
        Self {
            container: Arc::clone(container),
            phase: Phase::Waiting,
            pid: None,
            health: HealthStatus::Unknown,
            health_output: None,
            signals: None,
            deadline: None,
        }
    }

    fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Started | Phase::Ready)
    }

    /// `None` where it never will.
    fn meets(&self, condition: DependencyCondition) -> Option<bool> {
        let exit_code = match self.phase {
            Phase::Exited(exit) => Some(exit.code),
            _ => None,
        };
        match condition {
            DependencyCondition::Start => Some(self.phase != Phase::Waiting),
            DependencyCondition::Complete => Some(exit_code.is_some()),
            DependencyCondition::Success => match exit_code {
                Some(0) => Some(true),
                Some(_) => None,
                None => Some(false),
            },
            DependencyCondition::Healthy => match (self.health, exit_code) {
                (HealthStatus::Unhealthy, _) | (_, Some(_)) => None,
                (health, None) => Some(health == HealthStatus::Healthy),
            },
        }
    }

    fn see(&mut self, sighting: Sighting) -> ContainerEvent {
        match sighting {
            Sighting::Ready(on_all_addresses) => {
                if self.phase == Phase::Started {
                    self.phase = Phase::Ready;
                }
                let container = Arc::clone(&self.container.name);
                ContainerEvent::Ready {
                    container,
                    on_all_addresses,
                }
            }
            Sighting::Health(status, probe) => {
                self.health = status;
                self.health_output = match probe {
                    Probe::Passed => None,
                    Probe::Failed(output) => Some(output),
                };
                ContainerEvent::Checked
            }
        }
    }

    fn terminate(&mut self) {
        if self.is_running() && self.deadline.is_none() && self.send(StopSignal::Terminate) {
            self.deadline = Some(Instant::now() + self.container.stop_timeout);
        }
    }

    fn kill(&mut self) {
        self.send(StopSignal::Kill);
        self.signals = None;
        self.deadline = None;
    }

    fn send(&self, signal: StopSignal) -> bool {
        self.signals
            .as_ref()
            .is_some_and(|signals| signals.send(signal).is_ok())
    }

    fn end(&mut self, exit: Exit) {
        self.phase = Phase::Exited(exit);
        self.pid = None;
        self.signals = None;
        self.deadline = None;
    }

    fn state(&self) -> ContainerState {
        ContainerState {
            name: self.container.name.to_string(),
            pid: self.pid,
            exit_code: match self.phase {
                Phase::Exited(exit) => Some(exit.code),
                _ => None,
            },
            health_status: self.health,
            health_output: self.health_output.clone(),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Watches a container from its start: until it listens, and from then on by its health check. The first run of the check comes at once; when
/// ECS makes it is not documented.
async fn watch_container<R: TaskRunner>(
    runner: Arc<R>,
    place: Place,
    container: Arc<LocalContainer>,
    sightings: mpsc::UnboundedSender<(usize, Sighting)>,
    index: usize,
) {
    let started = Instant::now();
    // An error means that nobody is interested any more; then this job is being aborted.
    let tell = |sighting| drop(sightings.send((index, sighting)));
    tell(Sighting::Ready(
        wait_until_listening(&*runner, &place, &container).await,
    ));
    let Some(check) = &container.health_check else {
        return;
    };
    let mut tracker = HealthTracker::new(check);
    loop {
        let probe = runner.probe(&place, &container, check).await;
        tell(Sighting::Health(tracker.record(&probe, started.elapsed()), probe));
        sleep(check.interval).await;
    }
}

/// Returns the ports that it listens on with all addresses of the machine.
async fn wait_until_listening<R: TaskRunner>(runner: &R, place: &Place, container: &LocalContainer) -> Vec<u16> {
    let give_up = Instant::now() + LISTENING_PATIENCE;
    let mut pause = FIRST_LOOK;
    loop {
        let reaches: Vec<_> = container
            .ports
            .iter()
            .map(|&(port, _)| (port, runner.reach(place, port)))
            .collect();
        if reaches.iter().all(|(_, reach)| *reach != Reach::Nobody) || Instant::now() >= give_up {
            return reaches
                .iter()
                .filter(|(_, reach)| *reach == Reach::AllAddresses)
                .map(|(port, _)| *port)
                .collect();
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}
