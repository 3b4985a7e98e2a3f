//! A definition that changes while its load balancers run.

use std::collections::{BTreeMap, BTreeSet};

use karma_fleet::{Address, Fleet, ListenerProtocol};

use super::{Groups, LoadBalancers, in_order, rules, target_group};
use crate::error::StartError;
use crate::live_group::LiveGroup;

/// The fleet's target groups, as the stack has them and as they run.
#[derive(Debug, Default)]
pub(crate) struct LiveGroups(BTreeMap<Address, (karma_fleet::TargetGroup, LiveGroup)>);

impl LiveGroups {
    /// Has the groups of this definition, with its settings. One that is gone goes when the last task has left it.
    pub(crate) fn follow(&mut self, fleet: &Fleet) {
        self.0.retain(|address, _| fleet.target_groups.contains_key(address));
        for (address, wanted) in &fleet.target_groups {
            let made = || (wanted.clone(), LiveGroup::new(target_group(wanted)));
            let (known, live) = self.0.entry(address.clone()).or_insert_with(made);
            known.declared_at.clone_from(&wanted.declared_at);
            if known != wanted {
                live.replace(target_group(wanted));
                known.clone_from(wanted);
            }
        }
    }

    pub(crate) fn get(&self, address: &Address) -> Option<&LiveGroup> {
        self.0.get(address).map(|(_, live)| live)
    }

    /// The groups that take requests now.
    pub(crate) fn present(&self) -> Groups {
        let groups = self.0.iter();
        groups
            .map(|(address, (_, live))| (address.clone(), live.present()))
            .collect()
    }
}

impl LoadBalancers {
    /// Every listener leads where the definition wants: new ones start on the next free port, and those that are gone stop. Requests that are
    /// under way keep the rules they began with. The notes name the listeners that are not served.
    pub(crate) async fn follow(&mut self, fleet: &Fleet, groups: &Groups) -> Result<Vec<String>, StartError> {
        let mut notes = Vec::new();
        let mut kept = BTreeSet::new();
        for (address, listener) in in_order(fleet) {
            if listener.protocol == ListenerProtocol::Https {
                notes.push(format!("{address} is not served here: it is an HTTPS listener"));
                continue;
            }
            kept.insert(address.clone());
            match self.served.iter().position(|(served, _)| served == address) {
                Some(position) => self.listeners[position].set_rules(rules(address, listener, groups)?),
                None => self.listen(fleet, groups, address, listener, self.first_port).await?,
            }
        }
        self.stop_all_but(&kept);
        Ok(notes)
    }

    fn stop_all_but(&mut self, kept: &BTreeSet<Address>) {
        for position in (0..self.served.len()).rev() {
            if !kept.contains(&self.served[position].0) {
                self.served.remove(position);
                // Nobody waits for those who have come before.
                tokio::spawn(self.listeners.remove(position).stop(self.patience));
            }
        }
    }
}
