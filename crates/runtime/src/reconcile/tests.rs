//! The loop with a runner that plays a script, in virtual time.

mod capacity;
mod deployments;

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::Mutex;

use jiff::Timestamp;
use karma_fleet::{DeploymentConfiguration, NetworkConfiguration};
use tempfile::TempDir;
use tokio::time::sleep;

use super::*;
use crate::launcher::Files;
use crate::limits::{ContainerLimits, TaskLimits};
use crate::listening::Reach;
use crate::local::{LocalContainer, LocalHealthCheck, LocalService};
use crate::program::Program;
use crate::runner::{Exit, Launched, Place, Probe, RunningContainer, StartFailure, StopSignal};
use crate::task::TaskStatus;

/// What becomes of a container.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It runs until it is told to end, and then ends at once.
    Obeys,
    /// It ends by itself after so long.
    Ends { after: Duration, code: i32 },
    /// It does not heed SIGTERM.
    Stubborn,
    /// It cannot be started.
    Missing,
}

/// Gives each container it starts the next fate of the script; the last one stays. A container whose first argument is `missing` or `sick` is that,
/// and with any other argument it is well.
#[derive(Debug)]
struct ScriptedRunner {
    fates: Mutex<VecDeque<Fate>>,
    starts: Mutex<Vec<Instant>>,
}

#[derive(Debug)]
struct ScriptedContainer {
    fate: Fate,
    started: Instant,
    told: watch::Sender<Option<StopSignal>>,
}

impl TaskRunner for ScriptedRunner {
    type Container = ScriptedContainer;

    fn provision(&self, task: &TaskId, service: &LocalService) -> Result<Place, StartFailure> {
        Ok(Place {
            task: task.clone(),
            service: Arc::clone(&service.label),
            address: Ipv4Addr::LOCALHOST,
            variables: vec![],
        })
    }

    async fn start(&self, _: &Place, container: &LocalContainer) -> Result<ScriptedContainer, StartFailure> {
        self.starts.lock().unwrap().push(Instant::now());
        let mut fates = self.fates.lock().unwrap();
        let fate = match container.args.first().map(String::as_str) {
            Some("missing") => Some(Fate::Missing),
            Some(_) => Some(Fate::Obeys),
            None if fates.len() > 1 => fates.pop_front(),
            None => fates.front().copied(),
        };
        match fate.unwrap() {
            Fate::Missing => Err(StartFailure("it is not there".to_owned())),
            fate => Ok(ScriptedContainer {
                fate,
                started: Instant::now(),
                told: watch::Sender::new(None),
            }),
        }
    }

    fn reach(&self, _: &Place, _: u16) -> Reach {
        Reach::ThisAddress
    }

    async fn probe(&self, _: &Place, container: &LocalContainer, _: &LocalHealthCheck) -> Probe {
        match container.args.first().map(String::as_str) {
            Some("sick") => Probe::Failed("it is sick".to_owned()),
            _ => Probe::Passed,
        }
    }

    fn deprovision(&self, _: &Place) {}
}

impl RunningContainer for ScriptedContainer {
    fn pid(&self) -> Option<u32> {
        None
    }

    async fn wait(&mut self) -> Exit {
        let mut told = self.told.subscribe();
        let code = match self.fate {
            Fate::Ends { after, code } => {
                sleep_until(self.started + after).await;
                code
            }
            Fate::Stubborn => {
                told.wait_for(|signal| *signal == Some(StopSignal::Kill)).await.unwrap();
                137
            }
            Fate::Obeys | Fate::Missing => {
                told.wait_for(Option::is_some).await.unwrap();
                143
            }
        };
        Exit {
            code,
            launched: Launched::Yes,
        }
    }

    fn signal(&mut self, signal: StopSignal) {
        self.told.send_replace(Some(signal));
    }
}

/// The loop at work for one service.
struct Scene {
    runner: Arc<ScriptedRunner>,
    commands: mpsc::UnboundedSender<Command>,
    ended: tokio::task::JoinHandle<()>,
    _directory: TempDir,
}

fn play(desired_count: usize, fates: &[Fate]) -> Scene {
    play_with(definition(desired_count), fates)
}

