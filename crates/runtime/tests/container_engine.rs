//! A fleet whose tasks are containers of a real engine. Where none answers it says so and is skipped: `SKIPPED container_engine`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the tests of processes use more of it")]
mod support;

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use karma_fleet::{Container, SecretReference};
use karma_runtime::{
    Control, ExecRequest, FleetHealth, LocalOrchestrator, LogRecord, Options, Programs, Run, RunnerKind, Urgency,
    log_files,
};
use support::fleet::{TestFleet, TestService, address, health_check, server, service};
use support::{PATIENCE, Running, get, options, secrets, stand_in, stopped};

/// The image of all containers here; its version is the fleets' own.
const IMAGE: &str = "karmacadabra-test/stand-in";

/// An engine, asked in the simplest way that there is.
struct Engine(PathBuf);

impl Engine {
    fn find() -> Option<Self> {
        let named = env::var("DOCKER_HOST").ok();
        let named = named
            .as_deref()
            .and_then(|host| host.strip_prefix("unix://"))
            .map(PathBuf::from);
        let podman = env::var_os("XDG_RUNTIME_DIR").map(|it| Path::new(&it).join("podman/podman.sock"));
        let all = named
            .into_iter()
            .chain([PathBuf::from("/var/run/docker.sock")])
            .chain(podman);
        let found = all
            .into_iter()
            .find(|socket| UnixStream::connect(socket).is_ok())
            .map(Self);
        if found.is_none() {
            let _ = writeln!(
                io::stderr(),
                "SKIPPED container_engine: no container engine answers on this machine"
            );
        }
        found
    }

    /// HTTP/1.0, so that the answer comes in one piece and ends with the connection.
    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> String {
        let mut stream = UnixStream::connect(&self.0).unwrap();
        let head = format!(
            "{method} /v1.41{path} HTTP/1.0\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.split(' ').nth(1).unwrap().starts_with('2'),
            "{method} {path}: {answer}"
        );
        answer
    }

    fn json(&self, method: &str, path: &str, body: &str) -> String {
        self.ask(method, path, "application/json", body.as_bytes())
    }

    /// Makes the image: our stand-in, a shell, and the libraries that they need.
    fn make_image(&self) {
        let root = tempfile::tempdir().unwrap();
        let into = |file: &Path, path: &str| {
            let path = root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(file, path).unwrap();
        };
        into(&stand_in(), "/bin/stand_in");
        into(Path::new("/bin/sh"), "/bin/sh");
        for library in [stand_in(), "/bin/sh".into()]
            .iter()
            .flat_map(|program| libraries(program))
        {
            into(Path::new(&library), &library);
        }
        let archive = Command::new("tar")
            .arg("-C")
            .arg(root.path())
            .args(["-c", "."])
            .output()
            .unwrap();
        let answer = self.ask("POST", "/images/create?fromSrc=-", "application/x-tar", &archive.stdout);
        let id = answer
            .rsplit("\"status\":\"")
            .next()
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        self.json("POST", &format!("/images/{id}/tag?repo={IMAGE}&tag=1"), "");
    }

    /// How many containers a stack has in the engine.
    fn containers_of(&self, state_directory: &Path) -> usize {
        let label = format!("karmacadabra.state-directory={}", state_directory.display());
        let filters = format!("%7B%22label%22%3A%5B%22{label}%22%5D%7D");
        let answer = self.json("GET", &format!("/containers/json?all=1&filters={filters}"), "");
        answer.matches("\"Id\":").count()
    }
}

