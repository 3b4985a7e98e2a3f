//! Fleets of real processes: how they start, fail, and end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "other tests use more of it")]
mod support;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use karma_fleet::{
    AppProtocol, ContainerDependency, DependencyCondition, EnvironmentValue, PortMapping, SecretReference,
};
use karma_runtime::{
    Control, DiscoveryMechanism, FleetHealth, HealthStatus, LocalOrchestrator, LocalSecrets, Run, ServiceHealth,
    StartError, StopCode, TaskStatus, Urgency, log_files,
};
use support::fleet::{PORT, TestService, container, health_check, server, service, shell};
use support::{PATIENCE, get, new_fleet, options, processes_of, stand_in, start, start_steady, stopped};

fn behind_load_balancer(name: &str, desired_count: u32) -> TestService {
    TestService {
        desired_count,
        behind_load_balancer: true,
        ..service(name, server())
    }
}

#[tokio::test]
async fn a_service_is_reached_through_the_load_balancer() {
    let begun = Instant::now();
    let running = start_steady(new_fleet().with(&behind_load_balancer("hello", 2))).await;
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "two tasks took {:?}",
        begun.elapsed()
    );
    let url = running.url("hello").await;
    let mut hosts = BTreeSet::new();
    for _ in 0..4 {
        hosts.insert(get(&format!("{url}/host")).await);
    }
    assert_eq!(hosts.len(), 2, "each task has an address of its own: {hosts:?}");
    assert!(
        hosts
            .iter()
            .all(|(status, host)| *status == 200 && host.starts_with("127.")),
        "{hosts:?}"
    );
    let root = url.strip_suffix("/hello").unwrap();
    assert_eq!(get(&format!("{root}/other")).await.0, 404);

    let observation = running.local.observe().await;
    let service = &observation.services[0];
    assert_eq!(
        (service.running_count, service.pending_count, service.desired_count),
        (2, 0, 2)
    );
    assert!(
        service
            .events
            .back()
            .unwrap()
            .message
            .ends_with("has reached a steady state.")
    );
    let directory = running.stop().await;
    assert_eq!(
        processes_of(&directory.path().join(".karma").canonicalize().unwrap()),
        Vec::<String>::new()
    );
    assert!(!directory.path().join(".karma/run").exists());
}

#[tokio::test]
async fn a_task_sees_its_own_environment_and_no_other() {
    let mut container = server();
    container.secrets = vec![SecretReference {
        name: "TOKEN".to_owned(),
        secret: None,
        secret_name: "vault".to_owned(),
        json_key: Some("token".to_owned()),
    }];
    container
        .environment
        .insert("GREETING".to_owned(), EnvironmentValue::Known("hi".to_owned()));
    let hello = TestService {
        behind_load_balancer: true,
        ..service("hello", container)
    };
    let running = start_steady(new_fleet().with(&hello)).await;
    let url = running.url("hello").await;
    let variable = async |name: &str| get(&format!("{url}/env?{name}")).await.1;
    assert_eq!(variable("GREETING").await, "hi");
    assert_eq!(variable("TOKEN").await, "hush");
    assert_eq!(variable("AWS_REGION").await, "us-east-1");
    assert_eq!(
        variable("CARGO").await,
        "(not set)",
        "cargo sets it for tests; tasks do not inherit it"
    );
    let directory = get(&format!("{url}/cwd")).await.1;
    assert!(directory.contains(".karma/run/"), "{directory}");
    running.stop().await;
    assert!(
        !std::path::Path::new(&directory).exists(),
        "the disk goes with the task"
    );
}

