//! A definition that changes while its load balancers run.

use std::collections::{BTreeMap, BTreeSet};

use karma_balancer as balancer;
use karma_balancer::Attributes;
use karma_fleet::{Address, Fleet, Listener, LoadBalancer};
use tokio::net::TcpListener;

use super::attributes::attributes_of;
use super::certificate::{Certificate, certificate};
use super::rules::{LocalPorts, Surroundings, rules};
use super::target_groups::target_group;
use super::{Groups, LoadBalancers, bind_next, in_order, is_https, local_port};
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
    pub(crate) fn follow(&mut self, fleet: &Fleet, groups: &Groups) -> Result<Vec<String>, StartError> {
        let wanted = self.wanted(fleet)?;
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
        let has_https = fleet.listeners.values().any(is_https);
        let certificate = has_https.then(|| certificate(&self.state.join("tls"), fleet));
        let certificate = certificate.transpose()?;
        let mut notes = self.follow_attributes(fleet);
        for (wanted, rules) in wanted.into_iter().zip(rules) {
            match wanted.place {
                Place::Listening(position) => self.listeners[position].set_rules(rules),
                Place::Bound(socket) => {
                    let certificate = certificate.as_ref().filter(|_| is_https(wanted.listener));
                    let of = &wanted.listener.load_balancer;
                    let attributes = self.attributes.get(of).map(|(_, attributes)| attributes.clone());
                    let (listening, scheme) = listen(socket, rules, attributes.unwrap_or_default(), certificate)?;
                    self.add(wanted.address, fleet.load_balancers.get(of), listening, scheme);
                }
            }
        }
        notes.extend(certificate.map(|certificate| how_to_trust(&certificate)));
        let delays = fleet.target_groups.values().map(|group| group.deregistration_delay);
        self.patience = delays.max().unwrap_or_default();
        self.stop_all_but(&kept);
        Ok(notes)
    }

    fn wanted<'f>(&self, fleet: &'f Fleet) -> Result<Vec<Wanted<'f>>, StartError> {
        let mut last = self.listeners.last().map(|last| last.local_addr().port());
        let mut wanted = Vec::new();
        for (address, listener) in in_order(fleet) {
            let place = match self.served.iter().position(|(served, _)| served == address) {
                Some(position) => Place::Listening(position),
                None => Place::Bound(bind_next(self.first_port, last)?),
            };
            last = Some(self.port(&place));
            wanted.push(Wanted {
                address,
                listener,
                place,
            });
        }
        Ok(wanted)
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

    /// Attributes belong to a listener for its life: the notes tell which have changed meanwhile.
    fn follow_attributes(&mut self, fleet: &Fleet) -> Vec<String> {
        let mut notes = Vec::new();
        for (address, load_balancer) in &fleet.load_balancers {
            match self.attributes.get(address) {
                Some((known, _)) if is_same(known, load_balancer) => {}
                Some(_) => notes.push(format!(
                    "{address} keeps the attributes that it started with: changed ones count when the fleet is started anew"
                )),
                None => {
                    let (attributes, note) = attributes_of(address, load_balancer, &self.state);
                    notes.extend(note);
                    self.attributes
                        .insert(address.clone(), (load_balancer.clone(), attributes));
                }
            }
        }
        notes
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

fn listen(
    socket: TcpListener,
    rules: balancer::Rules,
    attributes: Attributes,
    certificate: Option<&Certificate>,
) -> Result<(balancer::Listener, &'static str), StartError> {
    Ok(match certificate {
        None => (balancer::Listener::start(socket, rules, attributes), "http"),
        Some(certificate) => (certificate.listen(socket, rules, attributes)?, "https"),
    })
}

fn how_to_trust(certificate: &Certificate) -> String {
    let path = certificate.path.display();
    format!("the HTTPS listeners have a certificate of their own here; to trust it: curl --cacert {path} …")
}

/// Whether nothing but the place in the files differs.
fn is_same(known: &LoadBalancer, wanted: &LoadBalancer) -> bool {
    let mut known = known.clone();
    known.declared_at.clone_from(&wanted.declared_at);
    known == *wanted
}
