//! Where tasks run, and what happens when that is taken away.

use karma_fleet::CapacityProviderStrategyItem;

use super::deployments::hello;
use super::*;
use crate::operation::OperationError;
use karma_ops::TaskObservation;

fn item(capacity_provider: &str, base: u32, weight: u32) -> CapacityProviderStrategyItem {
    CapacityProviderStrategyItem {
        capacity_provider: capacity_provider.to_owned(),
        base,
        weight,
    }
}

/// One task on demand, and the others on Spot.
fn mostly_spot(desired_count: usize) -> LocalService {
    let mut service = hello(1, "well");
    service.desired_count = desired_count;
    service.capacity_provider_strategy = vec![item("FARGATE", 1, 0), item("FARGATE_SPOT", 0, 1)];
    service
}

impl Scene {
    /// Provider and zone of each task that runs, in order.
    async fn places(&self) -> Vec<String> {
        let tasks = self.observe().await.tasks;
        let running = tasks.iter().filter(|task| task.last_status == TaskStatus::Running);
        let mut places: Vec<_> = running
            .map(|task| {
                let text = |part: &Option<String>| part.clone().unwrap_or_default();
                format!("{} {}", text(&task.capacity_provider), text(&task.availability_zone))
            })
            .collect();
        places.sort();
        places
    }

    async fn zones(&self) -> String {
        let places = self.places().await;
        places.iter().filter_map(|place| place.chars().last()).collect()
    }

    async fn interrupt(&self, task: TaskId) -> Result<(), OperationError> {
        self.ask(|answer| Operation::Interrupt { task, answer }).await
    }

    async fn lose_zone(&self, zone: &str) -> Result<Vec<TaskId>, OperationError> {
        let zone = zone.to_owned();
        self.ask(|answer| Operation::LoseZone { zone, answer }).await
    }

    async fn restore_zone(&self, zone: &str) -> Result<(), OperationError> {
        let zone = zone.to_owned();
        self.ask(|answer| Operation::RestoreZone { zone, answer }).await
    }

    async fn task_on(&self, provider: &str) -> TaskObservation {
        let mut tasks = self.observe().await.tasks.into_iter();
        let wanted = |task: &TaskObservation| task.capacity_provider.as_deref() == Some(provider);
        tasks.find(wanted).unwrap()
    }

    async fn task(&self, id: &TaskId) -> TaskObservation {
        let mut tasks = self.observe().await.tasks.into_iter();
        tasks.find(|task| task.task_id == *id).unwrap()
    }
}

