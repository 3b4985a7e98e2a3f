//! What a task has of its own: limits, directories, metadata, and how its containers wait for one another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the tests of processes use more of it")]
mod support;

use std::time::Duration;

use karma_fleet::{Container, ContainerDependency, DependencyCondition, RestartPolicy, Ulimit, UlimitName};
use karma_runtime::{Observation, StopCode, Urgency};
use support::fleet::{TestService, container, server, service, shell};
use support::{get, new_fleet, start, start_steady, stopped};

const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";

/// Fills so many bytes of memory and keeps them.
fn hungry(bytes: u64) -> Container {
    shell(&format!("head -c {bytes} /dev/zero | tail -c {bytes} | sleep 600"))
}

#[tokio::test]
async fn a_task_beyond_its_memory_is_ended_in_ecs_words() {
    let check = async |hungry: TestService| {
        let running = start(new_fleet().with(&hungry)).await;
        let observation = running.observe_until(|seen| !stopped(seen, "hungry").is_empty()).await;
        let task = stopped(&observation, "hungry")[0];
        assert_eq!(task.stopped_reason.as_deref(), Some(OUT_OF_MEMORY));
        assert_eq!(
            (task.stop_code, task.exit_code),
            (Some(StopCode::EssentialContainerExited), Some(137))
        );
        assert_eq!(task.containers[0].reason.as_deref(), Some(OUT_OF_MEMORY));
        running.local.stop(Urgency::AtOnce).await;
    };
    let by_task = TestService {
        memory: Some(64),
        ..service("hungry", hungry(200 << 20))
    };
    let mut container = hungry(200 << 20);
    container.limits.memory = Some(64);
    let by_container = TestService {
        memory: Some(4096),
        ..service("hungry", container)
    };
    tokio::join!(check(by_task), check(by_container));
}