/// What the dynamic linker loads with a program.
fn libraries(program: &Path) -> Vec<String> {
    let listed = Command::new("ldd").arg(program).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let words = listed.split_whitespace().filter(|word| word.starts_with('/'));
    words.map(str::to_owned).collect()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn image(container: Container) -> Container {
    let mut container = container;
    IMAGE.clone_into(&mut container.image.repository);
    container
}

/// Two tasks that listen on all addresses, and so on the same one each in its own network.
fn alone() -> TestService {
    let container = Container {
        entry_point: Some(words(&["/bin/stand_in"])),
        command: Some(words(&["serve-everywhere"])),
        health_check: Some(health_check("test \"$TOKEN\" = hush")),
        secrets: vec![SecretReference {
            name: "TOKEN".to_owned(),
            secret: None,
            secret_name: "vault".to_owned(),
            json_key: Some("token".to_owned()),
        }],
        ..image(server())
    };
    TestService {
        desired_count: 2,
        behind_load_balancer: true,
        enable_execute_command: true,
        ..service("alone", container)
    }
}

/// One task that others find by its name, and that finds itself so.
fn named() -> TestService {
    let container = Container {
        entry_point: Some(words(&["/bin/stand_in", "serve"])),
        ..image(server())
    };
    TestService {
        behind_load_balancer: true,
        alias_port: Some(8090),
        ..service("named", container)
    }
}

fn fleet(services: &[TestService]) -> TestFleet {
    let mut fleet = services.iter().fold(TestFleet::default(), TestFleet::with);
    if let Some(alone) = fleet.fleet.services.get_mut(&address("aws_ecs_service", "alone")) {
        alone.service_connect = None;
    }
    fleet
}

async fn start(fleet: TestFleet) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        runner: RunnerKind::Container,
        ..options(directory.path())
    };
    let local = LocalOrchestrator::start(&fleet.fleet, &Programs::new(), &secrets(), options)
        .await
        .unwrap();
    Running { local, directory }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_of_real_images_serves_and_leaves_nothing() {
    let Some(engine) = Engine::find() else { return };
    engine.make_image();
    let running = start(fleet(&[alone(), named()])).await;
    let state = running.directory.path().join(".karma");
    let health = running.local.wait_until_steady(PATIENCE).await;
    assert_eq!(health, FleetHealth::Steady, "{:#?}", running.local.observe().await);
    assert_eq!(engine.containers_of(&state), 3);
    let base = running.url("alone").await;
    assert_eq!(get(&format!("{base}/env?TOKEN")).await, (200, "hush".to_owned()));
    let base = running.url("named").await;
    assert_eq!(get(&format!("{base}/fetch?named:8090/health")).await.0, 200);
    assert_exec_is_refused(&running).await;
    running.local.stop(Urgency::Graceful).await;
    assert_eq!(engine.containers_of(&state), 0);
}

async fn assert_exec_is_refused(running: &Running) {
    let service = running.local.observe().await.services.swap_remove(0);
    let request = ExecRequest {
        task: service.tasks[0].task_id.clone(),
        container: None,
        command: vec!["true".to_owned()],
        terminal: None,
    };
    let control = Control::connect(&running.directory.path().join(".karma"))
        .await
        .unwrap();
    let refused = control.exec(request).await.err().unwrap();
    let hint = refused.hint().unwrap();
    assert!(
        hint.contains(&format!("docker exec -it karma-{}-main", service.tasks[0].task_id)),
        "{hint}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_ends_leaves_its_exit_code_and_both_of_its_outputs() {
    let Some(engine) = Engine::find() else { return };
    engine.make_image();
    let container = Container {
        entry_point: Some(words(&["/bin/sh", "-c"])),
        command: Some(words(&["echo out; echo err >&2; exit 7"])),
        ..image(support::fleet::container("main", IMAGE))
    };
    let running = start(fleet(&[service("short", container)])).await;
    let observation = running
        .observe_until(|observation| !stopped(observation, "short").is_empty())
        .await;
    let ended = &stopped(&observation, "short")[0].containers[0];
    assert_eq!(ended.exit_code, Some(7));
    let directory = running.stop().await;
    let printed = printed(&directory.path().join(".karma"));
    assert!(
        printed.contains(&"out".to_owned()) && printed.contains(&"err".to_owned()),
        "{printed:?}"
    );
}

fn printed(state: &Path) -> Vec<String> {
    let files = log_files(state, Run::Latest).unwrap();
    let text: String = files
        .iter()
        .map(|file| fs::read_to_string(&file.path).unwrap())
        .collect();
    text.lines()
        .map(|line| line.parse::<LogRecord>().unwrap().message)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_has_left_is_removed_before_anything_starts() {
    let Some(engine) = Engine::find() else { return };
    engine.make_image();
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join(".karma");
    let left = format!(
        r#"{{"Image":"{IMAGE}:1","Entrypoint":["/bin/sh"],"Labels":{{"karmacadabra.state-directory":"{}"}}}}"#,
        state.display()
    );
    engine.json("POST", "/containers/create", &left);
    assert_eq!(engine.containers_of(&state), 1);
    let options = Options {
        runner: RunnerKind::Container,
        ..options(directory.path())
    };
    let local = LocalOrchestrator::start(&fleet(&[]).fleet, &Programs::new(), &secrets(), options)
        .await
        .unwrap();
    assert_eq!(engine.containers_of(&state), 0);
    local.stop(Urgency::Graceful).await;
}
