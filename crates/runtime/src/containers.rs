//! The containers of one task: which starts when, how each fares, and who stops first.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html>

mod slot;

use std::sync::Arc;
use std::time::Duration;

use karma_fleet::ContainerDependency;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock::Clock;
use crate::health::{self, HealthTracker};
use crate::life::StopOrder;
use crate::listening::Reach;
use crate::local::LocalContainer;
use crate::runner::{Exit, Place, RunningContainer, StartFailure, TaskRunner};
use crate::task::{ContainerState, HealthStatus};
use slot::{Phase, Sighting, Slot};

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
    clock: Clock,
    slots: Vec<Slot>,
    /// Whether who ends may be started again.
    restarts: Restarts,
    exits: JoinSet<(usize, Exit, Option<&'static str>)>,
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
    /// Something else: its health check was run, it has ended and is to be started again, or another has waited for it in vain.
    Changed,
    /// It has ended, and stays so.
    Exited {
        container: Arc<LocalContainer>,
        exit: Exit,
        /// Why, where more is known than its exit code.
        reason: Option<&'static str>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restarts {
    AsTheirPoliciesSay,
    Over,
}

impl<R: TaskRunner> Containers<R> {
    pub(crate) fn new(runner: Arc<R>, place: Place, containers: &[Arc<LocalContainer>], clock: Clock) -> Self {
        let (sightings, seen) = mpsc::unbounded_channel();
        Self {
            runner,
            place,
            clock,
            slots: containers.iter().map(Slot::new).collect(),
            restarts: Restarts::AsTheirPoliciesSay,
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
        let deadline = self.start_deadline();
        let event = tokio::select! {
            Some(Ok((index, exit, reason))) = self.exits.join_next() => self.note_exit(index, exit, reason),
            Some((index, sighting)) = self.seen.recv() => self.slots[index].see(sighting),
            () = until(deadline) => ContainerEvent::Changed,
        };
        self.runner.note_containers(&self.place.task, &self.states());
        event
    }

    /// Stops them all: SIGTERM, and SIGKILL when `stopTimeout` is over or the order says at once. Whoever depends on another is
    /// stopped before it.
    pub(crate) async fn stop(&mut self, orders: &mut watch::Receiver<Option<StopOrder>>) {
        self.watches.abort_all();
        self.restarts = Restarts::Over;
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

    /// Who has been started before is started again whatever has become of the others.
    fn may_start(&self, index: usize) -> Result<bool, StartFailure> {
        let slot = &self.slots[index];
        let mut may_start = true;
        for (dependency, other) in self.dependencies(slot).filter(|_| slot.started_at.is_none()) {
            let in_vain = |why: &str| {
                let (waiting, other) = (&slot.container.name, &dependency.container_name);
                StartFailure(format!("container {waiting} waits for {other}, which {why}"))
            };
            match other.meets(dependency.condition) {
                Some(true) => {}
                Some(false) if other.is_late(Instant::now()) => {
                    return Err(in_vain("has not come to it within its startTimeout"));
                }
                Some(false) => may_start = false,
                None => return Err(in_vain("cannot meet the condition any more")),
            }
        }
        Ok(may_start)
    }

    /// When somebody will have waited for too long.
    fn start_deadline(&self) -> Option<Instant> {
        let waiting = self.slots.iter().filter(|slot| slot.is_waiting_for_the_first_time());
        waiting
            .flat_map(|slot| self.dependencies(slot))
            .filter(|(dependency, other)| other.meets(dependency.condition) == Some(false))
            .filter_map(|(_, other)| other.start_deadline())
            .min()
    }

    fn dependencies<'s>(&'s self, slot: &'s Slot) -> impl Iterator<Item = (&'s ContainerDependency, &'s Slot)> {
        slot.container.depends_on.iter().map(|dependency| {
            let other = self
                .slots
                .iter()
                .find(|other| *other.container.name == *dependency.container_name);
            let other =
                other.expect("a dependency names a container of the task: checked when the service was settled");
            (dependency, other)
        })
    }

    fn note_exit(&mut self, index: usize, exit: Exit, reason: Option<&'static str>) -> ContainerEvent {
        let slot = &mut self.slots[index];
        slot.end(exit, reason);
        if self.restarts == Restarts::AsTheirPoliciesSay && slot.is_to_be_restarted(exit, self.clock) {
            slot.phase = Phase::Waiting;
            return ContainerEvent::Changed;
        }
        let container = Arc::clone(&slot.container);
        ContainerEvent::Exited {
            container,
            exit,
            reason,
        }
    }

    async fn start(&mut self, index: usize) -> Result<(), StartFailure> {
        let container = Arc::clone(&self.slots[index].container);
        let mut running = self.runner.start(&self.place, &container).await?;
        let (signals, mut received) = mpsc::unbounded_channel();
        let slot = &mut self.slots[index];
        slot.begin(running.pid(), signals);
        self.exits.spawn(async move {
            loop {
                tokio::select! {
                    exit = running.wait() => return (index, exit, running.end_reason()),
                    Some(signal) = received.recv() => running.signal(signal),
                }
            }
        });
        let watch = watch_container(
            Arc::clone(&self.runner),
            self.place.clone(),
            container,
            self.sightings.clone(),
            (index, self.clock),
        );
        self.slots[index].watch = Some(self.watches.spawn(watch));
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
    (index, clock): (usize, Clock),
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
        sleep(clock.compressed(check.interval)).await;
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
