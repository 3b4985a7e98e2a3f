//! A fleet as text: one line a fact, so that a changed fact is a changed line.

use std::fmt::Write;

use karma_fleet::{
    Action, Condition, Container, EnvironmentValue, Fleet, Listener, SecretReference, Service, TargetGroup,
    TaskDefinition,
};
use karma_terraform::{Diagnostic, Diagnostics, Severity, Sources, Span};

pub(crate) fn render(sources: &Sources, fleet: &Fleet, found: &Diagnostics) -> String {
    let mut text = String::new();
    for (address, service) in &fleet.services {
        heading(&mut text, "service", address, &place(sources, &service.declared_at));
        render_service(&mut text, service);
    }
    for (address, definition) in &fleet.task_definitions {
        heading(
            &mut text,
            "task definition",
            address,
            &place(sources, &definition.declared_at),
        );
        render_task_definition(&mut text, definition);
    }
    for (address, load_balancer) in &fleet.load_balancers {
        heading(
            &mut text,
            "load balancer",
            address,
            &place(sources, &load_balancer.declared_at),
        );
        line(
            &mut text,
            1,
            &format!("{}, silent for {:?}", load_balancer.name, load_balancer.idle_timeout),
        );
    }
    for (address, listener) in &fleet.listeners {
        heading(&mut text, "listener", address, &place(sources, &listener.declared_at));
        render_listener(&mut text, listener);
    }
    for (address, group) in &fleet.target_groups {
        heading(&mut text, "target group", address, &place(sources, &group.declared_at));
        render_target_group(&mut text, group);
    }
    render_names(&mut text, fleet);
    let found = diagnostics(sources, found);
    if !found.is_empty() {
        line(&mut text, 0, "diagnostics");
        text.push_str(&found);
    }
    text
}

/// One line for each diagnostic, and one for its help.
pub(crate) fn diagnostics(sources: &Sources, found: &Diagnostics) -> String {
    found
        .iter()
        .map(|diagnostic| render_diagnostic(sources, diagnostic))
        .collect()
}

fn render_diagnostic(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = diagnostic
        .span
        .as_ref()
        .map_or_else(String::new, |span| place(sources, span));
    let help = diagnostic
        .help
        .as_ref()
        .map_or_else(String::new, |help| format!("    help: {help}\n"));
    format!(
        "  {place}: {severity}: {}: {}\n{help}",
        diagnostic.summary, diagnostic.detail
    )
}

fn place(sources: &Sources, span: &Span) -> String {
    let position = sources
        .position(&span.file, span.start)
        .expect("a span lies in its file");
    format!("{}:{}:{}", span.file, position.line, position.column)
}

fn line(text: &mut String, depth: usize, content: &str) {
    writeln!(text, "{:indent$}{content}", "", indent = 2 * depth).expect("a string takes everything");
}

fn heading(text: &mut String, kind: &str, address: &karma_fleet::Address, place: &str) {
    line(text, 0, &format!("{kind} {address} ({place})"));
}

fn render_service(text: &mut String, service: &Service) {
    let cluster = service
        .cluster
        .as_ref()
        .map_or_else(|| "another stack's cluster".to_owned(), ToString::to_string);
    line(
        text,
        1,
        &format!(
            "{} ({}), {} in {cluster}",
            service.label, service.name, service.desired_count
        ),
    );
    line(text, 1, &format!("runs {}", service.task_definition));
    let (least, most) = (
        service.deployment.minimum_healthy_percent,
        service.deployment.maximum_percent,
    );
    line(
        text,
        1,
        &format!("{least} % to {most} %, grace {:?}", service.health_check_grace_period),
    );
    for entry in &service.load_balancers {
        let (name, port, group) = (&entry.container_name, entry.container_port, &entry.target_group);
        line(text, 1, &format!("{name}:{port} behind {group}"));
    }
    if let Some(connect) = &service.service_connect {
        line(
            text,
            1,
            &format!(
                "joins {}",
                connect.namespace.as_deref().unwrap_or("an unnamed namespace")
            ),
        );
        for offer in &connect.services {
            let alias = &offer.client_alias;
            let (port, name) = (&offer.port_name, &offer.discovery_name);
            line(
                text,
                2,
                &format!("{port} as {name}, called {}:{}", alias.dns_name, alias.port),
            );
        }
    }
}

fn render_task_definition(text: &mut String, definition: &TaskDefinition) {
    line(
        text,
        1,
        &format!(
            "{}, {} CPU units, {} MiB",
            definition.family,
            size(definition.cpu),
            size(definition.memory)
        ),
    );
    for container in &definition.containers {
        let rest = if container.essential { "" } else { ", not essential" };
        line(
            text,
            1,
            &format!(
                "{} of {}, stops in {:?}{rest}",
                container.name, container.image, container.stop_timeout
            ),
        );
        render_container(text, container);
    }
}

fn size(size: Option<u32>) -> String {
    size.map_or_else(|| "unset".to_owned(), |size| size.to_string())
}