fn play_with(definition: LocalService, fates: &[Fate]) -> Scene {
    let directory = tempfile::tempdir().unwrap();
    let state = Arc::new(StateDirectory::take(directory.path()).unwrap().0);
    let runner = Arc::new(ScriptedRunner {
        fates: Mutex::new(fates.iter().copied().collect()),
        starts: Mutex::default(),
    });
    let clock = Clock::start(Timestamp::UNIX_EPOCH, NonZeroU32::MIN);
    let revisions = vec![revision(definition)];
    let reconciler = Reconciler::new(Arc::clone(&runner), revisions, state, Announcer::new(), clock);
    let (commands, received) = mpsc::unbounded_channel();
    let ended = tokio::spawn(reconciler.run(received));
    Scene {
        runner,
        commands,
        ended,
        _directory: directory,
    }
}

/// Behind nothing, in three zones.
fn revision(definition: LocalService) -> Revision {
    Revision {
        definition: Arc::new(definition),
        endpoints: vec![],
        url: None,
        health_check_path: None,
        zones: ["a", "b", "c"].map(Into::into).to_vec(),
    }
}

fn definition(desired_count: usize) -> LocalService {
    let container = LocalContainer {
        name: "main".into(),
        image: "hello:1".to_owned(),
        image_run: None,
        image_program: Arc::new(Program {
            program: "program".into(),
            image_path: "/program".to_owned(),
            args: vec![],
            files: [].into(),
        }),
        program: "program".into(),
        args: vec![],
        working_directory: "".into(),
        environment: [].into(),
        secrets: [].into(),
        ports: vec![],
        essential: true,
        health_check: None,
        start_timeout: None,
        stop_timeout: Duration::from_secs(30),
        depends_on: vec![],
        restart_policy: None,
        limits: ContainerLimits::default(),
        ulimits: vec![],
        files: Files::default(),
        log: None,
    };
    LocalService {
        name: "test-hello".to_owned(),
        label: "hello".into(),
        family: "hello".to_owned(),
        revision: 1,
        cluster: "default".to_owned(),
        limits: TaskLimits::default(),
        enable_execute_command: false,
        desired_count,
        deployment: DeploymentConfiguration {
            minimum_healthy_percent: 100,
            maximum_percent: 200,
            circuit_breaker: None,
        },
        deployment_alarms: None,
        force_new_deployment: false,
        capacity_provider_strategy: vec![],
        network: NetworkConfiguration::default(),
        availability_zone_rebalancing: false,
        health_check_grace_period: Duration::ZERO,
        containers: vec![Arc::new(container)],
        targets: vec![],
        service_connect: None,
    }
}

impl Scene {
    async fn observe(&self) -> ServiceObservation {
        let (answer, seen) = oneshot::channel();
        self.commands.send(Command::Observe(answer)).unwrap();
        seen.await.unwrap().services.remove(0)
    }

    /// Seconds between the starts of one container and the next.
    fn pauses(&self) -> Vec<u64> {
        let starts = self.runner.starts.lock().unwrap();
        starts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect()
    }

    /// What happened, without the ids.
    fn messages(service: &ServiceObservation) -> Vec<String> {
        service.events.iter().map(|event| without_ids(&event.message)).collect()
    }
}

