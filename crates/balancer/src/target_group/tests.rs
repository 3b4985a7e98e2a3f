//! Who is picked from a group, and when somebody leaves it.

use super::*;
use crate::outlier::OutlierEjection;
use crate::target_group::settings::MinimumHealthy;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn group(algorithm: Algorithm) -> TargetGroup {
    TargetGroup::new(TargetGroupSettings {
        algorithm,
        ..TargetGroupSettings::named("test")
    })
}

fn picked(group: &TargetGroup) -> Option<u16> {
    group.pick().map(|request| request.target().address.port())
}

#[tokio::test]
async fn round_robin_goes_round() {
    let group = group(Algorithm::RoundRobin);
    (1..=3).for_each(|port| group.register(address(port)));
    let served: Vec<_> = (0..6).filter_map(|_| picked(&group)).collect();
    assert_eq!(served, [1, 2, 3, 1, 2, 3]);
}

#[tokio::test]
async fn least_outstanding_avoids_the_busy() {
    let group = group(Algorithm::LeastOutstandingRequests);
    (1..=2).for_each(|port| group.register(address(port)));
    let busy = group.pick().unwrap();
    for _ in 0..3 {
        assert_ne!(picked(&group), Some(busy.target().address.port()));
    }
}

#[tokio::test]
async fn the_healthy_are_preferred_and_without_them_all_serve() {
    let group = group(Algorithm::RoundRobin);
    (1..=2).for_each(|port| group.register(address(port)));
    let first = group.shared.member(address(1)).unwrap();
    first.set_health(TargetHealth::initial());
    group.shared.refresh();
    assert_eq!([picked(&group), picked(&group)], [Some(2), Some(2)]);
    group
        .shared
        .member(address(2))
        .unwrap()
        .set_health(TargetHealth::initial());
    group.shared.refresh();
    let mut both = [picked(&group), picked(&group)];
    both.sort_unstable();
    assert_eq!(both, [Some(1), Some(2)]);
}

/// How many of so many requests in a hundred go to the target on this port, give or take five.
#[track_caller]
fn check_share(group: &TargetGroup, port: u16, percent: usize) {
    let hits = (0..2_000).filter(|_| picked(group) == Some(port)).count() / 20;
    assert!(hits.abs_diff(percent) <= 5, "{hits} of 100 and not {percent}");
}

#[tokio::test(start_paused = true)]
async fn a_new_target_grows_into_its_share() {
    let group = TargetGroup::new(TargetGroupSettings {
        slow_start: Duration::from_secs(100),
        ..TargetGroupSettings::named("test")
    });
    group.register(address(1));
    check_share(&group, 1, 100);
    group.register(address(2));
    for percent in [0, 25, 50, 50] {
        check_share(&group, 2, percent);
        tokio::time::advance(Duration::from_secs(50)).await;
    }
    // Who turns unhealthy and comes back starts anew.
    let second = group.shared.member(address(2)).unwrap();
    second.set_health(TargetHealth::initial());
    group.shared.refresh();
    check_share(&group, 2, 0);
    second.set_health(TargetHealth::healthy());
    group.shared.refresh();
    check_share(&group, 2, 0);
    tokio::time::advance(Duration::from_secs(50)).await;
    check_share(&group, 2, 25);
}

#[tokio::test(start_paused = true)]
async fn who_fails_too_often_is_left_alone_for_a_while() {
    let group = TargetGroup::new(TargetGroupSettings {
        outlier_ejection: Some(OutlierEjection::default()),
        ..TargetGroupSettings::named("test")
    });
    (1..=2).for_each(|port| group.register(address(port)));
    let fail = |port| {
        let target = group.shared.member(address(port)).unwrap();
        (0..5).for_each(|_| group.note_failure(&target));
    };
    fail(2);
    check_share(&group, 2, 0);
    tokio::time::advance(Duration::from_secs(30)).await;
    check_share(&group, 2, 50);
    // When all fail, all serve.
    (1..=2).for_each(fail);
    check_share(&group, 2, 50);
}

#[tokio::test]
async fn another_target_is_picked_if_there_is_one() {
    let group = group(Algorithm::RoundRobin);
    group.register(address(1));
    let first = group.pick().unwrap();
    let other = || group.pick_other_than(Some(first.target())).unwrap().target().address;
    assert_eq!(other(), address(1));
    group.register(address(2));
    assert!((0..10).all(|_| other() == address(2)));
}

#[tokio::test]
async fn too_few_healthy_targets_are_not_alone() {
    let group = TargetGroup::new(TargetGroupSettings {
        minimum_healthy: MinimumHealthy {
            count: 1,
            percentage: Some(50),
        },
        ..TargetGroupSettings::named("test")
    });
    (1..=3).for_each(|port| group.register(address(port)));
    let ill = |port| {
        let target = group.shared.member(address(port)).unwrap();
        target.set_health(TargetHealth::initial());
        group.shared.refresh();
    };
    ill(1);
    check_share(&group, 1, 0);
    ill(2);
    check_share(&group, 1, 33);
    assert_eq!(group.statistics().unhealthy_routing_requests, 2_000);
}

#[tokio::test(start_paused = true)]
async fn deregistering_waits_for_what_is_in_flight() {
    let group = group(Algorithm::RoundRobin);
    group.register(address(1));
    let request = group.pick().unwrap();
    let mut changes = group.subscribe();
    let done = tokio::spawn(group.deregister(address(1)));
    assert_eq!(group.pick().map(|_| ()), None);
    assert_eq!(group.targets()[0].health.state, HealthState::Draining);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    drop(request);
    done.await.unwrap();
    assert_eq!(group.targets(), []);
    assert_eq!(group.health(address(1)).state, HealthState::Unused);
    assert!(changes.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn deregistering_cuts_when_the_delay_is_over() {
    let group = group(Algorithm::RoundRobin);
    group.register(address(1));
    let request = group.pick().unwrap();
    let start = tokio::time::Instant::now();
    group.deregister(address(1)).await;
    assert_eq!(start.elapsed().as_secs(), 300);
    request.target().cut.raised().await;
}

#[tokio::test]
async fn draining_goes_on_when_nobody_waits() {
    let group = group(Algorithm::RoundRobin);
    group.register(address(1));
    let mut changes = group.subscribe();
    drop(group.deregister(address(1)));
    while !group.targets().is_empty() {
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn registering_twice_changes_nothing() {
    let group = group(Algorithm::RoundRobin);
    group.register(address(1));
    group.register(address(1));
    assert_eq!(group.targets().len(), 1);
    group.deregister(address(9)).await;
    assert_eq!(group.targets().len(), 1);
}
