//! [`LocalOrchestrator`]: a fleet that runs on this machine, and the handle to it.

mod definition;
mod faults;
mod measure;
mod operations;
mod steer;
mod trace;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use karma_fleet::Fleet;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::addresses::{self, AddressBlock};
use crate::clock::Clock;
use crate::control::ControlServer;
use crate::discovery::Discovery;
use crate::error::StartError;
use crate::exec::{self, ExecError, ExecRequest, Session};
use crate::front::{Front, FrontObservation};
use crate::launcher::Namespaces;
use crate::life::Urgency;
use crate::limits::control_groups::ControlGroups;
use crate::load_balancer::{LiveGroups, LoadBalancers};
use crate::local::{LocalService, MissingSecrets};
use crate::mechanisms;
use crate::metrics::{FrontMeters, MetricStore};
use crate::program::Programs;
use crate::progress::{Announcer, Progress};
use crate::reconcile::{Command, FleetHealth, Reconciler, Seen};
use crate::reload::Reload;
use crate::runner::{
    ContainerRunner, Engine, House, LocalRunner, ProcessRunner, ProcessSettings, RunnerKind, Spawner, probe_namespaces,
};
use crate::scaling::ControlLoop;
use crate::secrets::LocalSecrets;
use crate::state::{CleanedUp, StateDirectory};
use crate::traces::TraceStore;
use definition::{Definition, Settler};
use karma_ops::{DiscoveryMechanism, Observation, UsageTotals};

/// How a fleet is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The stack's directory, for people to read.
    pub stack: PathBuf,
    /// Where state and logs are kept; made where it is not there.
    pub state_directory: PathBuf,
    /// The port of the first HTTP listener; 0 takes any.
    pub port: u16,
    /// What the containers of tasks are.
    pub runner: RunnerKind,
    /// A binary whose `main` hands over to [`launch`](crate::launch): this very one.
    pub launcher: PathBuf,
    /// `AWS_REGION` of the tasks.
    pub region: Option<String>,
    /// What happens where a secret has no value here.
    pub missing_secrets: MissingSecrets,
    /// How many times as fast as usual the control loops' time passes.
    pub speed: NonZeroU32,
    /// How the definition is read anew; without it another process cannot change it.
    pub reload: Option<Reload>,
}

/// A fleet that runs on this machine. Clones are handles to the same one. Its tasks end with this process, however that ends.
#[derive(Debug, Clone)]
pub struct LocalOrchestrator {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stack: PathBuf,
    clock: Clock,
    /// What of the definition is not run by the loop. `None` when it has stopped.
    setting: Mutex<Option<Setting>>,
    front: watch::Sender<FrontObservation>,
    /// The definition that is wanted now.
    fleet: watch::Sender<Arc<Fleet>>,
    notes: watch::Sender<Vec<String>>,
    cleaned_up: Option<CleanedUp>,
    reload: Option<Reload>,
    announcer: Announcer,
    commands: mpsc::UnboundedSender<Command>,
    /// Gone when nothing runs any more.
    runner: Weak<LocalRunner>,
    health: watch::Receiver<FleetHealth>,
    /// What counts requests now.
    meters: watch::Sender<FrontMeters>,
    metrics: MetricStore,
    traces: TraceStore,
    control_loop: ControlLoop,
    usage: watch::Sender<UsageTotals>,
    /// What somebody has asked for.
    asked: watch::Sender<Option<Urgency>>,
    progress: watch::Sender<Shutdown>,
}

