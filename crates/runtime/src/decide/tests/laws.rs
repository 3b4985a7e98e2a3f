//! Laws of the scheduler that hold whatever the tasks do.

use std::collections::BTreeSet;

use karma_fleet::CircuitBreaker;
use karma_ops::DeploymentStatus;
use proptest::prelude::*;

use super::*;
use crate::deployment::circuit_breaker::threshold;
use crate::deployment::rollout;
use crate::task::DesiredStatus;

/// What becomes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It comes to run and is healthy.
    Serves,
    /// It ends before it runs.
    NeverRuns,
    /// It runs and fails its health checks.
    Unhealthy,
    /// It is healthy for a while and ends.
    Ends,
}

/// A service and a runner in a time of its own: each round is a minute.
struct World {
    service: ServiceView,
    tasks: Vec<(Task, Fate)>,
    /// The fates of the tasks to come, in turn.
    fates: Vec<Fate>,
    started: usize,
    now: Duration,
}

impl World {
    fn new(service: ServiceView, tasks: Vec<Task>, fates: Vec<Fate>) -> Self {
        Self {
            service,
            tasks: tasks.into_iter().map(|task| (task, Fate::Serves)).collect(),
            fates,
            started: 0,
            now: Duration::from_secs(100),
        }
    }

    fn seen(&self) -> Vec<Task> {
        self.tasks.iter().map(|(task, _)| task.clone()).collect()
    }

    fn live(&self) -> usize {
        self.tasks.iter().filter(|(task, _)| task.is_live()).count()
    }

    fn healthy(&self) -> usize {
        let is_healthy = |(task, _): &&(Task, Fate)| self.service.is_proven(task, self.now);
        self.tasks.iter().filter(is_healthy).count()
    }

    /// Lets the scheduler decide once, and does what it says.
    fn decide(&mut self) -> usize {
        let seen = self.seen();
        rollout::advance(&mut self.service, &seen, self.now);
        let actions = decide(&self.service, &seen, self.now);
        let count = actions.len();
        for action in actions {
            match action {
                Action::Start { purpose, placement } => {
                    let mut task = new_task();
                    task.deployment = self.service.primary().id.clone();
                    (task.purpose, task.placement, task.created_at) = (purpose, placement, self.now);
                    let fate = self.fates[self.started % self.fates.len()];
                    self.started += 1;
                    self.tasks.push((task, fate));
                }
                Action::Stop { task, cause, .. } => self.stop(&task, cause),
            }
        }
        count
    }

    fn stop(&mut self, task: &TaskId, cause: Cause) {
        let position = self.tasks.iter().position(|(known, _)| known.id == *task).unwrap();
        let (task, _) = self.tasks.remove(position);
        if cause == Cause::Unhealthy {
            self.service.note_failed_health_check(&task.deployment);
        }
    }

    /// A minute passes, and every task goes the way of its fate.
    fn live_on(&mut self) {
        self.now += Duration::from_mins(1);
        let mut gone = BTreeSet::new();
        for (task, fate) in self.tasks.iter_mut().filter(|(task, _)| task.is_live()) {
            let runs = task.last_status == TaskStatus::Running;
            match fate {
                Fate::NeverRuns => {
                    self.service.note_failed_start(&task.deployment);
                    gone.insert(task.id.clone());
                }
                Fate::Ends if task.health_status == HealthStatus::Healthy => {
                    gone.insert(task.id.clone());
                }
                Fate::Unhealthy if runs => task.health_status = HealthStatus::Unhealthy,
                _ if runs => task.health_status = HealthStatus::Healthy,
                _ => {
                    task.last_status = TaskStatus::Running;
                    task.started_at = Some(self.now);
                    self.service.note_running(&task.deployment);
                }
            }
        }
        self.tasks
            .retain(|(task, _)| task.is_live() && !gone.contains(&task.id));
    }
}

fn any_service() -> impl Strategy<Value = ServiceView> {
    let minimum = proptest::sample::select(vec![0_u32, 50, 75, 100]);
    let maximum = proptest::sample::select(vec![100_u32, 125, 150, 200]);
    (0_usize..8, minimum, maximum, 0_u64..60).prop_map(|(desired, least, most, grace)| {
        let mut service = with_minimum(desired, least, most);
        service.health_check_grace_period = Duration::from_secs(grace);
        service
    })
}

fn any_task(service: ServiceView) -> impl Strategy<Value = Task> {
    let status = proptest::sample::select(TaskStatus::ALL.to_vec());
    let health = proptest::sample::select(vec![
        HealthStatus::Unknown,
        HealthStatus::Healthy,
        HealthStatus::Unhealthy,
    ]);
    (0..2_usize, status, health, any::<bool>(), 0_u64..100).prop_map(move |(deployment, status, health, stops, age)| {
        let mut task = task(&service.deployments[deployment], status, health);
        task.created_at = Duration::from_secs(age);
        task.started_at = task.started_at.map(|_| task.created_at);
        if stops {
            task.desired_status = DesiredStatus::Stopped;
        }
        task
    })
}

/// A service with up to so many tasks in any state.
fn any_scene() -> impl Strategy<Value = (ServiceView, Vec<Task>)> {
    any_service().prop_flat_map(|service| {
        let tasks = prop::collection::vec(any_task(service.clone()), 0..16);
        (Just(service), tasks)
    })
}

fn any_fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = proptest::sample::select(vec![Fate::Serves, Fate::NeverRuns, Fate::Unhealthy, Fate::Ends]);
    prop::collection::vec(fate, 1..12)
}

