//! `karma up` with the project's own stack and the five real agents.

use karma_e2e::karma::{StackCopy, agents, wait_until};
use serde_json::{Value, json};

fn service<'a>(status: &'a Value, label: &str) -> &'a Value {
    status["services"]
        .as_array()
        .and_then(|services| services.iter().find(|service| service["label"] == label))
        .unwrap_or_else(|| panic!("no {label} in {status:#}"))
}

fn all_healthy(status: &Value) -> bool {
    agents()
        .iter()
        .all(|agent| service(status, agent)["health"] == "healthy")
}

#[test]
fn five_agents_come_up_answer_through_the_load_balancer_and_leave_on_ctrl_c() {
    let stack = StackCopy::new();
    let up = stack.up(&[]);
    stack.wait_for("five healthy agents", all_healthy);

    for agent in agents() {
        let reply = stack.get(&format!("/{agent}/health"));
        assert_eq!(
            (reply.status, reply.json()["agent"].as_str()),
            (200, Some(agent)),
            "{reply:?}"
        );
    }
    let nowhere = stack.get("/nowhere");
    assert_eq!(nowhere.status, 404, "the stack's default action");
    nowhere.json();

    let tasks = running_pids(&stack);
    assert_eq!(tasks.len(), 5);
    up.signal("INT");
    let (status, talk) = up.ended();
    assert!(status.success(), "{talk}");
    assert!(
        tasks.iter().all(|pid| !is_alive(*pid)),
        "a task outlived karma: {tasks:?}"
    );
}

#[test]
fn an_agent_reaches_another_by_its_service_connect_name() {
    let stack = StackCopy::new();
    let _up = stack.up(&[]);
    stack.wait_for("five healthy agents", all_healthy);

    let deep = stack.get("/skill-extractor/health?deep=1");
    assert_eq!(deep.status, 200, "{deep:?}");

    let ingested = stack.post(
        "/karma-hello/chat_logs",
        &chat_log("zoe", &["I write Rust every day", "Rust and Terraform"]),
    );
    assert!(ingested.status < 300, "{ingested:?}");
    let profile = stack.post("/skill-extractor/extract_skill_profile", &json!({ "username": "zoe" }));
    assert_eq!(profile.status, 200, "{profile:?}");
    assert!(profile.body.contains("Rust"), "{profile:?}");
}

#[test]
fn a_request_through_two_agents_is_one_trace() {
    let stack = StackCopy::new();
    let _up = stack.up(&[]);
    stack.wait_for("five healthy agents", all_healthy);
    let services = |trace: &Value| trace["services"].as_array().map_or(0, Vec::len);
    let trace = wait_until("a trace of two services", || {
        stack.get("/skill-extractor/health?deep=1");
        let answer: Value = serde_json::from_str(&stack.run(&["traces", "--json"]).stdout).ok()?;
        let mut traces = answer["traces"].as_array()?.iter();
        traces.find(|trace| services(trace) == 2).cloned()
    });
    let depths: Vec<_> = trace["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| &span["depth"])
        .collect();
    assert_eq!(depths, [0, 1, 2], "{trace:#}");
    let waterfall = stack.run(&["traces", trace["id"].as_str().unwrap()]);
    assert_eq!(waterfall.code, Some(0), "{waterfall:?}");
    assert!(waterfall.stdout.contains("→ GET /health"), "{waterfall:?}");
    assert_eq!(stack.run(&["traces", &"f".repeat(32)]).code, Some(1));
}

fn chat_log(user: &str, messages: &[&str]) -> Value {
    let messages: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(minute, text)| json!({ "timestamp": format!("2026-01-02T03:{minute:02}:00Z"), "user": user, "message": text, "user_badges": [] }))
        .collect();
    json!({
        "stream_id": "e2e", "stream_date": "2026-01-02", "stream_title": "e2e", "streamer": "e2e", "duration_minutes": 10,
        "total_messages": messages.len(), "unique_users": 1, "messages": messages,
    })
}

