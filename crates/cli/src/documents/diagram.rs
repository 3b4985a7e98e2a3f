//! How a request comes in and how an agent gets out, drawn from the stack: nothing is in the picture that is not in the plan.

use std::collections::BTreeSet;

use karma_fleet::{Listener, ListenerProtocol, LoadBalancer, Service};
use karma_terraform::{Address, ResourceInstance, Value};

use super::facts::{Facts, paths};

/// The subnets that something is in: name and zone of each.
type Subnets<'a> = BTreeSet<(&'a str, &'a str)>;

/// Draws boxes from the clients through the stack, inside a code fence.
pub(super) fn draw(facts: &Facts<'_>) -> String {
    let balancers = facts.fleet.load_balancers.iter();
    let mut boxes: Vec<Vec<String>> = balancers
        .map(|(address, balancer)| load_balancer(address, balancer, facts))
        .collect();
    boxes.push(services(facts));
    boxes.push(ways_out(facts));
    boxes.retain(|lines| !lines.is_empty());
    let lines = boxes.iter().flatten();
    let width = lines.map(|line| line.chars().count()).max().unwrap_or(0);
    let boxes: Vec<String> = boxes.iter().map(|lines| framed(lines, width)).collect();
    format!("```text\n{}\n{}```\n", centered("clients", width), boxes.concat())
}

/// A load balancer, where it is and where it listens.
fn load_balancer(address: &Address, balancer: &LoadBalancer, facts: &Facts<'_>) -> Vec<String> {
    let subnets = attribute(address, "subnets", facts).map_or_else(Subnets::new, |subnets| facts.subnets(subnets));
    let listeners = facts.fleet.listeners.values();
    let mut lines = vec![format!("load balancer {}{}", balancer.name, within(&subnets))];
    lines.extend(
        listeners
            .filter(|listener| listener.load_balancer == *address)
            .map(listens),
    );
    lines
}

fn listens(listener: &Listener) -> String {
    let protocol = match listener.protocol {
        ListenerProtocol::Http => "HTTP",
        ListenerProtocol::Https => "HTTPS",
    };
    format!("  {protocol} on port {}, by the first rule that matches", listener.port)
}

/// The services, a line each, with the paths that lead to them.
fn services(facts: &Facts<'_>) -> Vec<String> {
    let services = facts.fleet.services.iter();
    let rows: Vec<[String; 3]> = services.clone().map(|(_, service)| row(service, facts)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let mut lines: Vec<String> = heading(facts).into_iter().collect();
    lines.extend(
        rows.iter()
            .map(|[paths, name, size]| format!("  {paths:first$}  {name:second$}  {size}")),
    );
    lines
}

/// In which subnets and on which capacity the services run.
fn heading(facts: &Facts<'_>) -> Option<String> {
    let (mut subnets, mut capacity) = (Subnets::new(), BTreeSet::new());
    for address in facts.fleet.services.keys() {
        let network = attribute(address, "network_configuration", facts);
        subnets.extend(network.into_iter().flat_map(|network| facts.subnets(network)));
        let strategy = attribute(address, "capacity_provider_strategy", facts).and_then(Value::as_elements);
        let provider = |it: &'_ Value| it.as_object()?.get("capacity_provider")?.as_str().map(str::to_owned);
        capacity.extend(strategy.into_iter().flatten().filter_map(provider));
    }
    let capacity: Vec<String> = capacity.into_iter().collect();
    let on = if capacity.is_empty() { "" } else { " on " };
    let heading = format!("tasks{on}{}{}", capacity.join(", "), within(&subnets));
    (!facts.fleet.services.is_empty()).then_some(heading)
}

fn row(service: &Service, facts: &Facts<'_>) -> [String; 3] {
    let rules = facts.rules_of(service);
    let paths: Vec<&str> = rules.iter().flat_map(|(_, rule)| paths(rule)).collect();
    let ports: Vec<String> = service
        .load_balancers
        .iter()
        .map(|it| format!(":{}", it.container_port))
        .collect();
    let definition = facts.fleet.task_definitions.get(&service.task_definition);
    let size = definition.and_then(|it| Some(format!("{} CPU units, {} MiB", it.cpu?, it.memory?)));
    let ways = if paths.is_empty() {
        String::new()
    } else {
        format!("{} →", paths.join(" "))
    };
    [
        ways,
        format!("{}{}", service.label, ports.concat()),
        size.unwrap_or_default(),
    ]
}

/// How a task reaches what is not in the VPC.
fn ways_out(facts: &Facts<'_>) -> Vec<String> {
    let endpoints = facts.of_kind("aws_vpc_endpoint").filter_map(endpoint);
    let gateways = facts.of_kind("aws_nat_gateway").map(|gateway| {
        let subnet = gateway.attributes.get("subnet_id");
        let subnets = subnet.map_or_else(Subnets::new, |subnet| facts.subnets(subnet));
        format!("NAT gateway{} → all else", within(&subnets))
    });
    endpoints.chain(gateways).collect()
}

fn endpoint(endpoint: &ResourceInstance) -> Option<String> {
    let text = |name: &str| endpoint.attributes.get(name)?.as_str();
    let service = text("service_name")?.split('.').skip(3).collect::<Vec<_>>().join(".");
    Some(format!(
        "{} endpoint → {service}",
        text("vpc_endpoint_type")?.to_lowercase()
    ))
}

fn attribute<'a>(address: &Address, name: &str, facts: &Facts<'a>) -> Option<&'a Value> {
    facts.stack.resources.get(address)?.attributes.get(name)
}

/// ` in the public subnets of us-east-1a, us-east-1b`
fn within(subnets: &Subnets<'_>) -> String {
    let names: BTreeSet<&str> = subnets.iter().map(|(name, _)| *name).collect();
    let zones: BTreeSet<&str> = subnets.iter().map(|(_, zone)| *zone).collect();
    let list = |words: BTreeSet<&str>| words.into_iter().collect::<Vec<_>>().join(", ");
    match subnets.len() {
        0 => String::new(),
        1 => format!(" in the {} subnet of {}", list(names), list(zones)),
        _ => format!(" in the {} subnets of {}", list(names), list(zones)),
    }
}

/// Lines in a frame that the arrow from above comes into.
fn framed(lines: &[String], width: usize) -> String {
    let left = "─".repeat(middle(width) - 1);
    let right = "─".repeat(width + 3 - middle(width) - 1);
    let inside: Vec<String> = lines.iter().map(|line| format!("│ {line:width$} │\n")).collect();
    format!(
        "{}\n┌{left}▼{right}┐\n{}└{}┘\n",
        centered("│", width),
        inside.concat(),
        "─".repeat(width + 2)
    )
}

/// The column of the arrows, counted from zero.
fn middle(width: usize) -> usize {
    usize::midpoint(width, 4)
}

fn centered(text: &str, width: usize) -> String {
    let before = middle(width).saturating_sub(text.chars().count() / 2);
    format!("{}{text}", " ".repeat(before))
}