fn render_container(text: &mut String, container: &Container) {
    for (name, value) in &container.environment {
        let value = match value {
            EnvironmentValue::Known(text) => format!("{text:?}"),
            EnvironmentValue::Unknown(made_of) => format!("unknown, {made_of}"),
        };
        line(text, 2, &format!("environment {name} = {value}"));
    }
    for secret in &container.secrets {
        line(text, 2, &secret_line(secret));
    }
    for mapping in &container.port_mappings {
        line(
            text,
            2,
            &format!(
                "port {} {}",
                mapping.container_port,
                mapping.name.as_deref().unwrap_or("unnamed")
            ),
        );
    }
    if let Some(check) = &container.health_check {
        let times = format!(
            "{:?} {:?} {} {:?}",
            check.interval, check.timeout, check.retries, check.start_period
        );
        line(text, 2, &format!("health {:?} {times}", check.command));
    }
    for dependency in &container.depends_on {
        line(
            text,
            2,
            &format!("after {} {:?}", dependency.container_name, dependency.condition),
        );
    }
    let limits = &container.limits;
    for (name, limit) in [
        ("CPU units", limits.cpu),
        ("MiB", limits.memory),
        ("MiB kept", limits.memory_reservation),
    ] {
        if let Some(limit) = limit {
            line(text, 2, &format!("{limit} {name}"));
        }
    }
    if let Some(user) = &container.user {
        line(text, 2, &format!("as {user}"));
    }
    if let Some(log) = &container.log {
        line(text, 2, &format!("log {} {}", log.group, log.stream_prefix));
    }
    if !container.unmodeled.is_empty() {
        line(text, 2, &format!("not modeled: {}", container.unmodeled.join(", ")));
    }
}

fn secret_line(secret: &SecretReference) -> String {
    let key = secret
        .json_key
        .as_ref()
        .map_or_else(String::new, |key| format!(" key {key}"));
    let address = secret
        .secret
        .as_ref()
        .map_or_else(|| "elsewhere".to_owned(), ToString::to_string);
    format!("secret {} = {}{key} ({address})", secret.name, secret.secret_name)
}

fn render_listener(text: &mut String, listener: &Listener) {
    line(
        text,
        1,
        &format!(
            "{:?} {} of {}",
            listener.protocol, listener.port, listener.load_balancer
        ),
    );
    for rule in &listener.rules {
        let conditions: Vec<String> = rule.conditions.iter().map(condition).collect();
        line(
            text,
            1,
            &format!(
                "{}: {} -> {}",
                rule.priority,
                conditions.join(" and "),
                action(&rule.action)
            ),
        );
    }
    line(text, 1, &format!("else -> {}", action(&listener.default_action)));
}

fn condition(condition: &Condition) -> String {
    match condition {
        Condition::PathPattern(patterns) => format!("path {}", patterns.join(" or ")),
        Condition::HostHeader(patterns) => format!("host {}", patterns.join(" or ")),
        Condition::PathRegex(patterns) => format!("path ~ {}", patterns.join(" or ")),
        Condition::HostRegex(patterns) => format!("host ~ {}", patterns.join(" or ")),
        Condition::HttpHeader { name, values } => format!("{name} {}", values.join(" or ")),
        Condition::HttpHeaderRegex { name, values } => format!("{name} ~ {}", values.join(" or ")),
        Condition::HttpRequestMethod(methods) => format!("method {}", methods.join(" or ")),
        Condition::QueryString(patterns) => format!("query {patterns:?}"),
        Condition::SourceIp(blocks) => {
            let blocks: Vec<_> = blocks
                .iter()
                .map(|block| format!("{}/{}", block.address, block.prefix_length))
                .collect();
            format!("from {}", blocks.join(" or "))
        }
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Forward(forward) => {
            let targets: Vec<String> = forward
                .target_groups
                .iter()
                .map(|target| format!("{} x{}", target.target_group, target.weight))
                .collect();
            let sticky = forward.stickiness.map(|duration| format!(", sticky for {duration:?}"));
            targets.join(", ") + &sticky.unwrap_or_default()
        }
        Action::Redirect(redirect) => format!(
            "{} {}://{}:{}{}?{}",
            redirect.status, redirect.protocol, redirect.host, redirect.port, redirect.path, redirect.query
        ),
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => format!("{status} {content_type} {body}").trim_end().to_owned(),
        Action::Unmodeled(kind) => format!("not modeled: {kind}"),
    }
}

fn render_target_group(text: &mut String, group: &TargetGroup) {
    let (name, port, delay) = (&group.name, group.port, group.deregistration_delay);
    line(
        text,
        1,
        &format!("{name} {port}, {:?}, leaves in {delay:?}", group.algorithm),
    );
    if let Some(stickiness) = &group.stickiness {
        line(text, 1, &format!("sticky {stickiness:?}"));
    }
    let check = &group.health_check;
    let thresholds = format!("up {} down {}", check.healthy_threshold, check.unhealthy_threshold);
    let times = format!("{:?} {:?}", check.interval, check.timeout);
    line(
        text,
        1,
        &format!(
            "health {} {:?} {times} {thresholds} {}",
            check.path, check.port, check.matcher
        ),
    );
}

fn render_names(text: &mut String, fleet: &Fleet) {
    for (address, cluster) in &fleet.clusters {
        line(text, 0, &format!("cluster {address} {}", cluster.name));
    }
    for (address, repository) in &fleet.repositories {
        line(text, 0, &format!("repository {address} {}", repository.name));
    }
    for (address, group) in &fleet.log_groups {
        line(
            text,
            0,
            &format!(
                "log group {address} {}, {} days",
                group.name,
                size(group.retention_in_days)
            ),
        );
    }
    for (address, secret) in &fleet.secrets {
        line(text, 0, &format!("secret {address} {}", secret.name));
    }
    for address in &fleet.unmodeled {
        line(text, 0, &format!("not modeled {address}"));
    }
}