/// The lines that a service's tasks have printed so far.
fn printed(seen: &Observation, label: &str) -> Vec<String> {
    let service = seen.services.iter().find(|service| service.label == label).unwrap();
    let texts = service
        .tasks
        .iter()
        .filter_map(|task| std::fs::read_to_string(task.log_path.as_ref()?).ok());
    texts
        .flat_map(|text| {
            text.lines()
                .map(|line| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What a line of shell prints before `end`, in a container that is as `change` makes it.
async fn lines_of(line: &str, change: impl Fn(&mut Container)) -> Vec<String> {
    let mut container = shell(&format!("{line}; echo end; sleep 600"));
    change(&mut container);
    let running = start_steady(new_fleet().with(&service("task", container))).await;
    let observation = running
        .observe_until(|seen| printed(seen, "task").contains(&"end".to_owned()))
        .await;
    running.local.stop(Urgency::AtOnce).await;
    let mut lines = printed(&observation, "task");
    lines.retain(|line| line != "end");
    lines
}

#[tokio::test]
async fn a_container_begins_where_its_definition_says_on_a_disk_of_its_own() {
    let line = "pwd; echo $TMPDIR; touch $TMPDIR/x here && echo written";
    let lines = lines_of(line, |container| {
        container.working_directory = Some("/srv/../app".to_owned());
    })
    .await;
    assert!(lines[0].ends_with("/disk/main/srv/app"), "{lines:?}");
    assert!(lines[1].ends_with("/disk/tmp/main"), "{lines:?}");
    assert_eq!(lines[2], "written");
}

#[tokio::test]
async fn a_read_only_root_can_only_be_read() {
    let line = "touch here || echo refused; cat /etc/hosts >/dev/null && echo read; echo >/dev/null && echo devices";
    let mut lines = lines_of(line, |container| container.readonly_root_filesystem = true).await;
    lines.retain(|line| !line.contains("touch:"));
    assert_eq!(lines, ["refused", "read", "devices"]);
}

#[tokio::test]
async fn ulimits_are_the_definitions() {
    let limit = Ulimit {
        name: UlimitName::OpenFiles,
        soft: 64,
        hard: 128,
    };
    let lines = lines_of("ulimit -Sn; ulimit -Hn", |container| {
        container.limits.ulimits = vec![limit.clone()];
    })
    .await;
    assert_eq!(lines, ["64", "128"]);
}

#[tokio::test]
async fn a_container_learns_what_it_is() {
    let mut container = server();
    container.limits.memory = Some(128);
    let hello = TestService {
        behind_load_balancer: true,
        memory: Some(512),
        ..service("hello", container)
    };
    let running = start_steady(new_fleet().with(&hello)).await;
    let url = running.url("hello").await;
    let (_, endpoint) = get(&format!("{url}/env?ECS_CONTAINER_METADATA_URI_V4")).await;
    let ask = async |path: &str| {
        let (status, text) = get(&format!("{endpoint}{path}")).await;
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let observation = running.local.observe().await;
    let (task, id) = (
        &observation.services[0].tasks[0],
        observation.services[0].tasks[0].task_id.to_string(),
    );

    let container = ask("").await;
    assert_eq!(
        (&container["Name"], &container["KnownStatus"]),
        (&"main".into(), &"RUNNING".into())
    );
    assert_eq!(
        container["Networks"][0]["IPv4Addresses"][0],
        task.address.unwrap().to_string()
    );
    assert_eq!(container["Limits"]["Memory"], 128);
    assert!(container["DockerId"].as_str().unwrap().starts_with(&format!("{id}-")));
    assert!(
        container.get("ExitCode").is_none(),
        "what has no value is left out: {container}"
    );

    let document = ask("/task").await;
    assert_eq!(document["Family"], "hello");
    assert_eq!(document["Limits"]["Memory"], 512);
    assert_eq!(
        document["TaskARN"],
        format!("arn:aws:ecs:us-east-1:000000000000:task/default/{id}")
    );
    assert_eq!(document["Containers"][0], container);

    let stats = ask("/stats").await;
    assert!(stats["memory_stats"]["usage"].as_u64().unwrap() > 0, "{stats}");
    assert_eq!(stats["memory_stats"]["limit"], 128 << 20);
    let again = ask("/task/stats").await;
    let again = &again[container["DockerId"].as_str().unwrap()];
    assert_eq!(again["preread"], stats["read"]);
    assert_eq!(get(&format!("{endpoint}x")).await.0, 404);
    assert_eq!(get(&format!("{endpoint}/credentials")).await.0, 404);
    running.stop().await;
}

#[tokio::test]
async fn a_container_is_started_again_as_its_policy_says_and_its_task_goes_on() {
    let check = async |ignored: Vec<i32>, goes_on: bool| {
        let line = "test -e once && { grep -q sleep /proc/$(cat daemon)/cmdline && echo left; echo begun; exec sleep 600; }; \
            echo begun; setsid sleep 600 & echo $! >daemon; touch once; exit 3";
        let mut container = shell(line);
        container.restart_policy = Some(RestartPolicy {
            ignored_exit_codes: ignored,
            restart_attempt_period: Duration::ZERO,
        });
        let running = start(new_fleet().with(&service("fragile", container))).await;
        let begun = |seen: &Observation| printed(seen, "fragile").iter().filter(|line| *line == "begun").count();
        let wanted = |seen: &Observation| begun(seen) == 2 || !stopped(seen, "fragile").is_empty();
        let observation = running.observe_until(wanted).await;
        assert_eq!(stopped(&observation, "fragile").is_empty(), goes_on);
        assert!(
            !printed(&observation, "fragile").contains(&"left".to_owned()),
            "its daemon ended before it was started again"
        );
        running.local.stop(Urgency::AtOnce).await;
    };
    tokio::join!(check(vec![], true), check(vec![3], false));
}

#[tokio::test]
async fn who_waits_longer_than_a_start_timeout_ends_his_task() {
    let slow = Container {
        essential: false,
        start_timeout: Some(Duration::from_millis(200)),
        command: Some(vec!["-c".to_owned(), "sleep 600".to_owned()]),
        ..container("slow", "shell")
    };
    let mut main = shell("sleep 600");
    main.depends_on = vec![ContainerDependency {
        container_name: "slow".to_owned(),
        condition: DependencyCondition::Success,
    }];
    let waiting = TestService {
        containers: vec![main, slow],
        ..service("waiting", shell(""))
    };
    let running = start(new_fleet().with(&waiting)).await;
    let observation = running.observe_until(|seen| !stopped(seen, "waiting").is_empty()).await;
    let task = stopped(&observation, "waiting")[0];
    assert_eq!(task.stop_code, Some(StopCode::TaskFailedToStart));
    assert!(
        task.stopped_reason
            .as_ref()
            .unwrap()
            .contains("within its startTimeout"),
        "{task:?}"
    );
    running.local.stop(Urgency::AtOnce).await;
}
