//! A great many clients that wait, while others ask.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::support::{DEADLINE, balancer, get, named};

const CROWD: usize = 10_000;
/// Tells the process that holds the connections where to.
const PORT: &str = "KARMA_BALANCER_CROWD_PORT";

/// Lets this process have as many files as the machine allows; whether that is enough.
fn make_room() -> bool {
    let needed = CROWD as u64 + 1_000;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    most >= needed && setrlimit(Resource::RLIMIT_NOFILE, most.min(2 * needed), most).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_wait_and_others_are_served() {
    if !make_room() {
        println!(
            "SKIPPED ten_thousand_connections_wait_and_others_are_served: this process may not open so many files"
        );
        return;
    }
    let balancer = balancer(&[named("it").await]).await;
    let mut crowd = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crowd::hold_connections", "--nocapture"])
        .env(PORT, balancer.local_addr().port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = crowd.stdout.take().unwrap();
    let is_held = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(said).lines().map_while(Result::ok);
        lines.any(|line| line.ends_with("held"))
    });
    assert!(
        timeout(3 * DEADLINE, is_held).await.unwrap().unwrap(),
        "the connections could not be made"
    );
    let taken = || balancer.statistics().active_connections >= CROWD as u64;
    while !taken() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..200 {
        let reply = timeout(DEADLINE, get(&balancer, "/")).await.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "it"));
    }
    drop(crowd.stdin.take());
    crowd.wait().unwrap();
}

/// The process beside the test above; without its variable there is nothing to do.
#[test]
fn hold_connections() {
    let Some(port) = std::env::var(PORT).ok().and_then(|port| port.parse::<u16>().ok()) else {
        return;
    };
    assert!(make_room());
    let connections: Vec<_> = (0..CROWD)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    println!("held");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(connections);
}
