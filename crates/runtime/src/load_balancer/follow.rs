//! A definition that changes while its load balancers run.

use std::collections::{BTreeMap, BTreeSet};

use karma_fleet::{Address, Fleet, Listener, ListenerProtocol};
use tokio::net::TcpListener;

use super::rules::{LocalPorts, Surroundings, rules};
use super::target_groups::target_group;
use super::{Groups, LoadBalancers, bind_next, in_order, local_port};
use crate::error::StartError;
use crate::load_balancer::LiveGroup;

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

/// A listener of the definition: where it listens already, or a socket that it shall have.
struct Wanted<'a> {
    address: &'a Address,
    listener: &'a Listener,
    place: Place,
}

enum Place {
    Listening(usize),
    Bound(TcpListener),
}

impl LoadBalancers {
    /// Every listener leads where the definition wants: new ones start on the next free port, and those that are gone stop. Requests that are
    /// under way keep the rules they began with. The notes name the listeners that are not served. After an error all is as it was.
    pub(crate) async fn follow(&mut self, fleet: &Fleet, groups: &Groups) -> Result<Vec<String>, StartError> {
        let (wanted, notes) = self.wanted(fleet).await?;
        let local_ports = self.local_ports(&wanted);
        let rules = wanted.iter().map(|wanted| {
            let surroundings = Surroundings {
                groups,
                local_ports: &local_ports[&wanted.listener.load_balancer],
            };
            rules(wanted.address, wanted.listener, surroundings)
        });
        let rules: Vec<_> = rules.collect::<Result<_, _>>()?;
        let kept: BTreeSet<Address> = wanted.iter().map(|wanted| wanted.address.clone()).collect();
        for (
            Wanted {
                address,
                listener,
                place,
            },
            rules,
        ) in wanted.into_iter().zip(rules)
        {
            match place {
                Place::Listening(position) => self.listeners[position].set_rules(rules),
                Place::Bound(socket) => {
                    self.listen(
                        address,
                        fleet.load_balancers.get(&listener.load_balancer),
                        rules,
                        socket,
                    );
                }
            }
        }
        let delays = fleet.target_groups.values().map(|group| group.deregistration_delay);
        self.patience = delays.max().unwrap_or_default();
        self.stop_all_but(&kept);
        Ok(notes)
    }

    async fn wanted<'f>(&self, fleet: &'f Fleet) -> Result<(Vec<Wanted<'f>>, Vec<String>), StartError> {
        let mut last = self.listeners.last().map(|last| last.local_addr().port());
        let (mut wanted, mut notes) = (Vec::new(), Vec::new());
        for (address, listener) in in_order(fleet) {
            if listener.protocol == ListenerProtocol::Https {
                notes.push(format!("{address} is not served here: it is an HTTPS listener"));
                continue;
            }
            let place = match self.served.iter().position(|(served, _)| served == address) {
                Some(position) => Place::Listening(position),
                None => Place::Bound(bind_next(self.first_port, last).await?),
            };
            last = Some(self.port(&place));
            wanted.push(Wanted {
                address,
                listener,
                place,
            });
        }
        Ok((wanted, notes))
    }

    fn port(&self, place: &Place) -> u16 {
        match place {
            Place::Listening(position) => self.listeners[*position].local_addr().port(),
            Place::Bound(socket) => local_port(socket),
        }
    }

    /// Where each port of each load balancer is on this machine.
    fn local_ports(&self, wanted: &[Wanted<'_>]) -> BTreeMap<Address, LocalPorts> {
        let mut ports: BTreeMap<Address, LocalPorts> = BTreeMap::new();
        for Wanted { listener, place, .. } in wanted {
            let of_load_balancer = ports.entry(listener.load_balancer.clone()).or_default();
            of_load_balancer.insert(listener.port, self.port(place));
        }
        ports
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
