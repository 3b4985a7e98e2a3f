//! `aws_lb`: hours, capacity units, public addresses, and what its clients are sent.
//! <https://aws.amazon.com/elasticloadbalancing/pricing/>

use std::collections::BTreeMap;

use crate::biller::Biller;
use crate::inventory::{Inventory, Resource, count};
use crate::meter;
use crate::service::HOURS;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let (address, attributes) = (resource.address, resource.attributes);
    if !is_application(resource) {
        return bill.unpriced(address, "only Application Load Balancers have a price here");
    }
    let hours = Estimate::certain(Quantity::from(HOURS));
    bill.fixed(address, &meter::LOAD_BALANCER_HOURS, hours, "all month");
    price_capacity(resource, bill);
    if attributes.is("internal") {
        return;
    }
    if attributes.text("ip_address_type") != Some("dualstack-without-public-ipv4") {
        let (zones, because) = zones(resource);
        bill.fixed(
            address,
            &meter::PUBLIC_ADDRESS,
            hours.map(|hours| hours.times(zones)),
            because,
        );
    }
    let sent = part(bill.inventory, bill.usage.load_balancer_gb());
    bill.by_use(address, &meter::EGRESS, sent, "its part of requests × request_kb");
}

/// A load balancer that faces the internet has an address in every zone, and two zones at least.
fn zones(resource: &Resource<'_>) -> (u32, String) {
    let attributes = resource.attributes;
    let subnets = ["subnets", "subnet_mapping"]
        .into_iter()
        .filter_map(|name| attributes.count(name))
        .max();
    match subnets {
        Some(zones) => (zones.max(2), format!("one in each of {} zones", zones.max(2))),
        None => (
            2,
            "one in each of two zones at least: its subnets are not known before apply".to_owned(),
        ),
    }
}

fn is_application(resource: &Resource<'_>) -> bool {
    resource
        .attributes
        .text("load_balancer_type")
        .is_none_or(|kind| kind == "application")
}

fn part(inventory: &Inventory<'_>, whole: Quantity) -> Quantity {
    let all = inventory.kind("aws_lb").iter().chain(inventory.kind("aws_alb"));
    whole.per(count(all.filter(|it| is_application(it)).count()))
}

/// The largest of four dimensions, with the month's traffic spread evenly over it.
fn price_capacity(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let usage = bill.usage;
    let requests = part(bill.inventory, usage.requests);
    let connections = requests.per(usage.requests_per_connection.max(Quantity::ONE));
    // Ten rules are evaluated for nothing.
    let rules = most_rules(resource, bill.inventory).saturating_sub(10);
    let dimensions = [
        ("new connections, 25 a second", connections.per(25 * 3600_u32)),
        (
            "open connections, 3000 a minute",
            connections.times(usage.connection_minutes).per(3000 * 60_u32),
        ),
        (
            "processed bytes, 1 GB an hour",
            part(bill.inventory, usage.load_balancer_gb()),
        ),
        (
            "evaluated rules, 1000 a second",
            requests.times(rules).per(1000 * 3600_u32),
        ),
    ];
    let most = dimensions.into_iter().max_by_key(|(_, units)| *units);
    let (dimension, units) = most.expect("there are four");
    bill.by_use(
        resource.address,
        &meter::LOAD_BALANCER_UNITS,
        units,
        format!("the largest dimension: {dimension}"),
    );
}

/// The rules of the listener that has most.
fn most_rules(resource: &Resource<'_>, inventory: &Inventory<'_>) -> u32 {
    let kinds = |kinds: [&str; 2]| kinds.map(|kind| inventory.kind(kind)).concat();
    let listeners = kinds(["aws_lb_listener", "aws_alb_listener"]);
    let mut rules = BTreeMap::new();
    for rule in kinds(["aws_lb_listener_rule", "aws_alb_listener_rule"]) {
        if let Some(listener) = rule.attributes.reference("listener_arn") {
            *rules.entry(listener).or_default() += 1_u32;
        }
    }
    let own = listeners
        .iter()
        .filter(|it| it.attributes.reference("load_balancer_arn") == Some(resource.address));
    own.filter_map(|listener| rules.get(listener.address))
        .copied()
        .max()
        .unwrap_or(0)
}
