//! [`LocalOrchestrator`]: a fleet that runs on this machine, and the handle to it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use karma_fleet::Fleet;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::addresses::{self, AddressBlock};
use crate::control::ControlServer;
use crate::discovery::{Discovery, Names};
use crate::endpoints::{Behind, Endpoint};
use crate::error::StartError;
use crate::launcher::Namespaces;
use crate::life::Urgency;
use crate::load_balancer::{self, Groups, LoadBalancers};
use crate::local::{self, LocalService, MissingSecrets};
use crate::observation::{AliasObservation, DiscoveryMechanism, ListenerObservation, Observation};
use crate::program::Programs;
use crate::progress::{Announcer, Progress};
use crate::reconcile::{Command, FleetHealth, Reconciler, Seen};
use crate::runner::{ProcessRunner, ProcessSettings, Spawner, probe_namespaces};
use crate::secrets::LocalSecrets;
use crate::service::{Epoch, RunningService};
use crate::state::{CleanedUp, StateDirectory};

/// How a fleet is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The stack's directory, for people to read.
    pub stack: PathBuf,
    /// Where state and logs are kept; made where it is not there.
    pub state_directory: PathBuf,
    /// The port of the first HTTP listener; 0 takes any.
    pub port: u16,
    /// A binary whose `main` hands over to [`launch`](crate::launch): this very one.
    pub launcher: PathBuf,
    /// `AWS_REGION` of the tasks.
    pub region: Option<String>,
    /// What happens where a secret has no value here.
    pub missing_secrets: MissingSecrets,
}

/// A fleet that runs on this machine. Clones are handles to the same one. Its tasks end with this process, however that ends.
#[derive(Debug, Clone)]
pub struct LocalOrchestrator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stack: PathBuf,
    started_at: Timestamp,
    listeners: Vec<ListenerObservation>,
    aliases: Vec<AliasObservation>,
    discovery: DiscoveryMechanism,
    notes: Vec<String>,
    cleaned_up: Option<CleanedUp>,
    announcer: Announcer,
    commands: mpsc::UnboundedSender<Command>,
    health: watch::Receiver<FleetHealth>,
    /// What somebody has asked for.
    asked: watch::Sender<Option<Urgency>>,
    progress: watch::Sender<Shutdown>,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shutdown {
    /// It has not begun, or goes on.
    NotYet,
    /// Nothing runs any more, and the state directory is free.
    Down,
    /// Whoever asked over the control socket has been told.
    Told,
}

impl Options {
    /// The usual: state in `.karma` beside the stack, port 8080, this binary as launcher.
    ///
    /// The launcher is `/proc/self/exe`, which stays this binary even when a new build takes its place.
    pub fn new(stack: impl Into<PathBuf>) -> Self {
        let stack = stack.into();
        Self {
            state_directory: stack.join(".karma"),
            stack,
            port: 8080,
            launcher: PathBuf::from("/proc/self/exe"),
            region: None,
            missing_secrets: MissingSecrets::default(),
        }
    }
}