#[tokio::test]
async fn a_service_is_found_by_its_name_and_members_change_behind_it() {
    let hello = TestService {
        alias_port: Some(80 + PORT),
        desired_count: 2,
        ..service("hello", server())
    };
    let running = start_steady(new_fleet().with(&hello).with(&behind_load_balancer("caller", 1))).await;
    let url = running.url("caller").await;
    let ask = async |path: &str| get(&format!("{url}/fetch?hello:{}/{path}", 80 + PORT)).await.1;
    let mut hosts = BTreeSet::new();
    for _ in 0..4 {
        hosts.insert(ask("host").await);
    }
    assert_eq!(hosts.len(), 2, "{hosts:?}");
    assert_eq!(running.local.observe().await.aliases[0].dns_name, "hello");

    ask("exit?3").await;
    let observation = running.observe_until(|seen| stopped(seen, "hello").len() == 1).await;
    assert_eq!(stopped(&observation, "hello")[0].exit_code, Some(3));
    assert!(ask("host").await.starts_with("127."), "the other task answers");
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn a_program_that_makes_itself_a_daemon_ends_with_its_task() {
    let daemon = service("daemon", shell("setsid sleep 600 & echo ready; sleep 600"));
    let running = start_steady(new_fleet().with(&daemon)).await;
    running.observe_until(|seen| has_printed(seen, "ready", 1)).await;
    let directory = running.stop().await;
    assert_eq!(
        processes_of(&directory.path().join(".karma").canonicalize().unwrap()),
        Vec::<String>::new()
    );
}

/// A launcher that stands for a kernel which refuses some namespaces.
fn refusing_launcher(directory: &Path, refused: &str) -> PathBuf {
    let path = directory.join("launcher");
    let script = format!(
        "#!/bin/sh\ncase $3 in {refused}) exit 1;; esac\nexec {} \"$@\"\n",
        stand_in().display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn names_are_found_however_little_the_kernel_allows() {
    let check = async |refused: &str, expected: DiscoveryMechanism| {
        let hello = TestService {
            alias_port: Some(80 + PORT),
            ..service("hello", server())
        };
        let fleet = new_fleet().with(&hello).with(&behind_load_balancer("caller", 1));
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path());
        options.launcher = refusing_launcher(directory.path(), refused);
        let secrets = LocalSecrets::default();
        let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options)
            .await
            .unwrap();
        assert_eq!(local.wait_until_steady(PATIENCE).await, FleetHealth::Steady);
        let observation = local.observe().await;
        assert_eq!(observation.discovery, expected);
        let url = observation.services[0].url.clone().unwrap();
        let host = get(&format!("{url}/fetch?hello:{}/host", 80 + PORT)).await.1;
        assert!(host.starts_with("127."), "{host}");
        local.stop(Urgency::AtOnce).await;
    };
    check("mount", DiscoveryMechanism::HostsFile).await;
    check("mount|user", DiscoveryMechanism::HttpProxy).await;
}

#[tokio::test]
async fn a_task_that_ends_at_once_is_started_again_and_the_others_go_on() {
    let crash = service("crash", shell("echo going down; echo really >&2; exit 7"));
    let running = start(new_fleet().with(&crash).with(&behind_load_balancer("hello", 1))).await;
    let observation = running.observe_until(|seen| stopped(seen, "crash").len() >= 2).await;
    let task = stopped(&observation, "crash")[0];
    assert_eq!(
        task.stopped_reason.as_deref(),
        Some("Essential container in task exited")
    );
    assert_eq!(
        (task.stop_code, task.exit_code),
        (Some(StopCode::EssentialContainerExited), Some(7))
    );
    assert_eq!(
        task.last_lines.iter().collect::<BTreeSet<_>>().len(),
        2,
        "{:?}",
        task.last_lines
    );
    let health = running.local.wait_until_steady(PATIENCE).await;
    assert_eq!(health, FleetHealth::Failing);
    assert_eq!(get(&format!("{}/health", running.url("hello").await)).await.0, 200);
    let directory = running.stop().await;
    let files = log_files(&directory.path().join(".karma"), Run::Latest).unwrap();
    assert!(files.iter().any(|file| file.service == "crash"));
}

#[tokio::test]
async fn a_program_that_cannot_be_executed_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("program");
    std::fs::write(&program, "not a program").unwrap();
    let fleet = new_fleet()
        .program("broken", &program, &[])
        .with(&service("broken", container("main", "broken")));
    let running = start(fleet).await;
    let observation = running.observe_until(|seen| !stopped(seen, "broken").is_empty()).await;
    let task = stopped(&observation, "broken")[0];
    assert_eq!(task.stop_code, Some(StopCode::TaskFailedToStart));
    assert!(
        task.stopped_reason
            .as_ref()
            .unwrap()
            .starts_with("CannotStartContainerError"),
        "{task:?}"
    );
    assert!(task.last_lines[0].contains("Permission denied"), "{task:?}");
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn a_program_that_does_not_heed_its_address_is_named_when_it_is_in_the_way() {
    let port = std::net::TcpListener::bind("0.0.0.0:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut container = server();
    container.command = Some(vec!["serve-everywhere".to_owned()]);
    container
        .environment
        .insert("PORT".to_owned(), EnvironmentValue::Known(port.to_string()));
    container.port_mappings = vec![PortMapping {
        name: None,
        container_port: port,
        app_protocol: AppProtocol::Http,
    }];
    let rude = TestService {
        desired_count: 2,
        ..service("rude", container)
    };
    let running = start(new_fleet().with(&rude)).await;
    let in_the_way = |reason: &Option<String>| {
        reason
            .as_ref()
            .is_some_and(|reason| reason.contains(&format!("port {port} is taken on all addresses")))
    };
    let observation = running
        .observe_until(|seen| {
            stopped(seen, "rude")
                .iter()
                .any(|task| in_the_way(&task.stopped_reason))
        })
        .await;
    let named = stopped(&observation, "rude")
        .into_iter()
        .find(|task| in_the_way(&task.stopped_reason))
        .unwrap();
    assert!(
        named.stopped_reason.as_ref().unwrap().contains("by stand_in (pid "),
        "{named:?}"
    );
    assert!(
        observation.notes.iter().any(|note| note.contains("instead of on HOST")),
        "{:?}",
        observation.notes
    );
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn sigterm_comes_first_and_sigkill_after_the_stop_timeout() {
    let polite = service(
        "polite",
        shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done"),
    );
    let stubborn = service(
        "stubborn",
        shell("trap '' TERM; echo ready; while :; do sleep 0.01; done"),
    );
    let running = start_steady(new_fleet().with(&polite).with(&stubborn)).await;
    let mut events = running.local.events();
    running.observe_until(|seen| has_printed(seen, "ready", 2)).await;
    let begun = Instant::now();
    let directory = running.stop().await;
    assert!(begun.elapsed() >= Duration::from_secs(2), "stubborn has two seconds");
    let mut lines = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let karma_runtime::Progress::Log { record, .. } = event {
            lines.push(record.message);
        }
    }
    assert!(lines.contains(&"bye".to_owned()), "{lines:?}");
    assert_eq!(
        processes_of(&directory.path().join(".karma").canonicalize().unwrap()),
        Vec::<String>::new()
    );
}

/// Whether the logs of so many tasks have a line.
fn has_printed(seen: &karma_runtime::Observation, line: &str, count: usize) -> bool {
    let tasks = seen.services.iter().flat_map(|service| &service.tasks);
    let logs = tasks.filter_map(|task| std::fs::read_to_string(task.log_path.as_ref()?).ok());
    logs.filter(|log| log.contains(line)).count() == count
}

#[tokio::test]
async fn a_second_request_to_stop_does_not_wait() {
    let mut container = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    container.stop_timeout = Duration::from_mins(2);
    let running = start_steady(new_fleet().with(&service("stubborn", container))).await;
    running.observe_until(|seen| has_printed(seen, "ready", 1)).await;
    let begun = Instant::now();
    let first = running.local.clone();
    let graceful = tokio::spawn(async move { first.stop(Urgency::Graceful).await });
    running
        .observe_until(|seen| seen.services[0].tasks[0].last_status == TaskStatus::Stopping)
        .await;
    running.local.stop(Urgency::AtOnce).await;
    graceful.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_unhealthy_task_is_replaced() {
    let mut container = server();
    container.health_check = Some(health_check("test ! -e sick"));
    let running = start_steady(new_fleet().with(&service("hello", container))).await;
    let observation = running.local.observe().await;
    let task = &observation.services[0].tasks[0];
    assert_eq!(task.health_status, HealthStatus::Healthy);
    let disk = running
        .directory
        .path()
        .join(".karma/run")
        .join(task.task_id.as_str())
        .join("disk/main");
    std::fs::write(disk.join("sick"), "").unwrap();
    let observation = running.observe_until(|seen| stopped(seen, "hello").len() == 1).await;
    let old = stopped(&observation, "hello")[0];
    assert_eq!(old.task_id, task.task_id);
    assert_eq!(
        old.stopped_reason.as_deref(),
        Some("Task failed container health checks")
    );
    assert_eq!(old.stop_code, Some(StopCode::ServiceSchedulerInitiated));
    assert_eq!(running.local.wait_until_steady(PATIENCE).await, FleetHealth::Steady);
    running.stop().await;
}

#[tokio::test]
async fn a_health_check_whose_program_is_missing_says_so() {
    let mut container = server();
    container.health_check = Some(health_check("no-such-program -f http://localhost/"));
    let running = start(new_fleet().with(&service("hello", container))).await;
    let observation = running
        .observe_until(|seen| seen.services[0].health == ServiceHealth::Failing)
        .await;
    let mut containers = observation.services[0].tasks.iter().flat_map(|task| &task.containers);
    let output = containers
        .find_map(|container| container.health_output.clone())
        .unwrap();
    assert!(output.contains("127") && output.contains("no-such-program"), "{output}");
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn requests_under_way_end_before_the_fleet_stops() {
    let running = start_steady(new_fleet().with(&behind_load_balancer("hello", 1))).await;
    let url = running.url("hello").await;
    let slow = tokio::spawn(async move { get(&format!("{url}/slow?700")).await });
    running.observe_until(|seen| has_printed(seen, "slow begins", 1)).await;
    running.stop().await;
    assert_eq!(slow.await.unwrap(), (200, "slow".to_owned()));
}

#[tokio::test]
async fn containers_start_in_their_order_and_one_that_fails_stops_the_task() {
    let depends = |condition| ContainerDependency {
        container_name: "setup".to_owned(),
        condition,
    };
    let task = |line: &str| {
        let mut main = shell("echo main; sleep 600");
        main.depends_on = vec![depends(DependencyCondition::Success)];
        let mut setup = shell(line);
        setup.name = "setup".to_owned();
        setup.essential = false;
        TestService {
            containers: vec![main, setup],
            ..service("two", container("unused", "shell"))
        }
    };
    let running = start_steady(new_fleet().with(&task("echo setup; exit 0"))).await;
    let observation = running.observe_until(|seen| has_printed(seen, "main", 1)).await;
    let log = std::fs::read_to_string(observation.services[0].tasks[0].log_path.as_ref().unwrap()).unwrap();
    assert!(log.find(" setup setup") < log.find(" main main"), "{log}");
    running.local.stop(Urgency::AtOnce).await;

    let running = start(new_fleet().with(&task("exit 1"))).await;
    let observation = running.observe_until(|seen| !stopped(seen, "two").is_empty()).await;
    let stopped = stopped(&observation, "two");
    assert_eq!(stopped[0].stop_code, Some(StopCode::TaskFailedToStart));
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn a_second_start_of_the_same_stack_is_refused() {
    let running = start_steady(new_fleet().with(&service("sleeper", shell("sleep 600")))).await;
    let fleet = new_fleet();
    let options = options(running.directory.path());
    let secrets = LocalSecrets::default();
    let error = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options)
        .await
        .unwrap_err();
    assert!(
        matches!(error, StartError::AlreadyRunning { pid: Some(pid) } if pid == std::process::id()),
        "{error}"
    );
    running.local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_owner_and_nothing_is_left_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let directory = tempfile::tempdir().unwrap();
    let fleet = new_fleet().with(&behind_load_balancer("hello", 1));
    let mut options = options(directory.path());
    options.port = port;
    let secrets = LocalSecrets::default();
    let error = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options.clone())
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("port {port} is in use by")), "{text}");
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    assert!(error.hint().unwrap().contains("--port"));
    options.port = 0;
    let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options)
        .await
        .unwrap();
    assert_eq!(local.cleaned_up(), None);
    local.stop(Urgency::AtOnce).await;
}

