//! `aws_ecs_cluster`: free but for Container Insights, which makes metrics and logs of its own.
//!
//! AWS publishes which metrics there are and what each is a metric of, not how many a cluster pays for. Here they are counted from these
//! tables, for Linux on Fargate without volumes and restart policies. It is an estimate: a bill of the past is the judge.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html>
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-enhanced-observability-metrics-ECS.html>

use std::collections::BTreeMap;

use karma_terraform::{Address, Value};

use super::log_group::months_kept;
use crate::attributes::{Attributes, elements};
use crate::biller::Biller;
use crate::inventory::{Resource, count};
use crate::meter;
use crate::service::{HOURS, Service};
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let settings = resource.attributes.blocks("setting");
    let insights = settings
        .iter()
        .find(|setting| setting.text("name") == Some("containerInsights"));
    let services = || {
        bill.inventory
            .services
            .iter()
            .filter(|service| service.cluster == Some(resource.address))
    };
    match insights.and_then(|setting| setting.text("value")) {
        Some("enabled") => {
            let metrics = standard_metrics(services());
            let because = "12 for the cluster, 15 for each service, 10 for each task family with tasks: at most so many, by AWS's tables";
            let logs = log_gb(services());
            bill.fixed(resource.address, &meter::METRICS, metrics, because);
            price_logs(resource, logs, bill);
        }
        Some("enhanced") => {
            let metrics = enhanced_metrics(services());
            let because = "25 for the cluster, and for each service 21, task family 16 and task 32, all with those of their containers; \
                           low counts those of a task once: AWS does not say";
            let logs = log_gb(services());
            bill.fixed(resource.address, &meter::INSIGHTS_ENHANCED, metrics, because);
            price_logs(resource, logs, bill);
        }
        _ => bill.free(resource.address),
    }
}

/// A metric is paid for by the hour in which it is written, and that is while something runs.
fn months(hours: Estimate<Quantity>, metrics: u32) -> Estimate<Quantity> {
    hours.map(|hours| hours.times(metrics).per(HOURS))
}

fn standard_metrics<'s>(services: impl Iterator<Item = &'s Service<'s>> + Clone) -> Estimate<Quantity> {
    let of_services: Estimate<Quantity> = services.clone().map(|service| months(service.tasks.any(), 15)).sum();
    let of_families: Estimate<Quantity> = families(services)
        .into_values()
        .map(|(hours, _)| months(hours, 10))
        .sum();
    Estimate::certain(Quantity::from(12_u32)) + of_services + of_families
}

fn enhanced_metrics<'s>(services: impl Iterator<Item = &'s Service<'s>> + Clone) -> Estimate<Quantity> {
    let of_services = services
        .clone()
        .map(|service| months(service.tasks.any(), 21 + container_metrics(service.definition)));
    let of_families = families(services.clone())
        .into_values()
        .map(|(hours, containers)| months(hours, 16 + containers));
    let of_tasks = services.map(|service| {
        let once = months(service.tasks.all(), 16 + container_metrics(service.definition));
        // By task, and by task and service: AWS does not say whether both are kept.
        Estimate {
            low: once.low,
            expected: once.expected.times(2_u32),
            high: once.high.times(2_u32),
        }
    });
    let running: Estimate<Quantity> = of_services.chain(of_families).chain(of_tasks).sum();
    Estimate::certain(Quantity::from(25_u32)) + running
}

/// Task families by address: hours in which one runs, at most those of a month, and the metrics of its containers.
fn families<'s>(services: impl Iterator<Item = &'s Service<'s>>) -> BTreeMap<&'s Address, (Estimate<Quantity>, u32)> {
    let mut families = BTreeMap::<_, (Estimate<Quantity>, u32)>::new();
    for service in services {
        let (hours, _) = families
            .entry(service.family)
            .or_insert((Estimate::default(), container_metrics(service.definition)));
        *hours = hours.with(service.tasks.any(), Ord::max);
    }
    families
}

/// Seven for each container, and one more where it has a health check.
fn container_metrics(definition: Option<Attributes<'_>>) -> u32 {
    let containers = definition.map(containers).unwrap_or_default();
    let metrics = |container: &Container| 7 + u32::from(container.has_health_check);
    // A definition that is not known has one container at least.
    containers.map_or(7, |containers| containers.iter().map(metrics).sum())
}

struct Container {
    has_health_check: bool,
}

/// The containers of a definition, as far as it can be read before apply.
fn containers(definition: Attributes<'_>) -> Option<Vec<Container>> {
    let list = definition.json("container_definitions")?;
    let read = |container: &Value| {
        let health_check = container.as_object().and_then(|members| members.get("healthCheck"));
        Container {
            has_health_check: health_check.is_some_and(|it| !it.is_null()),
        }
    };
    Some(elements(&list).iter().map(read).collect()).filter(|all: &Vec<_>| !all.is_empty())
}

/// Gibibytes of performance events, one a minute of each: 371 bytes for a cluster, 541 for a service, 1303 for a task and 645 for a
/// container, by the size of AWS's examples.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html>
fn log_gb<'s>(services: impl Iterator<Item = &'s Service<'s>> + Clone) -> Estimate<Quantity> {
    let of_service = |service: &Service<'_>| {
        let containers = service
            .definition
            .and_then(containers)
            .map_or(1, |all| count(all.len()));
        let of_tasks = service.tasks.all().map(|hours| hours.times(1303 + 645 * containers));
        of_tasks + service.tasks.any().map(|hours| hours.times(541_u32))
    };
    let of_cluster = Estimate::certain(Quantity::from(HOURS).times(371_u32));
    let bytes_a_minute = of_cluster + services.map(of_service).sum();
    bytes_a_minute.map(|bytes| bytes.times(60_u32).per(1_u32 << 30))
}

fn price_logs(resource: &Resource<'_>, gb: Estimate<Quantity>, bill: &mut Biller<'_>) {
    let because = "Container Insights' own events, by the size of AWS's examples";
    bill.fixed(resource.address, &meter::LOGS, gb, because);
    // AWS does not say how long the log group that it makes keeps them; here a week.
    let kept = gb.map(|gb| gb.times(months_kept(7)));
    bill.fixed(
        resource.address,
        &meter::LOGS_KEPT,
        kept,
        "Container Insights' own events, for a week",
    );
}