impl LocalOrchestrator {
    /// Starts a fleet. Returns when it listens and its tasks are being started; [`Self::wait_until_steady`] waits for them.
    pub async fn start(
        fleet: &Fleet,
        programs: &Programs,
        secrets: &LocalSecrets,
        options: Options,
    ) -> Result<Self, StartError> {
        let (services, notes) = local::services(fleet, programs, secrets, options.missing_secrets)?;
        let (state, cleaned_up) = StateDirectory::take(&options.state_directory)?;
        let ground = Ground::prepare(fleet, &services, &options, &state).await?;
        let notes = [
            cleaned_up.iter().map(CleanedUp::to_string).collect(),
            notes,
            ground.notes.clone(),
        ]
        .concat();

        let (state, announcer, started_at) = (Arc::new(state), Announcer::new(), Timestamp::now());
        let (aliases, discovery) = ground.discovery.observe();
        let running = running_services(fleet, services, &ground)?;
        let settings = ProcessSettings {
            state_directory: state.path().to_owned(),
            launcher: options.launcher,
            namespaces: ground.namespaces,
            region: options.region,
            names: ground.names,
            announcer: announcer.clone(),
        };
        let runner = ProcessRunner::new(settings, ground.spawner, AddressBlock::for_tasks(ground.seed));
        let reconciler = Reconciler::new(
            Arc::new(runner),
            running,
            Arc::clone(&state),
            announcer.clone(),
            Epoch(started_at),
        );
        let (commands, received) = mpsc::unbounded_channel();
        let shared = Shared {
            stack: options.stack,
            started_at,
            listeners: ground.load_balancers.observe(),
            aliases,
            discovery,
            notes,
            cleaned_up,
            announcer,
            commands,
            health: reconciler.health(),
            asked: watch::Sender::new(None),
            progress: watch::Sender::new(Shutdown::NotYet),
        };
        let orchestrator = Self {
            shared: Arc::new(shared),
        };
        let ending = Ending {
            control: ControlServer::start(state.path(), orchestrator.clone())?,
            load_balancers: ground.load_balancers,
            tasks: tokio::spawn(reconciler.run(received)),
            discovery: ground.discovery,
            state,
        };
        tokio::spawn(ending.run(orchestrator.clone()));
        Ok(orchestrator)
    }

    /// What runs now.
    pub async fn observe(&self) -> Observation {
        let (answer, seen) = oneshot::channel();
        let asked = self.shared.commands.send(Command::Observe(answer));
        // When the loop has ended nothing runs.
        let seen = if asked.is_ok() {
            seen.await.unwrap_or_default()
        } else {
            Seen::default()
        };
        Observation {
            stack: self.shared.stack.clone(),
            pid: std::process::id(),
            started_at: self.shared.started_at,
            listeners: self.shared.listeners.clone(),
            services: seen.services,
            aliases: self.shared.aliases.clone(),
            discovery: self.shared.discovery,
            notes: [self.shared.notes.clone(), seen.notes].concat(),
        }
    }

    /// What happens from now on. A watcher that is slow loses messages, which the receiver tells.
    pub fn events(&self) -> broadcast::Receiver<Progress> {
        self.shared.announcer.subscribe()
    }

    /// What the last run left behind because it was killed, and what was done about it.
    pub fn cleaned_up(&self) -> Option<&CleanedUp> {
        self.shared.cleaned_up.as_ref()
    }

    /// Waits until nothing is on its way any more: the fleet is steady, or failing. After `patience` it may still be starting.
    pub async fn wait_until_steady(&self, patience: Duration) -> FleetHealth {
        let mut health = self.shared.health.clone();
        let settled = health.wait_for(|health| *health != FleetHealth::Starting);
        // An error means that the loop has ended, and then the last word counts.
        let _ = timeout(patience, settled).await;
        *self.shared.health.borrow()
    }

    /// Stops everything: the listeners first, then each task in ECS's order. Resolves when all is down. A second call may make it more urgent.
    pub async fn stop(&self, urgency: Urgency) {
        self.shared.asked.send_modify(|asked| {
            if *asked != Some(Urgency::AtOnce) {
                *asked = Some(urgency);
            }
        });
        self.stopped().await;
    }

    /// Resolves when all is down, whoever asked for it; `karma down` for one.
    pub async fn stopped(&self) {
        self.wait_for(Shutdown::Told).await;
    }

    /// Asks to stop without waiting.
    pub(crate) fn ask_to_stop(&self) {
        self.shared
            .asked
            .send_if_modified(|asked| asked.is_none() && asked.replace(Urgency::Graceful).is_none());
    }

    pub(crate) async fn wait_for(&self, step: Shutdown) {
        let mut progress = self.shared.progress.subscribe();
        // This handle holds the sender, so that there is no error.
        let _ = progress.wait_for(|reached| *reached >= step).await;
    }
}

/// What has to be ended, in its order.
struct Ending {
    load_balancers: LoadBalancers,
    tasks: JoinHandle<()>,
    discovery: Discovery,
    control: ControlServer,
    state: Arc<StateDirectory>,
}