/// What changes with the definition besides the tasks.
#[derive(Debug)]
struct Setting {
    front: Front,
    settler: Settler,
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
            runner: RunnerKind::default(),
            launcher: PathBuf::from("/proc/self/exe"),
            region: None,
            missing_secrets: MissingSecrets::default(),
            speed: NonZeroU32::MIN,
            reload: None,
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
        definition::check(fleet, programs, secrets, &options)?;
        let (state, cleaned_up) = StateDirectory::take(&options.state_directory)?;
        let (mut settler, set_aside) = Settler::new(state.path(), &options)?;
        let definition = settler.settle(fleet, programs, secrets)?;
        let ground = Ground::prepare(fleet, &definition.services, &options, &state).await?;
        let (state, announcer) = (Arc::new(state), Announcer::new());
        let clock = Clock::start(Timestamp::now(), options.speed);
        let (wanted, metrics) = (Arc::new(fleet.clone()), measure::open(state.path(), clock)?);
        let followed = watch::Sender::new(Arc::clone(&wanted));
        let traces = trace::open(state.path(), followed.subscribe())?;
        let (control_loop, alarms_set_aside) =
            ControlLoop::open(state.path(), Arc::clone(&wanted), metrics.clone(), clock.began());
        let Definition {
            services, zones, notes, ..
        } = definition;
        let revisions = ground.front.revisions(fleet, services, &zones)?;
        let house = House {
            state_directory: state.path().to_owned(),
            region: options.region,
            names: ground.front.discovery.names(),
            announcer: announcer.clone(),
            traces: traces.clone(),
        };
        let runner = runner(
            ground.means,
            options.launcher,
            house,
            AddressBlock::for_tasks(ground.seed),
        )
        .await?;
        let notes = [
            cleaned_up.iter().map(CleanedUp::to_string).collect(),
            set_aside.into_iter().collect(),
            alarms_set_aside.into_iter().collect(),
            notes,
            ground.notes,
            runner.notes(),
        ]
        .concat();
        let runner = Arc::new(runner);
        let weak_runner = Arc::downgrade(&runner);
        let reconciler = Reconciler::new(runner, revisions, Arc::clone(&state), announcer.clone(), clock);
        settler.keep_only(&reconciler.words());
        let meters = ground.front.meters();
        let (commands, received) = mpsc::unbounded_channel();
        let setting = Setting {
            front: ground.front,
            settler,
        };
        let shared = Shared {
            stack: options.stack,
            clock,
            front: watch::Sender::new(setting.front.observe()),
            setting: Mutex::new(Some(setting)),
            notes: watch::Sender::new(notes),
            cleaned_up,
            reload: options.reload,
            announcer,
            commands,
            runner: weak_runner,
            health: reconciler.health(),
            fleet: followed,
            meters: watch::Sender::new(meters),
            metrics,
            traces,
            control_loop,
            usage: watch::Sender::default(),
            asked: watch::Sender::new(None),
            progress: watch::Sender::new(Shutdown::NotYet),
        };
        let orchestrator = Self {
            shared: Arc::new(shared),
        };
        let ending = Ending {
            control: ControlServer::start(state.path(), orchestrator.clone())?,
            tasks: tokio::spawn(reconciler.run(received)),
            log_filter: tokio::spawn(orchestrator.clone().filter_logs(orchestrator.events())),
            sampler: tokio::spawn(orchestrator.clone().measure(orchestrator.shared.meters.subscribe())),
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
        let mut services = seen.services;
        for service in &mut services {
            service.autoscaling = self.shared.control_loop.observe(&service.label);
        }
        let front = self.shared.front.borrow().clone();
        Observation {
            stack: self.shared.stack.clone(),
            pid: Some(std::process::id()),
            started_at: Some(self.shared.clock.began()),
            listeners: front.listeners,
            services,
            aliases: front.aliases,
            discovery: front.discovery,
            notes: [self.shared.notes.borrow().clone(), seen.notes].concat(),
        }
    }

    /// The definition that is wanted, now and from now on.
    pub fn fleet(&self) -> watch::Receiver<Arc<Fleet>> {
        self.shared.fleet.subscribe()
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

    /// Runs a command in a task.
    pub(crate) async fn exec(&self, request: &ExecRequest) -> Result<Session, ExecError> {
        let gone = || ExecError::NoSuchTask(request.task.clone());
        let runner = self.shared.runner.upgrade().ok_or_else(gone)?;
        exec::start(&runner, request).await
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
    tasks: JoinHandle<()>,
    log_filter: JoinHandle<()>,
    sampler: JoinHandle<()>,
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
        let setting = shared.setting.lock().await.take();
        let Front {
            load_balancers,
            discovery,
            groups: _groups,
        } = setting.expect("nobody else takes it").front;
        tokio::select! {
            () = load_balancers.stop() => {}
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
        self.log_filter.abort();
        self.sampler.abort();
        shared.write_metrics();
        discovery.stop().await;
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

/// What tasks are started with.
enum Means {
    Launcher(Spawner, Namespaces),
    Engine(Engine),
}

impl Means {
    async fn find(options: &Options, state: &StateDirectory) -> Result<Self, StartError> {
        if options.runner == RunnerKind::Container {
            return Ok(Self::Engine(Engine::find().await?));
        }
        let failed = |source: io::Error| StartError::Launcher {
            path: options.launcher.clone(),
            source,
        };
        let spawner = Spawner::start().map_err(failed)?;
        let namespaces = probe_namespaces(&spawner, &options.launcher, state.path()).await;
        Ok(Self::Launcher(spawner, namespaces.map_err(failed)?))
    }

    /// How tasks find names: an engine writes them into the containers' `/etc/hosts`.
    fn discovery(&self) -> DiscoveryMechanism {
        match self {
            Self::Launcher(_, namespaces) => mechanisms::discovery(*namespaces),
            Self::Engine(_) => DiscoveryMechanism::HostsFile,
        }
    }
}

async fn runner(
    means: Means,
    launcher: PathBuf,
    house: House,
    addresses: AddressBlock,
) -> Result<LocalRunner, StartError> {
    let (spawner, namespaces) = match means {
        Means::Engine(engine) => {
            return Ok(LocalRunner::Container(
                ContainerRunner::new(engine, house, addresses).await?,
            ));
        }
        Means::Launcher(spawner, namespaces) => (spawner, namespaces),
    };
    let settings = ProcessSettings {
        launcher,
        namespaces,
        control_groups: Arc::new(ControlGroups::take(&house.state_directory)),
    };
    Ok(LocalRunner::Process(ProcessRunner::new(
        settings, house, spawner, addresses,
    )))
}

/// What must be there before the first task is started.
struct Ground {
    means: Means,
    front: Front,
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
        let means = Means::find(options, state).await?;
        let mut groups = LiveGroups::default();
        groups.follow(fleet);
        let (load_balancers, of_load_balancers) =
            LoadBalancers::start(fleet, &groups.present(), options.port, state.path())?;
        let seed = addresses::seed(state.path());
        let block = AddressBlock::for_names(seed);
        let (discovery, not_found) = Discovery::start(services, block, means.discovery());
        Ok(Self {
            means,
            front: Front {
                groups,
                load_balancers,
                discovery,
            },
            seed,
            notes: [of_load_balancers, not_found].concat(),
        })
    }
}