/// As many healthy tasks of the earlier deployment as are wanted.
fn at_rest_with_the_earlier(service: &ServiceView) -> Vec<Task> {
    tasks(service, &"H".repeat(service.desired_count))
}

proptest! {
    #[test]
    fn one_step_keeps_to_the_maximum_and_to_the_minimum((service, tasks) in any_scene()) {
        let mut world = World::new(service, tasks, vec![Fate::Serves]);
        let (live, healthy) = (world.live(), world.healthy());
        world.decide();
        prop_assert!(world.live() <= live.max(world.service.most()));
        prop_assert!(world.healthy() >= healthy.min(world.service.least()));
    }

    #[test]
    fn only_live_tasks_are_stopped_and_each_once((service, tasks) in any_scene()) {
        let mut stopped = BTreeSet::new();
        for action in decide(&service, &tasks, Duration::from_secs(100)) {
            if let Action::Stop { task, .. } = action {
                prop_assert!(tasks.iter().any(|known| known.id == task && known.is_live()));
                prop_assert!(stopped.insert(task));
            }
        }
    }

    #[test]
    fn an_obedient_runner_comes_to_rest_unless_there_is_no_room((service, tasks) in any_scene()) {
        let mut world = World::new(service, tasks, vec![Fate::Serves]);
        for _ in 0..60 {
            world.decide();
            world.live_on();
        }
        let seen = world.seen();
        let at_rest = world.service.is_steady(&seen, world.now);
        prop_assert!(at_rest || world.service.is_deadlocked(&seen, world.now), "{:?}", seen);
        prop_assert_eq!(world.decide(), 0);
    }

    #[test]
    fn whatever_the_tasks_do_the_bounds_hold_and_one_deployment_is_primary(
        service in any_service(),
        fates in any_fates(),
        rollback in any::<bool>(),
    ) {
        let mut service = service;
        service.configuration.circuit_breaker = Some(CircuitBreaker { rollback });
        let tasks = at_rest_with_the_earlier(&service);
        let mut world = World::new(service, tasks, fates);
        for _ in 0..60 {
            let (live, healthy) = (world.live(), world.healthy());
            world.decide();
            prop_assert!(world.live() <= live.max(world.service.most()));
            prop_assert!(world.healthy() >= healthy.min(world.service.least()));
            let primaries = world.service.deployments.iter().filter(|one| one.status == DeploymentStatus::Primary);
            prop_assert_eq!(primaries.count(), 1);
            prop_assert_eq!(world.service.primary().status, DeploymentStatus::Primary);
            world.live_on();
        }
    }

    #[test]
    fn the_circuit_breaker_trips_at_the_threshold_and_not_before(
        desired in 1_usize..20,
        fate in proptest::sample::select(vec![Fate::NeverRuns, Fate::Unhealthy]),
    ) {
        let mut service = service(desired, 200);
        service.configuration.circuit_breaker = Some(CircuitBreaker { rollback: false });
        let tasks = at_rest_with_the_earlier(&service);
        let mut world = World::new(service, tasks, vec![fate]);
        let mut rounds = 0;
        while world.service.primary().rollout_state == RolloutState::InProgress {
            let before = world.service.primary().failures.in_a_row();
            world.decide();
            let has_failed = world.service.primary().rollout_state == RolloutState::Failed;
            prop_assert_eq!(has_failed, before >= threshold(desired));
            world.live_on();
            rounds += 1;
            prop_assert!(rounds < 200);
        }
        let started = world.started;
        for _ in 0..20 {
            world.decide();
            world.live_on();
        }
        prop_assert_eq!(world.started, started, "a failed deployment starts nothing");
        prop_assert_eq!(world.healthy(), desired, "the earlier one goes on");
    }

    #[test]
    fn a_failed_deployment_is_rolled_back_to_where_it_came_from(
        desired in 1_usize..10,
        fate in proptest::sample::select(vec![Fate::NeverRuns, Fate::Unhealthy]),
    ) {
        let mut service = service(desired, 200);
        service.configuration.circuit_breaker = Some(CircuitBreaker { rollback: true });
        let earlier = service.deployments[1].id.clone();
        let tasks = at_rest_with_the_earlier(&service);
        let mut world = World::new(service, tasks, vec![fate]);
        for _ in 0..200 {
            world.decide();
            prop_assert!(world.healthy() >= desired);
            world.live_on();
        }
        prop_assert_eq!(&world.service.primary().id, &earlier);
        prop_assert_eq!(world.service.primary().rollout_state, RolloutState::Completed);
        prop_assert_eq!(world.service.deployments[1].status, DeploymentStatus::Inactive);
        prop_assert!(world.service.is_steady(&world.seen(), world.now));
    }

    #[test]
    fn a_steady_service_is_left_alone(service in any_service(), now in 0_u64..1000) {
        let now = Duration::from_secs(now);
        let tasks = tasks(&service, &"h".repeat(service.desired_count));
        prop_assert!(service.is_steady(&tasks, now));
        prop_assert_eq!(decide(&service, &tasks, now), vec![]);
    }

    #[test]
    fn until_the_wake_up_nothing_changes((service, tasks) in any_scene(), now in 0_u64..200) {
        let now = Duration::from_secs(now);
        let until = wake_at(&service, &tasks, now).unwrap_or(now + Duration::from_secs(1000));
        let later = until.saturating_sub(Duration::from_millis(1));
        prop_assert_eq!(decide(&service, &tasks, now), decide(&service, &tasks, later.max(now)));
    }
}
