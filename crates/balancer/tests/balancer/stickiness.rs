//! Clients that keep their cookies come back to where they were.

use std::net::SocketAddr;
use std::time::Duration;

use http::Response;
use karma_balancer::{Action, Attributes, Forward, Listener, Rules, Stickiness, TargetGroup, TargetGroupSettings};

use crate::support::{DEADLINE, all_to, group, listener, named, send, target};

const DAY: Duration = Duration::from_hours(24);

/// A client that sends back what it was told to keep.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// Who answered.
    async fn visit(&mut self, balancer: &Listener) -> String {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookie = if cookies.is_empty() {
            String::new()
        } else {
            format!("Cookie: {}\r\n", cookies.join("; "))
        };
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{cookie}Connection: close\r\n\r\n");
        let reply = send(balancer, &request).await;
        for line in reply.head.lines().filter_map(|line| line.split_once(": ")) {
            if line.0.eq_ignore_ascii_case("set-cookie") {
                self.keep(line.1);
            }
        }
        reply.body
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        self.cookies.retain(|(kept, _)| kept != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
    }

    fn names(&self) -> Vec<&str> {
        self.cookies.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn sticky(name: &str, stickiness: Stickiness, targets: &[SocketAddr]) -> TargetGroup {
    let group = TargetGroup::new(TargetGroupSettings {
        deregistration_delay: DEADLINE,
        stickiness: Some(stickiness),
        ..TargetGroupSettings::named(name)
    });
    for target in targets {
        group.register(*target);
    }
    group
}

fn by_load_balancer() -> Stickiness {
    Stickiness::LoadBalancerCookie { duration: DAY }
}

#[tokio::test]
async fn a_client_stays_with_its_target_while_others_take_turns() {
    let targets = [named("a").await, named("b").await, named("c").await];
    let balancer = listener(
        all_to(&sticky("web", by_load_balancer(), &targets)),
        Attributes::default(),
    )
    .await;
    let mut browser = Browser::default();
    let first = browser.visit(&balancer).await;
    assert_eq!(browser.names(), ["AWSALB", "AWSALBCORS"]);
    for _ in 0..5 {
        assert_eq!(browser.visit(&balancer).await, first);
        Browser::default().visit(&balancer).await;
    }
    assert_eq!(balancer.statistics().non_sticky_requests, 6);
}

#[tokio::test]
async fn a_client_whose_target_has_gone_gets_another_and_stays_there() {
    let targets = [named("a").await, named("b").await];
    let group = sticky("web", by_load_balancer(), &targets);
    let balancer = listener(all_to(&group), Attributes::default()).await;
    let mut browser = Browser::default();
    let first = browser.visit(&balancer).await;
    let gone = usize::from(first == "b");
    group.deregister(targets[gone]).await;
    let second = browser.visit(&balancer).await;
    assert_ne!(second, first);
    group.register(targets[gone]);
    for _ in 0..5 {
        assert_eq!(browser.visit(&balancer).await, second);
    }
}

#[tokio::test]
async fn a_forged_cookie_is_no_cookie() {
    let targets = [named("a").await, named("b").await];
    let balancer = listener(
        all_to(&sticky("web", by_load_balancer(), &targets)),
        Attributes::default(),
    )
    .await;
    let mut browser = Browser::default();
    browser.visit(&balancer).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        for (_, value) in &mut browser.cookies {
            value.replace_range(20..24, "0000");
        }
        seen.push(browser.visit(&balancer).await);
    }
    assert!(
        seen.contains(&"a".to_owned()) && seen.contains(&"b".to_owned()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn the_application_says_who_is_to_come_back() {
    let login = |name: &'static str| {
        target(move |_| async move {
            let answer = Response::builder().header("set-cookie", "session=1; Path=/");
            answer.body(name.into()).unwrap()
        })
    };
    let stickiness = Stickiness::ApplicationCookie {
        name: "session".to_owned(),
        duration: DAY,
    };
    let targets = [login("a").await, login("b").await];
    let balancer = listener(all_to(&sticky("web", stickiness, &targets)), Attributes::default()).await;
    let mut browser = Browser::default();
    let first = browser.visit(&balancer).await;
    assert_eq!(browser.names(), ["session", "AWSALBAPP-0"]);
    for _ in 0..5 {
        assert_eq!(browser.visit(&balancer).await, first);
    }
    browser.cookies.remove(0);
    let without = browser.visit(&balancer).await;
    let again = [without, browser.visit(&balancer).await];
    assert_eq!(again[0], again[1]);
}

#[tokio::test]
async fn a_client_stays_with_its_group_and_only_there_where_it_is_to() {
    let groups = [
        sticky("blue", by_load_balancer(), &[named("blue").await]),
        sticky("green", by_load_balancer(), &[named("green").await]),
    ];
    let rules = |weights: [u32; 2]| Rules {
        rules: Vec::new(),
        default_action: Action::Forward(Forward {
            groups: groups.iter().cloned().zip(weights).collect(),
            stickiness: Some(DAY),
        }),
    };
    let balancer = listener(rules([1, 0]), Attributes::default()).await;
    let mut browser = Browser::default();
    assert_eq!(browser.visit(&balancer).await, "blue");
    assert_eq!(browser.names(), ["AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS"]);
    balancer.set_rules(rules([1, 999]));
    for _ in 0..5 {
        assert_eq!(browser.visit(&balancer).await, "blue");
    }
    balancer.set_rules(rules([0, 1]));
    assert_eq!(browser.visit(&balancer).await, "green");
}

#[tokio::test]
async fn without_stickiness_no_cookie_is_set() {
    let balancer = listener(all_to(&group(&[named("a").await])), Attributes::default()).await;
    let mut browser = Browser::default();
    browser.visit(&balancer).await;
    assert!(browser.names().is_empty());
}
