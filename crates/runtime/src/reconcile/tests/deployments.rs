//! Deployments from their beginning to their end.

use karma_fleet::{CircuitBreaker, DeploymentAlarms};
use karma_ops::{DeploymentStatus, RolloutState};

use super::*;
use crate::operation::{Answer, Deployed, OperationError, ServiceChange};

/// A revision of the service that is well, `missing` or `sick`.
pub(super) fn hello(revision: u32, nature: &str) -> LocalService {
    let mut hello = definition(2);
    hello.revision = revision;
    let mut container = (*hello.containers[0]).clone();
    container.args = vec![nature.to_owned()];
    container.health_check = Some(LocalHealthCheck {
        program: "check".to_owned(),
        args: vec![],
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(2),
        retries: 2,
        start_period: Duration::ZERO,
    });
    hello.containers = vec![Arc::new(container)];
    hello.deployment.circuit_breaker = Some(CircuitBreaker { rollback: true });
    hello
}

impl Scene {
    pub(super) async fn apply(&self, services: Vec<LocalService>) -> Vec<ServiceChange> {
        let (answer, applied) = oneshot::channel();
        let revisions = services.into_iter().map(revision).collect();
        self.commands.send(Command::Apply(revisions, answer)).unwrap();
        let applied = applied.await.unwrap().applied;
        applied.into_iter().map(|one| one.change).collect()
    }

    pub(super) async fn ask<T>(&self, operation: impl FnOnce(Answer<T>) -> Operation) -> Result<T, OperationError> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(Command::Operate(operation(answer))).unwrap();
        answered.await.unwrap()
    }

    async fn scale(&self, count: usize) -> Result<(), OperationError> {
        let service = "hello".to_owned();
        self.ask(|answer| Operation::Scale { service, count, answer }).await
    }

    async fn roll_back(&self, revision: Option<u32>) -> Result<Deployed, OperationError> {
        let service = "test-hello".to_owned();
        let operation = |answer| Operation::RollBack {
            service,
            revision,
            answer,
        };
        self.ask(operation).await
    }

    /// `PRIMARY IN_PROGRESS hello:2` of each deployment.
    async fn deployments(&self) -> Vec<String> {
        let line = |one: &karma_ops::DeploymentObservation| {
            format!("{} {} {}", one.status, one.rollout_state, one.task_definition)
        };
        self.observe().await.deployments.iter().map(line).collect()
    }

    /// The revisions of the tasks that run, oldest first.
    async fn running(&self) -> Vec<String> {
        let tasks = self.observe().await.tasks;
        let running = tasks
            .iter()
            .rev()
            .filter(|task| task.last_status == TaskStatus::Running);
        running.map(|task| task.task_definition.clone()).collect()
    }
}

