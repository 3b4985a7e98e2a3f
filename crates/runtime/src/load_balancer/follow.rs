//! A definition that changes while its load balancers run.

use std::collections::BTreeSet;

use karma_fleet::{Fleet, ListenerProtocol};

use super::{Groups, LoadBalancers, in_order, rules, target_group};
use crate::error::StartError;

/// Makes the groups that are new. One that is gone goes when the last task has left it.
pub(crate) fn follow_groups(groups: &mut Groups, fleet: &Fleet) {
    groups.retain(|address, _| fleet.target_groups.contains_key(address));
    for (address, group) in &fleet.target_groups {
        groups.entry(address.clone()).or_insert_with(|| target_group(group));
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

    fn stop_all_but(&mut self, kept: &BTreeSet<karma_fleet::Address>) {
        for position in (0..self.served.len()).rev() {
            if !kept.contains(&self.served[position].0) {
                self.served.remove(position);
                // Nobody waits for those who have come before.
                tokio::spawn(self.listeners.remove(position).stop(self.patience));
            }
        }
    }
}
