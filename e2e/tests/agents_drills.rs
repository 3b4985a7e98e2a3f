//! What was acknowledged is served while tasks are replaced: two tasks of karma-hello behind the balancer, and Spot capacity that is taken back.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use karma_e2e::karma::{StackCopy, request, wait_until};
use serde_json::{Value, json};

/// The stack with karma-hello alone, and two tasks of it.
fn up() -> StackCopy {
    let stack = StackCopy::new();
    stack.write(
        "drill.auto.tfvars",
        "desired_count_per_service = 2\nautoscaling_min_capacity = 2\nagents = { karma-hello = { port = 9002, priority = 200 } }\n",
    );
    let port = stack.port().to_string();
    let up = stack.run(&["up", "--detach", "--port", &port]);
    assert_eq!(up.code, Some(0), "{up:?}");
    stack
}

/// Sends messages, one after the other, until it is enough; gives those that were acknowledged.
fn keep_telling(port: u16, teller: usize, enough: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if enough.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("{teller}-{number}");
        let message = json!({ "timestamp": "2026-01-20T17:00:00Z", "user": "ana", "message": text });
        let log = json!({
            "stream_id": "drill", "stream_date": "2026-01-20", "stream_title": "t", "streamer": "s", "messages": [message],
        });
        let answer = request(port, "POST", "/karma-hello/chat_logs", &log.to_string());
        if answer.is_ok_and(|answer| (200..300).contains(&answer.status)) {
            acknowledged.push(text);
        }
    }
    acknowledged
}

/// Everything that the stack gives of the stream, page by page, and so from whichever task.
fn served(stack: &StackCopy) -> BTreeSet<String> {
    let (mut texts, mut cursor) = (BTreeSet::new(), Value::Null);
    loop {
        let mut question = json!({ "stream_id": "drill", "limit": 50, "include_stats": false });
        if !cursor.is_null() {
            question["cursor"] = cursor;
        }
        let answer = stack.post("/karma-hello/get_chat_logs", &question);
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        for message in answer["messages"].as_array().expect("a list") {
            let text = message["message"].as_str().expect("a text");
            assert!(texts.insert(text.to_owned()), "{text} is there twice");
        }
        cursor = answer["next_cursor"].clone();
        if cursor.is_null() {
            return texts;
        }
    }
}

/// Tells while the drill goes on; everything acknowledged is served afterwards.
fn check(stack: &StackCopy, flags: &[&str]) {
    let (enough, acknowledged) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    thread::scope(|scope| {
        for teller in 0..3 {
            let (enough, acknowledged) = (&enough, &acknowledged);
            scope.spawn(move || {
                let told = keep_telling(stack.port(), teller, enough);
                acknowledged.lock().expect("nobody panics with it").extend(told);
            });
        }
        let drill = [
            "drill",
            "--json",
            "spot",
            "--service",
            "karma-hello",
            "--rate",
            "20",
            "--for",
            "3s",
        ];
        let drill = stack.run(&[&drill[..], flags].concat());
        enough.store(true, Ordering::Relaxed);
        let report: Value = serde_json::from_str(&drill.stdout).unwrap_or_else(|error| panic!("{error}: {drill:?}"));
        assert_eq!(report["reclaimed"], 2, "{report:#}");
    });
    let acknowledged = acknowledged.into_inner().expect("nobody panicked with it");
    assert!(acknowledged.len() > 10, "{acknowledged:?}");
    // More than once, since one task after the other answers. A task that finds something may be a second behind.
    for _ in 0..4 {
        wait_until("every acknowledged message", || {
            acknowledged.is_subset(&served(stack)).then_some(())
        });
    }
}

#[test]
fn a_spot_drill_loses_no_acknowledged_message() {
    let stack = up();
    check(&stack, &[]);
}

#[test]
fn even_all_tasks_lost_at_once_lose_no_acknowledged_message() {
    let stack = up();
    check(&stack, &["--at-once"]);
}