#[tokio::test]
async fn another_process_can_observe_and_stop_the_fleet() {
    let running = start_steady(new_fleet().with(&service("sleeper", shell("sleep 600")))).await;
    let state = running.directory.path().join(".karma");
    let control = Control::connect(&state).await.unwrap();
    let observation = control.observe().await.unwrap();
    assert_eq!(observation, running.local.observe().await);
    let mut steps = Vec::new();
    control.stop(|progress| steps.push(progress)).await.unwrap();
    let is_stopped = |progress: &karma_runtime::Progress| {
        matches!(
            progress,
            karma_runtime::Progress::Status {
                status: TaskStatus::Stopped,
                ..
            }
        )
    };
    assert!(steps.iter().any(is_stopped), "{steps:?}");
    assert!(!state.join("tasks.json").exists());
    running.local.stopped().await;
    assert!(Control::connect(&state).await.is_err());
}

#[tokio::test]
async fn a_long_path_is_no_obstacle_to_the_control_socket() {
    let directory = tempfile::tempdir().unwrap();
    let stack = directory.path().join("a".repeat(120));
    std::fs::create_dir(&stack).unwrap();
    let fleet = new_fleet();
    let options = options(&stack);
    let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &LocalSecrets::default(), options)
        .await
        .unwrap();
    Control::connect(&stack.join(".karma"))
        .await
        .unwrap()
        .observe()
        .await
        .unwrap();
    local.stop(Urgency::Graceful).await;
}