#[test]
fn detach_leaves_the_fleet_running_until_down() {
    let stack = StackCopy::new();
    let port = stack.port().to_string();
    let up = stack.run(&["up", "--detach", "--port", &port]);
    assert_eq!(up.code, Some(0), "{up:?}");
    assert!(all_healthy(&stack.status()));
    let table = stack.run(&["status"]);
    assert!(agents().iter().all(|agent| table.stdout.contains(agent)), "{table:?}");

    let down = stack.run(&["down"]);
    assert_eq!(down.code, Some(0), "{down:?}");
    let again = stack.run(&["down"]);
    assert_eq!(again.code, Some(1), "nothing is running any more: {again:?}");
    assert_eq!(stack.run(&["status"]).code, Some(1));
}

#[test]
fn logs_show_what_a_service_wrote_now_and_before() {
    let stack = StackCopy::new();
    let port = stack.port().to_string();
    assert_eq!(stack.run(&["up", "--detach", "--port", &port]).code, Some(0));
    stack.get("/validator/.well-known/agent-card.json");
    let logs = wait_until("the log of a request", || {
        let logs = stack.run(&["logs", "validator"]);
        logs.stdout.contains("agent-card.json").then_some(logs)
    });
    assert!(!logs.stdout.contains("karma-hello"), "{logs:?}");
    let unknown = stack.run(&["logs", "validater"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("validator"), "a suggestion: {unknown:?}");

    assert_eq!(stack.run(&["down"]).code, Some(0));
    let previous = stack.run(&["logs", "-p", "validator"]);
    assert!(previous.stdout.contains("agent-card.json"), "{previous:?}");
}

#[test]
fn a_crashing_agent_answers_503_while_the_others_go_on() {
    let stack = StackCopy::new();
    stack.write(
        "crash.auto.tfvars",
        r#"agents = {
             validator   = { port = 9001, priority = 100, environment = { LOG_LEVEL = "shouting" } }
             karma-hello = { port = 9002, priority = 200 }
           }"#,
    );
    let _up = stack.up(&[]);
    let status = stack.wait_for("a crash and a healthy neighbour", |status| {
        let crashed = &service(status, "validator")["tasks"];
        let has_stopped = crashed
            .as_array()
            .is_some_and(|tasks| tasks.iter().any(|task| task["last_status"] == "STOPPED"));
        has_stopped && service(status, "karma-hello")["health"] == "healthy"
    });
    assert_eq!(stack.get("/validator/health").status, 503);
    assert_eq!(stack.get("/karma-hello/health").status, 200);
    let crashed = service(&status, "validator").to_string();
    assert!(crashed.contains("Essential container in task exited"), "{crashed}");
    let table = stack.run(&["status"]);
    assert!(
        table.stdout.contains("LOG_LEVEL"),
        "the last lines of its log say why: {table:?}"
    );
}