/// `(task 0123…)` becomes `(task)`, and `(deployment ecs-svc/0123…)` becomes `(deployment)`.
fn without_ids(message: &str) -> String {
    let words = message.split(' ').map(|word| match word.split_once(')') {
        Some((id, rest)) if id.starts_with("ecs-svc/") || TaskId::parse(id).is_some() => format!("){rest}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ").replace(" )", ")")
}

#[tokio::test(start_paused = true)]
async fn a_service_comes_to_its_count_and_says_so_in_ecs_words() {
    let scene = play(2, &[Fate::Obeys]);
    sleep(Duration::from_secs(5)).await;
    let service = scene.observe().await;
    assert_eq!((service.running_count, service.health), (2, ServiceHealth::Healthy));
    let expected = [
        "service (test-hello) has started 2 tasks: (task) (task).",
        "service (test-hello) (deployment) deployment completed.",
        "service (test-hello) has reached a steady state.",
    ];
    assert_eq!(Scene::messages(&service), expected);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_is_replaced_after_a_wait_that_grows() {
    let scene = play(
        1,
        &[Fate::Ends {
            after: Duration::ZERO,
            code: 1,
        }],
    );
    sleep(Duration::from_secs(70)).await;
    assert_eq!(scene.pauses(), [1, 2, 4, 8, 16, 30]);
    let service = scene.observe().await;
    assert_eq!(service.health, ServiceHealth::Failing);
    let impaired = "service (test-hello) is unable to consistently start tasks successfully.";
    assert_eq!(
        Scene::messages(&service)
            .iter()
            .filter(|message| *message == impaired)
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_be_started_says_why() {
    let scene = play(1, &[Fate::Missing, Fate::Obeys]);
    sleep(Duration::from_secs(5)).await;
    let service = scene.observe().await;
    let failed = service.tasks.last().unwrap();
    assert_eq!(failed.stop_code, Some(StopCode::TaskFailedToStart));
    assert_eq!(failed.stopped_reason.as_deref(), Some("it is not there"));
    assert_eq!(service.health, ServiceHealth::Healthy, "the second attempt holds");
}

#[tokio::test(start_paused = true)]
async fn only_the_last_stopped_tasks_are_remembered() {
    let scene = play(
        1,
        &[Fate::Ends {
            after: Duration::from_mins(2),
            code: 0,
        }],
    );
    sleep(Duration::from_hours(1)).await;
    let service = scene.observe().await;
    assert!(scene.pauses().len() > 20);
    assert_eq!(
        service
            .tasks
            .iter()
            .filter(|task| task.last_status == TaskStatus::Stopped)
            .count(),
        10
    );
    let times: Vec<_> = service.tasks.iter().map(|task| task.started_at).collect();
    assert!(
        times.is_sorted_by(|newer, older| newer > older),
        "newest first: {times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_the_loop_and_starts_nothing_any_more() {
    let scene = play(3, &[Fate::Obeys]);
    sleep(Duration::from_secs(5)).await;
    scene.commands.send(Command::Stop(Urgency::Graceful)).unwrap();
    scene.ended.await.unwrap();
    assert_eq!(scene.runner.starts.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stubborn_task_is_killed_after_its_stop_timeout_or_at_once_when_told() {
    let stop = async |urgency| {
        let scene = play(1, &[Fate::Stubborn]);
        sleep(Duration::from_secs(5)).await;
        let begun = Instant::now();
        scene.commands.send(Command::Stop(urgency)).unwrap();
        scene.ended.await.unwrap();
        begun.elapsed().as_secs()
    };
    assert_eq!(stop(Urgency::Graceful).await, 30);
    assert_eq!(stop(Urgency::AtOnce).await, 0);
}

#[tokio::test(start_paused = true)]
async fn at_rest_nothing_that_ends_is_replaced() {
    let scene = play(
        1,
        &[Fate::Ends {
            after: Duration::from_secs(10),
            code: 0,
        }],
    );
    sleep(Duration::from_secs(5)).await;
    scene.commands.send(Command::Rest).unwrap();
    sleep(Duration::from_mins(5)).await;
    assert_eq!(scene.runner.starts.lock().unwrap().len(), 1);
    assert_eq!(scene.observe().await.running_count, 0);
}

#[tokio::test(start_paused = true)]
async fn the_wait_begins_when_a_task_fails_and_not_when_the_last_of_it_is_gone() {
    let ends = Fate::Ends {
        after: Duration::from_secs(2),
        code: 1,
    };
    let mut definition = definition(1);
    let sidecar = LocalContainer {
        name: "sidecar".into(),
        essential: false,
        ..(*definition.containers[0]).clone()
    };
    definition.containers.push(Arc::new(sidecar));
    let scene = play_with(definition, &[ends, Fate::Stubborn, Fate::Obeys]);
    sleep(Duration::from_secs(10)).await;
    let service = scene.observe().await;
    assert_eq!(
        service.tasks.last().unwrap().last_status,
        TaskStatus::Stopping,
        "the sidecar takes its 30 seconds"
    );
    assert_eq!(
        scene.pauses(),
        [0, 3, 0],
        "the task ends after two seconds, and the wait is one"
    );
}