#[tokio::test]
async fn killing_the_orchestrator_leaves_no_task_and_the_next_start_cleans_up() {
    let directory = tempfile::tempdir().unwrap();
    let mut orchestrator = Command::new(stand_in())
        .arg("up")
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(orchestrator.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line.trim(), "Steady");
    let state = directory.path().join(".karma").canonicalize().unwrap();
    assert!(
        processes_of(&state).len() >= 3,
        "a server, a shell, and two that it sleeps with"
    );
    orchestrator.kill().unwrap();
    orchestrator.wait().unwrap();

    let fleet = new_fleet();
    let options = options(directory.path());
    let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &LocalSecrets::default(), options)
        .await
        .unwrap();
    assert_eq!(processes_of(&state), Vec::<String>::new());
    let cleaned_up = local.cleaned_up().unwrap();
    assert_eq!(cleaned_up.pid, orchestrator.id());
    assert_eq!(cleaned_up.tasks.len(), 2);
    assert!(
        cleaned_up.processes_killed >= 1,
        "what the shell had started does not die with karma"
    );
    assert!(local.observe().await.notes[0].contains("was killed with 2 tasks"));
    assert_eq!(log_files(&state, Run::Previous).unwrap().len(), 2);
    local.stop(Urgency::Graceful).await;
}