#[test]
fn a_second_up_brings_what_has_changed_and_leaves_the_first_running() {
    let stack = StackCopy::new();
    let _up = stack.up(&[]);
    stack.wait_for("five healthy agents", all_healthy);
    let pids = running_pids(&stack);
    let second = stack.run(&["up"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.stderr.contains("nothing has changed"), "{second:?}");
    assert_eq!(running_pids(&stack), pids, "nothing is replaced for nothing");
    let third = stack.run(&["up", "--var", "log_level=debug"]);
    assert_eq!(third.code, Some(0), "{third:?}");
    assert!(third.stdout.contains("karmacadabra-validator:2"), "{third:?}");
    assert!(
        all_healthy(&stack.status()),
        "the first goes on, with the new definition"
    );
}

#[test]
fn kill_minus_nine_leaves_no_task_and_the_next_up_says_what_it_cleaned() {
    let stack = StackCopy::new();
    let up = stack.up(&[]);
    stack.wait_for("five healthy agents", all_healthy);
    let tasks = running_pids(&stack);
    assert_eq!(tasks.len(), 5);
    up.signal("KILL");
    up.ended();
    wait_until("the tasks to die with karma", || {
        tasks.iter().all(|pid| !is_alive(*pid)).then_some(())
    });

    assert_eq!(stack.run(&["status"]).code, Some(1));
    let port = stack.port().to_string();
    let next = stack.run(&["up", "--detach", "--port", &port]);
    assert_eq!(next.code, Some(0), "{next:?}");
    assert!(next.stderr.contains("was killed with 5 tasks"), "{next:?}");
    assert_eq!(stack.run(&["down"]).code, Some(0));
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let stack = StackCopy::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", stack.port())).unwrap();
    let port = stack.port().to_string();
    let up = stack.run(&["up", "--port", &port]);
    assert_eq!(up.code, Some(2), "{up:?}");
    assert!(up.stderr.contains(&port) && up.stderr.contains("--port"), "{up:?}");
}

#[test]
fn an_image_without_an_entry_says_which_entry_to_write() {
    let stack = StackCopy::new();
    stack.write("karma.toml", "");
    let up = stack.run(&["up"]);
    assert_eq!(up.code, Some(2), "{up:?}");
    assert!(up.stderr.contains("[image.\"karmacadabra/"), "{up:?}");
}

#[test]
fn a_secret_without_a_local_value_is_a_line_and_the_task_starts_without_it() {
    let stack = StackCopy::new();
    stack.write(
        "secret.auto.tfvars",
        r#"agents = { validator = { port = 9001, priority = 100, secrets = ["PRIVATE_KEY", "OPENAI_API_KEY"] } }"#,
    );
    stack.write(
        "secrets.local.toml",
        "[\"karmacadabra/validator\"]\nOPENAI_API_KEY = \"sk-local-value\"\n",
    );
    let up = stack.up(&[]);
    let status = stack.wait_for("a healthy validator", |status| {
        service(status, "validator")["health"] == "healthy"
    });
    assert!(!status.to_string().contains("sk-local-value"), "{status}");
    up.signal("INT");
    let (_, talk) = up.ended();
    assert!(
        talk.contains("PRIVATE_KEY") && !talk.contains("OPENAI_API_KEY"),
        "{talk}"
    );
    assert!(!talk.contains("sk-local-value"), "{talk}");
}

#[test]
fn a_further_listener_takes_the_next_free_port_and_is_printed() {
    let stack = StackCopy::new();
    stack.write(
        "second_listener.tf",
        r#"
resource "aws_lb_listener" "second" {
  load_balancer_arn = aws_lb.main.arn
  port              = 8443
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "second"
      status_code  = "418"
    }
  }
}
"#,
    );
    let port = stack.port().to_string();
    let up = stack.run(&["up", "--detach", "--port", &port]);
    assert_eq!(up.code, Some(0), "{up:?}");
    let listeners = stack.status()["listeners"].as_array().expect("an array").clone();
    let urls: Vec<&str> = listeners
        .iter()
        .filter_map(|listener| listener["url"].as_str())
        .collect();
    assert_eq!(urls[0], format!("http://127.0.0.1:{port}"));
    assert!(up.stdout.contains(urls[1]), "{urls:?} {up:?}");
    let second = urls[1]
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let reply = karma_e2e::karma::request(second, "GET", "/", "").expect("it answers");
    assert_eq!((reply.status, reply.body.as_str()), (418, "second"));
    assert_eq!(stack.run(&["down"]).code, Some(0));
}

/// The process ids of this stack's tasks: the direct children of `karma`, whose working directories lie in its state directory.
fn running_pids(stack: &StackCopy) -> Vec<u32> {
    let state = stack.path().join(".karma").canonicalize().expect("the fleet has run");
    std::fs::read_dir("/proc")
        .expect("Linux has /proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(&state)))
        .collect()
}

fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