async fn after(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_definition_rolls_over_and_says_so() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    assert_eq!(scene.deployments().await, ["PRIMARY COMPLETED hello:1"]);
    let changes = scene.apply(vec![hello(2, "well")]).await;
    assert!(matches!(&changes[..], [ServiceChange::Deploying { task_definition, .. }] if task_definition == "hello:2"));
    after(5).await;
    assert_eq!(scene.running().await, ["hello:2", "hello:2"]);
    let states = ["PRIMARY COMPLETED hello:2", "INACTIVE COMPLETED hello:1"];
    assert_eq!(scene.deployments().await, states);
    let service = scene.observe().await;
    assert_eq!(service.task_definition, "hello:2");
    let expected = [
        "service (test-hello) has started 2 tasks: (task) (task).",
        "service (test-hello) has stopped 2 running tasks: (task) (task).",
        "service (test-hello) (deployment) deployment completed.",
        "service (test-hello) has reached a steady state.",
    ];
    assert_eq!(Scene::messages(&service)[3..], expected);
    let stopped = service
        .tasks
        .iter()
        .find(|task| task.last_status == TaskStatus::Stopped)
        .unwrap();
    let reason = format!(
        "Scaling activity initiated by (deployment {})",
        service.deployments[0].id
    );
    assert_eq!(stopped.stopped_reason.as_deref(), Some(reason.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_nobody_watches_has_forty_seconds_to_prove_itself() {
    let mut unwatched = definition(1);
    let scene = play_with(unwatched.clone(), &[Fate::Obeys]);
    after(60).await;
    unwatched.revision = 2;
    scene.apply(vec![unwatched]).await;
    after(39).await;
    assert_eq!(scene.running().await, ["hello:1", "hello:2"]);
    after(2).await;
    assert_eq!(scene.running().await, ["hello:2"]);
}

#[tokio::test(start_paused = true)]
async fn only_what_matters_to_tasks_needs_a_deployment() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    assert_eq!(scene.apply(vec![hello(1, "well")]).await, [ServiceChange::Unchanged]);
    let mut scaled = hello(1, "well");
    scaled.desired_count = 3;
    scaled.deployment.maximum_percent = 150;
    assert_eq!(scene.apply(vec![scaled.clone()]).await, [ServiceChange::Updated]);
    after(5).await;
    assert_eq!(scene.running().await.len(), 3);
    assert_eq!(scene.deployments().await.len(), 1);

    let mut moved = scaled.clone();
    moved.network.subnets = vec!["subnet-other".to_owned()];
    let changes = scene.apply(vec![moved.clone()]).await;
    assert!(matches!(changes[..], [ServiceChange::Deploying { .. }]), "{changes:?}");
    let mut forced = moved;
    forced.force_new_deployment = true;
    let changes = scene.apply(vec![forced.clone()]).await;
    assert!(matches!(changes[..], [ServiceChange::Deploying { .. }]), "{changes:?}");
    assert_eq!(scene.apply(vec![forced]).await, [ServiceChange::Unchanged]);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_was_scaled_survives_the_same_definition() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    scene.scale(4).await.unwrap();
    scene.apply(vec![hello(2, "well")]).await;
    after(10).await;
    assert_eq!(scene.running().await, ["hello:2"; 4]);
    assert_eq!(
        scene.scale(5001).await,
        Err(OperationError::TooManyTasks { count: 5001 })
    );
    scene.scale(0).await.unwrap();
    after(5).await;
    let service = scene.observe().await;
    assert_eq!((service.running_count, service.health), (0, ServiceHealth::Healthy));
}

#[tokio::test(start_paused = true)]
async fn a_definition_whose_tasks_do_not_start_is_rolled_back() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    scene.apply(vec![hello(2, "missing")]).await;
    after(60).await;
    let states = ["PRIMARY COMPLETED hello:1", "INACTIVE FAILED hello:2"];
    assert_eq!(scene.deployments().await, states);
    assert_eq!(scene.running().await, ["hello:1", "hello:1"]);
    let service = scene.observe().await;
    assert_eq!(service.task_definition, "hello:1");
    assert_eq!(service.deployments[1].failed_tasks, 4, "two came at a time");
    let messages = Scene::messages(&service);
    for expected in [
        "service (test-hello) (deployment) deployment failed: tasks failed to start.",
        "service (test-hello) rolling back to (deployment).",
    ] {
        assert!(messages.iter().any(|message| message == expected), "{messages:?}");
    }
    assert_eq!(service.health, ServiceHealth::Healthy);
    let changes = scene.apply(vec![hello(2, "missing")]).await;
    assert!(
        matches!(changes[..], [ServiceChange::Deploying { .. }]),
        "it is wanted again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_definition_whose_tasks_are_unhealthy_is_rolled_back_and_nothing_is_lost() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    scene.apply(vec![hello(2, "sick")]).await;
    for _ in 0..60 {
        after(5).await;
        let running = scene.running().await;
        assert!(
            running.iter().filter(|one| **one == "hello:1").count() == 2,
            "{running:?}"
        );
    }
    let states = ["PRIMARY COMPLETED hello:1", "INACTIVE FAILED hello:2"];
    assert_eq!(scene.deployments().await, states);
}

#[tokio::test(start_paused = true)]
async fn a_first_deployment_that_fails_stalls() {
    let scene = play_with(hello(1, "missing"), &[Fate::Obeys]);
    after(60).await;
    assert_eq!(scene.deployments().await, ["PRIMARY FAILED hello:1"]);
    let starts = scene.runner.starts.lock().unwrap().len();
    after(600).await;
    assert_eq!(scene.runner.starts.lock().unwrap().len(), starts);
    let service = scene.observe().await;
    assert_eq!(service.health, ServiceHealth::Failing);
    let reason = &service.deployments[0].rollout_state_reason;
    assert_eq!(reason, "ECS deployment circuit breaker: tasks failed to start.");
    scene.apply(vec![hello(2, "well")]).await;
    after(5).await;
    assert_eq!(scene.observe().await.health, ServiceHealth::Healthy, "without a wait");
}

#[tokio::test(start_paused = true)]
async fn a_deployment_without_room_is_in_progress_and_the_fleet_is_failing() {
    let mut tight = hello(1, "well");
    tight.deployment.maximum_percent = 100;
    let scene = play_with(tight.clone(), &[Fate::Obeys]);
    after(60).await;
    tight.revision = 2;
    scene.apply(vec![tight.clone()]).await;
    after(60).await;
    assert_eq!(scene.running().await, ["hello:1", "hello:1"]);
    let service = scene.observe().await;
    assert_eq!(service.health, ServiceHealth::Failing);
    assert_eq!(service.deployments[0].rollout_state, RolloutState::InProgress);
    let messages = Scene::messages(&service);
    let told = messages
        .iter()
        .filter(|message| message.contains("unable to stop or start"));
    assert_eq!(told.count(), 1, "{messages:?}");
    tight.deployment.minimum_healthy_percent = 50;
    assert_eq!(scene.apply(vec![tight]).await, [ServiceChange::Updated]);
    after(60).await;
    assert_eq!(scene.running().await, ["hello:2", "hello:2"]);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_ends_a_deployment() {
    let with_alarm = |revision| {
        let mut hello = hello(revision, "well");
        hello.deployment.minimum_healthy_percent = 100;
        hello.deployment_alarms = Some(DeploymentAlarms {
            alarm_names: vec!["errors".to_owned()],
            rollback: true,
        });
        let mut container = (*hello.containers[0]).clone();
        container.health_check = None;
        hello.containers = vec![Arc::new(container)];
        hello
    };
    let alarm = |state| Command::NoteAlarm {
        name: "errors".to_owned(),
        state,
    };
    let scene = play_with(with_alarm(1), &[Fate::Obeys]);
    after(60).await;
    scene.apply(vec![with_alarm(2)]).await;
    after(10).await;
    scene.commands.send(alarm(AlarmState::Alarm)).unwrap();
    after(60).await;
    let states = ["PRIMARY COMPLETED hello:1", "INACTIVE FAILED hello:2"];
    assert_eq!(scene.deployments().await, states);
    scene.apply(vec![with_alarm(3)]).await;
    after(60).await;
    assert_eq!(
        scene.deployments().await[0],
        "PRIMARY COMPLETED hello:3",
        "it was in alarm before"
    );
}

#[tokio::test(start_paused = true)]
async fn restart_replaces_all_tasks_by_the_same_definition() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    let before: Vec<_> = scene
        .observe()
        .await
        .tasks
        .into_iter()
        .map(|task| task.task_id)
        .collect();
    let service = "hello".to_owned();
    let deployed = scene
        .ask(|answer| Operation::Restart { service, answer })
        .await
        .unwrap();
    assert_eq!(deployed.task_definition, "hello:1");
    after(5).await;
    let service = scene.observe().await;
    assert_eq!(service.deployments[0].id, deployed.deployment);
    let running = service
        .tasks
        .iter()
        .filter(|task| task.last_status == TaskStatus::Running);
    assert!(running.map(|task| &task.task_id).all(|task| !before.contains(task)));
}

#[tokio::test(start_paused = true)]
async fn rollback_leads_to_the_last_completed_revision_or_to_the_one_that_is_named() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    let nothing = scene.roll_back(None).await;
    assert!(
        matches!(nothing, Err(OperationError::NothingToRollBackTo { .. })),
        "{nothing:?}"
    );
    for revision in [2, 3] {
        scene.apply(vec![hello(revision, "well")]).await;
        after(10).await;
    }
    assert_eq!(scene.roll_back(None).await.unwrap().task_definition, "hello:2");
    after(10).await;
    assert_eq!(scene.roll_back(Some(1)).await.unwrap().task_definition, "hello:1");
    after(10).await;
    assert_eq!(scene.running().await, ["hello:1", "hello:1"]);
    let unknown = scene.roll_back(Some(9)).await.unwrap_err();
    assert_eq!(unknown.hint().unwrap(), "there is: hello:1, hello:2, hello:3");
}

#[tokio::test(start_paused = true)]
async fn services_come_and_go_with_the_definition() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    let other = |revision| {
        let mut other = hello(revision, "well");
        (other.name, other.label) = ("test-other".to_owned(), "other".into());
        other
    };
    let changes = scene.apply(vec![other(1)]).await;
    let task_definition = "hello:1".to_owned();
    assert_eq!(
        changes,
        [ServiceChange::Started { task_definition }, ServiceChange::Removed]
    );
    after(5).await;
    assert_eq!(
        scene.observe().await.service,
        "test-other",
        "the other is gone with its tasks"
    );
    let unknown = scene.scale(1).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no service hello");
    assert_eq!(unknown.hint().unwrap(), "there is: other");
    scene.apply(vec![other(1), hello(1, "well")]).await;
    assert_eq!(
        scene.apply(vec![hello(1, "well")]).await,
        [ServiceChange::Unchanged, ServiceChange::Removed]
    );
    scene.apply(vec![hello(1, "well"), other(1)]).await;
    after(10).await;
    assert_eq!(
        scene.observe().await.running_count,
        2,
        "it came back before it was gone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_a_person_stops_is_replaced_at_once() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    let task = scene.observe().await.tasks[0].task_id.clone();
    let (stopped, reason) = (task.clone(), "to see what happens".to_owned());
    let operation = |answer| Operation::StopTask { task, reason, answer };
    scene.ask(operation).await.unwrap();
    after(1).await;
    let service = scene.observe().await;
    assert_eq!(service.running_count, 2);
    let seen = service.tasks.iter().find(|seen| seen.task_id == stopped).unwrap();
    assert_eq!(seen.stop_code, Some(StopCode::UserInitiated));
    assert_eq!(seen.stopped_reason.as_deref(), Some("to see what happens"));
    let (task, reason) = (stopped, String::new());
    let again = scene.ask(|answer| Operation::StopTask { task, reason, answer }).await;
    assert!(matches!(again, Err(OperationError::UnknownTask { .. })), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_deployments_are_remembered() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    for revision in 2..30 {
        scene.apply(vec![hello(revision, "well")]).await;
        after(60).await;
    }
    let service = scene.observe().await;
    assert_eq!(service.deployments.len(), 10);
    let active = service
        .deployments
        .iter()
        .filter(|one| one.status != DeploymentStatus::Inactive);
    assert_eq!(active.count(), 1);
}