async fn after(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn tasks_are_placed_by_the_strategy_and_over_the_zones() {
    let scene = play_with(mostly_spot(4), &[Fate::Obeys]);
    after(5).await;
    let expected = ["FARGATE a", "FARGATE_SPOT a", "FARGATE_SPOT b", "FARGATE_SPOT c"];
    assert_eq!(scene.places().await, expected);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_task_is_told_and_replaced_at_once() {
    let mut service = mostly_spot(2);
    service.containers = definition(2).containers;
    let scene = play_with(service, &[Fate::Obeys, Fate::Stubborn, Fate::Obeys]);
    after(60).await;
    let on_demand = scene.task_on("FARGATE").await.task_id;
    let refused = scene.interrupt(on_demand).await;
    assert!(matches!(refused, Err(OperationError::NotOnSpot { .. })), "{refused:?}");

    let interrupted = scene.task_on("FARGATE_SPOT").await.task_id;
    scene.interrupt(interrupted.clone()).await.unwrap();
    after(1).await;
    let seen = scene.task(&interrupted).await;
    assert_eq!(seen.last_status, TaskStatus::Stopping, "it has been sent SIGTERM");
    assert_eq!(seen.stop_code, Some(StopCode::SpotInterruption));
    assert_eq!(seen.stopped_reason.as_deref(), Some("Your Spot Task was interrupted."));
    assert_eq!(scene.places().await, ["FARGATE a", "FARGATE_SPOT b"]);
    after(30).await;
    assert_eq!(
        scene.task(&interrupted).await.exit_code,
        Some(137),
        "stopTimeout is over"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_outlives_the_two_minutes() {
    let mut service = mostly_spot(2);
    let mut container = (*definition(2).containers[0]).clone();
    container.stop_timeout = Duration::from_hours(1);
    service.containers = vec![Arc::new(container)];
    let scene = play_with(service, &[Fate::Obeys, Fate::Stubborn, Fate::Obeys]);
    after(60).await;
    let interrupted = scene.task_on("FARGATE_SPOT").await.task_id;
    scene.interrupt(interrupted.clone()).await.unwrap();
    after(119).await;
    assert_eq!(scene.task(&interrupted).await.last_status, TaskStatus::Stopping);
    after(2).await;
    assert_eq!(scene.task(&interrupted).await.last_status, TaskStatus::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_lost_zone_takes_its_tasks_and_the_others_take_over() {
    let mut service = hello(1, "well");
    service.desired_count = 3;
    let scene = play_with(service, &[Fate::Obeys]);
    after(5).await;
    assert_eq!(scene.zones().await, "abc");
    let lost = scene.lose_zone("b").await.unwrap();
    assert_eq!(lost.len(), 1);
    after(5).await;
    assert_eq!(
        scene.task(&lost[0]).await.stop_code,
        Some(StopCode::InfrastructureHealth)
    );
    assert_eq!(scene.zones().await, "aac");
    scene.restore_zone("b").await.unwrap();
    after(60).await;
    assert_eq!(
        scene.zones().await,
        "aac",
        "tasks do not move unless the stack wants it"
    );
    let unknown = scene.lose_zone("x").await.unwrap_err();
    assert_eq!(unknown.hint().unwrap(), "there is: a, b, c");
}

#[tokio::test(start_paused = true)]
async fn tasks_move_back_where_the_stack_wants_it() {
    let mut service = hello(1, "well");
    service.desired_count = 4;
    service.availability_zone_rebalancing = true;
    let scene = play_with(service, &[Fate::Obeys]);
    after(5).await;
    for zone in ["b", "c"] {
        scene.lose_zone(zone).await.unwrap();
    }
    after(5).await;
    assert_eq!(scene.zones().await, "aaaa");
    for zone in ["b", "c"] {
        scene.restore_zone(zone).await.unwrap();
    }
    after(60).await;
    assert_eq!(scene.zones().await, "aabc");
    let service = scene.observe().await;
    assert_eq!(service.deployments.len(), 1);
    let messages = Scene::messages(&service);
    let expected = [
        "service (test-hello) is not AZ balanced with 2 tasks in a, 2 in b, and 0 in c. AZ Rebalancing in progress.",
        "service (test-hello) has started 1 tasks in c to AZ Rebalance: (task).",
        "service (test-hello) has stopped 1 running tasks in b due to AZ rebalancing: (task).",
    ];
    for line in expected {
        assert!(messages.iter().any(|message| message == line), "{line}: {messages:#?}");
    }
    assert!(
        messages
            .iter()
            .any(|message| message.ends_with("is AZ balanced with 2 tasks in a, 1 in b, and 1 in c."))
    );
}

#[tokio::test(start_paused = true)]
async fn without_any_zone_nothing_runs_until_one_is_back() {
    let scene = play_with(hello(1, "well"), &[Fate::Obeys]);
    after(5).await;
    for zone in ["a", "b", "c"] {
        scene.lose_zone(zone).await.unwrap();
    }
    after(5).await;
    let service = scene.observe().await;
    assert_eq!((service.running_count, service.health), (0, ServiceHealth::Failing));
    let messages = Scene::messages(&service);
    assert!(
        messages.last().unwrap().contains("Capacity is unavailable"),
        "{messages:?}"
    );
    scene.restore_zone("c").await.unwrap();
    after(5).await;
    assert_eq!(scene.zones().await, "cc");
}
