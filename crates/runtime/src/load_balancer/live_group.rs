//! [`LiveGroup`]: a target group whose settings may change while it has targets.
//!
//! The balancer's groups keep the settings that they were made with. So another group takes the place of the first: it gets all targets, and
//! the tasks stay in both until they leave, since requests that are under way in the first must still be waited for.

use std::net::SocketAddr;

use karma_balancer::{HealthState, TargetGroup, TargetHealth};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A target group. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub(crate) struct LiveGroup(watch::Sender<Generations>);

/// The group that takes requests now, and those that have before.
#[derive(Debug)]
pub(crate) struct Generations {
    present: TargetGroup,
    past: Vec<TargetGroup>,
}

impl LiveGroup {
    pub(crate) fn new(group: TargetGroup) -> Self {
        Self(watch::Sender::new(Generations {
            present: group,
            past: Vec::new(),
        }))
    }

    /// The group that takes requests now.
    pub(crate) fn present(&self) -> TargetGroup {
        self.0.borrow().present.clone()
    }

    /// Another group with the same targets takes requests from now on. Whoever sends them must be told which.
    pub(crate) fn replace(&self, successor: TargetGroup) {
        self.0.send_modify(|groups| {
            let is_leaving = |state| state == HealthState::Draining;
            for target in groups.present.targets() {
                if !is_leaving(target.health.state) {
                    successor.register(target.address);
                }
            }
            let predecessor = std::mem::replace(&mut groups.present, successor);
            groups.past.retain(|group| !group.targets().is_empty());
            groups.past.push(predecessor);
        });
    }

    pub(crate) fn name(&self) -> String {
        self.0.borrow().present.name().to_owned()
    }

    pub(crate) fn health(&self, address: SocketAddr) -> TargetHealth {
        self.0.borrow().present.health(address)
    }

    pub(crate) fn register(&self, address: SocketAddr) {
        self.0.borrow().present.register(address);
    }

    /// The jobs end when nothing is in flight to the target any more, or the delay is over.
    pub(crate) fn deregister(&self, address: SocketAddr) -> JoinSet<()> {
        let groups = self.0.borrow();
        let all = groups.past.iter().chain([&groups.present]);
        all.map(|group| group.deregister(address)).collect()
    }

    /// Calls back whenever a target comes, goes or changes its health.
    pub(crate) async fn watch(self, on_change: impl Fn()) {
        let mut groups = self.0.subscribe();
        loop {
            let mut health = groups.borrow_and_update().present.subscribe();
            let is_replaced = loop {
                tokio::select! {
                    replaced = groups.changed() => break replaced.is_ok(),
                    // The group that is watched lives as long as it is the present one.
                    _ = health.changed() => on_change(),
                }
            };
            on_change();
            if !is_replaced {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use karma_balancer::TargetGroupSettings;

    use super::*;

    fn group(name: &str) -> TargetGroup {
        TargetGroup::new(TargetGroupSettings::named(name))
    }

    #[tokio::test]
    async fn targets_go_over_and_leave_both() {
        let (first, second) = (group("first"), group("second"));
        let live = LiveGroup::new(first.clone());
        let [one, other] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        live.register(one);
        live.replace(second.clone());
        live.register(other);
        let addresses =
            |group: &TargetGroup| -> Vec<_> { group.targets().iter().map(|target| target.address).collect() };
        assert_eq!((addresses(&first), addresses(&second)), (vec![one], vec![one, other]));
        assert_eq!(live.name(), "second");
        live.deregister(one).join_all().await;
        assert_eq!((addresses(&first), addresses(&second)), (vec![], vec![other]));
    }
}
