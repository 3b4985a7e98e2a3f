//! Commands that are run in tasks, over the control socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the tests of processes use more of it")]
mod support;

use karma_fleet::{EnvironmentValue, SecretReference};
use karma_runtime::{Control, ControlError, ExecRequest, Frame, Urgency, WindowSize};
use support::fleet::{TestService, container, service, shell};
use support::{Running, new_fleet, processes_of, start_steady};

const SIZE: WindowSize = WindowSize { columns: 90, rows: 31 };

/// A task that commands may be run in, with a secret and a variable.
async fn sleeper() -> Running {
    let mut container = shell("sleep 600");
    container.environment = [("GREETING".to_owned(), EnvironmentValue::Known("hi".to_owned()))].into();
    container.secrets = vec![SecretReference {
        name: "TOKEN".to_owned(),
        secret: None,
        secret_name: "vault".to_owned(),
        json_key: Some("token".to_owned()),
    }];
    let sleeper = TestService {
        enable_execute_command: true,
        ..service("sleeper", container)
    };
    start_steady(new_fleet().with(&sleeper)).await
}

async fn request(running: &Running, words: &[&str], terminal: Option<WindowSize>) -> (Control, ExecRequest) {
    let task = running.local.observe().await.services[0].tasks[0].task_id.clone();
    let control = Control::connect(&running.directory.path().join(".karma"))
        .await
        .unwrap();
    let command = words.iter().map(|&word| word.to_owned()).collect();
    (
        control,
        ExecRequest {
            task,
            container: None,
            command,
            terminal,
        },
    )
}

/// What comes back for a line of shell and what is typed: output, errors, exit code.
async fn talk(running: &Running, line: &str, typed: &[Frame], terminal: Option<WindowSize>) -> (String, String, i32) {
    let (control, request) = request(running, &["sh", "-c", line], terminal).await;
    let (mut reader, mut writer) = control.exec(request).await.unwrap();
    for frame in typed {
        writer.send(frame).await.unwrap();
    }
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    loop {
        match reader.next().await.unwrap().expect("the last frame is the exit code") {
            Frame::Output(bytes) => output.extend(bytes),
            Frame::Errors(bytes) => errors.extend(bytes),
            Frame::Exit(code) => {
                return (
                    String::from_utf8(output).unwrap(),
                    String::from_utf8(errors).unwrap(),
                    code,
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_command_has_what_the_containers_program_has() {
    let running = sleeper().await;
    let (output, errors, code) = talk(&running, "echo $GREETING $TOKEN; pwd; echo oh >&2; exit 7", &[], None).await;
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[0], "hi hush");
    assert!(lines[1].ends_with("/disk/main"), "{output}");
    assert_eq!((errors.as_str(), code), ("oh\n", 7));
    running.stop().await;
}

#[tokio::test]
async fn what_is_typed_is_read_to_its_end() {
    let running = sleeper().await;
    let typed = [
        Frame::Input(b"one\n".to_vec()),
        Frame::Input(b"two".to_vec()),
        Frame::InputEnd,
    ];
    assert_eq!(
        talk(&running, "cat", &typed, None).await,
        ("one\ntwo".to_owned(), String::new(), 0)
    );
    let large = "x".repeat(300_000);
    let (output, ..) = talk(
        &running,
        &format!("head -c {} /dev/zero | tr '\\0' x", large.len()),
        &[],
        None,
    )
    .await;
    assert_eq!(output, large);
    running.stop().await;
}

#[tokio::test]
async fn a_command_at_a_terminal_has_one_of_its_own() {
    let running = sleeper().await;
    let (output, _, code) = talk(&running, "test -t 0 && stty size && tty", &[], Some(SIZE)).await;
    assert!(output.starts_with("31 90\r\n/dev/pts/"), "{output:?}");
    assert_eq!(code, 0);
    let other = WindowSize { columns: 120, rows: 40 };
    let typed = [Frame::Resize(other), Frame::Input(b"go\n".to_vec())];
    let (output, ..) = talk(&running, "read word; stty size", &typed, Some(SIZE)).await;
    assert!(output.ends_with("40 120\r\n"), "{output:?}");
    running.stop().await;
}

#[tokio::test]
async fn control_c_interrupts_what_sits_at_the_terminal() {
    let running = sleeper().await;
    let (control, request) = request(&running, &["sh", "-c", "echo ready; exec sleep 600"], Some(SIZE)).await;
    let (mut reader, mut writer) = control.exec(request).await.unwrap();
    assert_eq!(reader.next().await.unwrap(), Some(Frame::Output(b"ready\r\n".to_vec())));
    writer.send(&Frame::Input(vec![3])).await.unwrap();
    loop {
        match reader.next().await.unwrap() {
            Some(Frame::Exit(code)) => break assert_eq!(code, 130),
            frame => assert!(frame.is_some()),
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_command_ends_when_the_user_goes_away() {
    let running = sleeper().await;
    let (control, request) = request(&running, &["sh", "-c", "sleep 600 & sleep 600 & wait"], None).await;
    let state = running.directory.path().join(".karma").canonicalize().unwrap();
    let before = processes_of(&state).len();
    let conversation = control.exec(request).await.unwrap();
    running
        .observe_until(|_| processes_of(&state).len() == before + 3)
        .await;
    drop(conversation);
    running.observe_until(|_| processes_of(&state).len() == before).await;
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_the_way_out() {
    let closed = service("closed", shell("sleep 600"));
    let running = start_steady(new_fleet().with(&closed)).await;
    let (control, request) = request(&running, &["true"], None).await;
    let check = async |request: ExecRequest, reason: &str, hint: &str| match control.exec(request).await.map(drop) {
        Err(ControlError::Refused {
            reason: told,
            hint: way_out,
        }) => {
            assert!(told.contains(reason), "{told}");
            assert!(way_out.unwrap_or_default().contains(hint), "{told}");
        }
        other => panic!("{other:?}"),
    };
    check(
        request.clone(),
        "execute command was not enabled",
        "enable_execute_command = true",
    )
    .await;
    let nobody = karma_runtime::TaskId::parse(&"0".repeat(32)).unwrap();
    check(
        ExecRequest {
            task: nobody,
            ..request
        },
        "no task 00000000 runs",
        "karma status",
    )
    .await;
    running.local.stop(Urgency::AtOnce).await;

    let two = TestService {
        enable_execute_command: true,
        containers: vec![shell("sleep 600"), container("other", "shell")],
        ..service("two", shell(""))
    };
    let mut two = two;
    two.containers[1].command = Some(vec!["-c".to_owned(), "sleep 600".to_owned()]);
    let running = start_steady(new_fleet().with(&two)).await;
    let (control, request) = self::request(&running, &["true"], None).await;
    let error = control.exec(request.clone()).await.map(drop).unwrap_err();
    assert_eq!(
        error.hint().as_deref(),
        Some("choose one with --container: main, other")
    );
    let chosen = ExecRequest {
        container: Some("other".to_owned()),
        ..request
    };
    assert!(control.exec(chosen).await.is_ok());
    running.stop().await;
}