impl Ending {
    /// Waits until somebody asks, and ends everything.
    async fn run(self, orchestrator: LocalOrchestrator) {
        let shared = &orchestrator.shared;
        let mut asked = shared.asked.subscribe();
        let order = |command| drop(shared.commands.send(command));
        // This job holds the sender, so that there is no error.
        let _ = asked.wait_for(Option::is_some).await;
        order(Command::Rest);
        tokio::select! {
            () = self.load_balancers.stop() => {}
            () = at_once(&mut asked) => {}
        }
        order(Command::Stop(asked.borrow().unwrap_or(Urgency::Graceful)));
        let mut tasks = self.tasks;
        tokio::select! {
            _ = &mut tasks => {}
            () = at_once(&mut asked) => {
                order(Command::Stop(Urgency::AtOnce));
                let _ = tasks.await;
            }
        }
        self.discovery.stop().await;
        if let Err(error) = self.state.release() {
            shared.announcer.announce(Progress::Note {
                message: error.to_string(),
            });
        }
        shared.progress.send_replace(Shutdown::Down);
        self.control.stop().await;
        shared.progress.send_replace(Shutdown::Told);
    }
}

async fn at_once(asked: &mut watch::Receiver<Option<Urgency>>) {
    let _ = asked.wait_for(|asked| *asked == Some(Urgency::AtOnce)).await;
}

/// What must be there before the first task is started.
struct Ground {
    spawner: Spawner,
    namespaces: Namespaces,
    groups: Groups,
    load_balancers: LoadBalancers,
    discovery: Discovery,
    names: Arc<Names>,
    /// Where the stack's addresses begin.
    seed: u64,
    notes: Vec<String>,
}

impl Ground {
    async fn prepare(
        fleet: &Fleet,
        services: &[LocalService],
        options: &Options,
        state: &StateDirectory,
    ) -> Result<Self, StartError> {
        let failed = |source: io::Error| StartError::Launcher {
            path: options.launcher.clone(),
            source,
        };
        let spawner = Spawner::start().map_err(failed)?;
        let namespaces = probe_namespaces(&spawner, &options.launcher, state.path())
            .await
            .map_err(failed)?;
        let groups = load_balancer::groups(fleet);
        let (load_balancers, certificates) = LoadBalancers::start(fleet, &groups, options.port, state.path())?;
        let seed = addresses::seed(state.path());
        let block = AddressBlock::for_names(seed);
        let (discovery, names, not_found) = Discovery::start(services, block, mechanism(namespaces)).await;
        Ok(Self {
            spawner,
            namespaces,
            groups,
            load_balancers,
            discovery,
            names: Arc::new(names),
            seed,
            notes: [certificates, not_found].concat(),
        })
    }
}

fn mechanism(namespaces: Namespaces) -> DiscoveryMechanism {
    match namespaces {
        Namespaces::Mount | Namespaces::UserAndMount => DiscoveryMechanism::HostsFile,
        Namespaces::None => DiscoveryMechanism::HttpProxy,
    }
}

fn running_services(
    fleet: &Fleet,
    services: Vec<LocalService>,
    ground: &Ground,
) -> Result<Vec<RunningService>, StartError> {
    let running = services.into_iter().map(|service| {
        let mut endpoints = target_endpoints(&service, &ground.groups)?;
        endpoints.extend(ground.discovery.endpoints(&service)?);
        let mut groups = service.targets.iter().map(|target| &target.target_group);
        let url = groups.find_map(|group| ground.load_balancers.url(fleet, group));
        Ok(RunningService::new(service, endpoints, url))
    });
    running.collect()
}

fn target_endpoints(service: &LocalService, groups: &Groups) -> Result<Vec<Endpoint>, StartError> {
    let endpoint = |target: &local::ServiceTarget| {
        let group = groups.get(&target.target_group).ok_or_else(|| StartError::Definition {
            subject: format!("service {}", service.name),
            reason: format!("its target group {} is not in the stack", target.target_group),
        })?;
        Ok(Endpoint {
            group: group.clone(),
            port: target.port,
            behind: Behind::LoadBalancer,
        })
    };
    service.targets.iter().map(endpoint).collect()
}
