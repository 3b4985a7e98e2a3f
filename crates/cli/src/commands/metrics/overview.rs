//! The services at a glance: a line for each, with how it has been over the time that is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_ops::{MetricAnswer, MetricQuery, MetricSelection, MetricSeries, Statistic, Unit};

use crate::chart::sparkline;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::table::{Cell, Table};
use crate::wiring::Asked;

const CPU: (&str, Statistic) = ("CPUUtilization", Statistic::Average);
const MEMORY: (&str, Statistic) = ("MemoryUtilization", Statistic::Average);
const REQUESTS: (&str, Statistic) = ("RequestCount", Statistic::Sum);
const MEDIAN: (&str, Statistic) = ("TargetResponseTime", Statistic::Percentile(50.0));
const SLOWEST: (&str, Statistic) = ("TargetResponseTime", Statistic::Percentile(99.0));
const ERRORS: (&str, Statistic) = ("HTTPCode_Target_5XX_Count", Statistic::Sum);

/// Asks and prints. Services of which nothing has been measured have their line, too.
pub(super) fn print(asked: &Asked, query: MetricQuery, printer: Printer) -> Result<ExitStatus, Failure> {
    let metrics = [CPU, MEMORY, REQUESTS, MEDIAN, SLOWEST, ERRORS];
    let observation = asked.observe()?;
    let wanted = query.service.clone();
    let query = MetricQuery {
        metrics: metrics
            .map(|(name, statistic)| MetricSelection::new(name, statistic))
            .into(),
        ..query
    };
    let answer = asked.metrics(query)?;
    let labels = observation.services.iter().map(|service| service.label.as_str());
    let labels: Vec<&str> = labels
        .filter(|label| wanted.as_ref().is_none_or(|wanted| wanted == label))
        .collect();
    printer.data(&table(&answer, &labels).render(printer))?;
    if answer.series.is_empty() {
        printer.talk("nothing has been measured yet: the first values come when the first minute has ended");
    }
    Ok(ExitStatus::Yes)
}

/// A line for each label.
pub(super) fn table(answer: &MetricAnswer, labels: &[&str]) -> Table {
    let mut table = Table::new(["SERVICE", "CPU", "", "MEMORY", "", "REQ/MIN", "", "P50", "P99", "5XX"]);
    for label in labels {
        let of = Service::of(answer, label);
        let (cpu, memory) = (of.values(CPU), of.values(MEMORY));
        let requests: Vec<_> = of
            .values(REQUESTS)
            .into_iter()
            .map(|value| value.map(|sum| sum / minutes(answer)))
            .collect();
        table.row([
            Cell::from(*label),
            last(&cpu, Unit::Percent),
            Cell::from(sparkline(&cpu)),
            last(&memory, Unit::Percent),
            Cell::from(sparkline(&memory)),
            last(&requests, Unit::Count),
            Cell::from(sparkline(&requests)),
            last(&of.values(MEDIAN), Unit::Seconds),
            last(&of.values(SLOWEST), Unit::Seconds),
            errors(&of.values(ERRORS)),
        ]);
    }
    table
}

fn minutes(answer: &MetricAnswer) -> f64 {
    answer.period.as_secs_f64() / 60.0
}

/// The last value of all.
fn last(values: &[Option<f64>], unit: Unit) -> Cell {
    let last = values.iter().rev().find_map(|value| *value);
    last.map_or_else(|| "-".to_owned(), |value| quantity(value, unit))
        .into()
}

/// How many there were in all the time that is shown.
fn errors(values: &[Option<f64>]) -> Cell {
    let Some(sum) = values.iter().copied().flatten().reduce(|sum, value| sum + value) else {
        return "-".into();
    };
    let text = quantity(sum, Unit::Count);
    if sum > 0.0 {
        Cell::styled(text, Style::Red)
    } else {
        text.into()
    }
}

/// What is known of one service.
struct Service<'a> {
    series: Vec<&'a MetricSeries>,
    /// Every period of which anything is known about any service.
    periods: Vec<Timestamp>,
}

impl<'a> Service<'a> {
    fn of(answer: &'a MetricAnswer, label: &str) -> Self {
        let points = answer.series.iter().flat_map(|series| &series.datapoints);
        let mut periods: Vec<_> = points.map(|point| point.at).collect();
        periods.sort_unstable();
        periods.dedup();
        let is_its = |series: &&MetricSeries| series.service.as_deref() == Some(label) && is_shown(series);
        Self {
            series: answer.series.iter().filter(is_its).collect(),
            periods,
        }
    }

    /// The value of each period. Of a service that several target groups lead to, sums are added up, and else the largest counts.
    fn values(&self, (name, statistic): (&str, Statistic)) -> Vec<Option<f64>> {
        let is_meant = |series: &&&MetricSeries| series.metric.name == name && series.statistic == statistic;
        let mut values = BTreeMap::<Timestamp, f64>::new();
        for point in self
            .series
            .iter()
            .filter(is_meant)
            .flat_map(|series| &series.datapoints)
        {
            let known = values.entry(point.at).or_default();
            *known = if statistic == Statistic::Sum {
                *known + point.value
            } else {
                known.max(point.value)
            };
        }
        // Where something was measured and this was not counted, it was zero.
        let missing = (statistic == Statistic::Sum && !self.series.is_empty()).then_some(0.0);
        self.periods
            .iter()
            .map(|at| values.get(at).copied().or(missing))
            .collect()
    }
}

/// What went through the load balancer; what goes through Service Connect has the same names in another namespace.
fn is_shown(series: &MetricSeries) -> bool {
    let dimensions = &series.metric.dimensions;
    match series.metric.namespace.as_str() {
        "AWS/ECS" => dimensions.contains_key("ServiceName") && !dimensions.contains_key("DiscoveryName"),
        "AWS/ApplicationELB" => dimensions.contains_key("TargetGroup"),
        _ => false,
    }
}
