//! `karma metrics [METRIC]…`

mod overview;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use karma_ops::{Datapoint, MetricAnswer, MetricQuery, MetricSelection, MetricSeries, Statistic};

use crate::chart::{bar, largest};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::printer::{Printer, Style};
use crate::quantity::quantity;
use crate::service_names::ServiceNames;
use crate::settings::StackDirectory;
use crate::wiring::{self, Asked};

/// So many blocks is the longest bar.
const WIDTH: usize = 40;

/// From here on two names are taken for a slip of the fingers.
const ALIKE: f64 = 0.8;

const MINUTE: Duration = Duration::from_mins(1);

/// Show what CloudWatch would: how busy the services are, or any metric by its name
///
/// Asks the `karma up` of this stack, which measures each minute as AWS does. It does not ask CloudWatch.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "Example: karma metrics TargetResponseTime --stat p99 --since 1h --period 5m"
)]
pub(crate) struct Arguments {
    /// Only these, such as `CPUUtilization`; without any, an overview of all services
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,

    /// Only of this service, by map key or ECS name
    #[arg(short, long, value_name = "SERVICE")]
    service: Option<String>,

    /// Only of this namespace, such as `AWS/ApplicationELB`
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,

    /// How far to look back
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = duration)]
    since: Duration,

    /// How much time a value stands for: whole minutes
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = period)]
    period: Duration,

    /// avg, sum, min, max, count, or p50, p99.9, … [default: the one that suits the metric]
    #[arg(long, value_name = "STATISTIC", value_parser = statistic)]
    stat: Option<Statistic>,

    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,

    #[command(flatten)]
    on: OnArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let asked = wiring::ask(&directory, &arguments.on, printer)?;
    let query = arguments.query(&asked)?;
    if arguments.metrics.is_empty() && !json {
        return overview::print(&asked, query, printer);
    }
    let answer = asked.metrics(query.clone())?;
    if answer.series.is_empty() && !arguments.metrics.is_empty() {
        return Err(nothing_found(&asked, query, &arguments.metrics)?);
    }
    if json {
        let text = serde_json::to_string_pretty(&answer).expect("an answer is plain data");
        printer.line(&text)?;
    } else {
        let charts: Vec<_> = answer
            .series
            .iter()
            .map(|series| chart(&answer, series, printer))
            .collect();
        printer.data(&charts.join("\n"))?;
    }
    Ok(ExitStatus::Yes)
}

impl Arguments {
    fn query(&self, asked: &Asked) -> Result<MetricQuery, Failure> {
        let resolve = |name: &String| ServiceNames::seen(&asked.observe()?).resolve(name);
        let selection = |name: &String| MetricSelection {
            name: name.clone(),
            statistic: self.stat,
        };
        Ok(MetricQuery {
            metrics: self.metrics.iter().map(selection).collect(),
            namespace: self.namespace.clone(),
            service: self.service.as_ref().map(resolve).transpose()?,
            since: self.since,
            period: self.period,
        })
    }
}

/// A series: what it is, and a line with a bar for each period between its first value and its last.
fn chart(answer: &MetricAnswer, series: &MetricSeries, printer: Printer) -> String {
    let MetricSeries {
        metric,
        statistic,
        unit,
        datapoints,
        ..
    } = series;
    let title = printer.paint(Style::Bold, &format!("{} {}", metric.namespace, metric.name));
    let dimensions = metric.dimensions.iter().map(|(name, value)| format!("{name}={value}"));
    let dimensions = printer.paint(Style::Dim, &dimensions.collect::<Vec<_>>().join(" "));
    let values: BTreeMap<Timestamp, f64> = datapoints.iter().map(|Datapoint { at, value }| (*at, *value)).collect();
    let largest = largest(values.values());
    let mut text = format!("{title}  {statistic}\n{dimensions}\n");
    for at in periods(answer, &values) {
        let time = printer.paint(Style::Dim, &time(answer, at));
        let line = match values.get(&at) {
            Some(value) => format!(
                "{time}  {:>9}  {}",
                quantity(*value, *unit),
                bar(*value, largest, WIDTH)
            ),
            None => format!("{time}  {:>9}", "-"),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The periods between the first value and the last.
fn periods(answer: &MetricAnswer, values: &BTreeMap<Timestamp, f64>) -> Vec<Timestamp> {
    let (Some((first, _)), Some((last, _))) = (values.first_key_value(), values.last_key_value()) else {
        return Vec::new();
    };
    let next = |at: &Timestamp| at.checked_add(answer.period).ok();
    std::iter::successors(Some(*first), next)
        .take_while(|at| at <= last)
        .collect()
}

/// The time of day in UTC; with the date where more than a day is shown.
fn time(answer: &MetricAnswer, at: Timestamp) -> String {
    let is_long = answer.to.duration_since(answer.from) > SignedDuration::from_hours(24);
    at.strftime(if is_long { "%Y-%m-%d %H:%M" } else { "%H:%M" })
        .to_string()
}

/// Why there is nothing: no such name, or nothing of it in this time.
fn nothing_found(asked: &Asked, query: MetricQuery, names: &[String]) -> Result<Failure, Failure> {
    let all = asked.metrics(MetricQuery {
        metrics: Vec::new(),
        ..query
    })?;
    let known: BTreeSet<&str> = all.series.iter().map(|series| series.metric.name.as_str()).collect();
    let failure = Failure::no(format!("nothing was measured of {}", names.join(", ")));
    let likeness = |known: &str| {
        names
            .iter()
            .map(|name| strsim::jaro_winkler(known, name))
            .fold(0.0, f64::max)
    };
    let nearest = known
        .iter()
        .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    Ok(match nearest {
        None => failure.hint("the first values come when the first minute has ended"),
        Some(name) if names.iter().any(|asked| asked == name) => failure.hint("another --stat may have values"),
        Some(name) if likeness(name) > ALIKE => failure.hint(format!("did you mean `{name}`?")),
        Some(_) => failure.hint(format!("there are: {}", Vec::from_iter(known).join(", "))),
    })
}

/// `15m`, `1h 30m`
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| "give a duration such as `15m` or `1h 30m`".to_owned())
}

fn period(text: &str) -> Result<Duration, String> {
    let period = duration(text)?;
    let is_whole = period >= MINUTE && period.as_secs().is_multiple_of(60) && period.subsec_nanos() == 0;
    is_whole
        .then_some(period)
        .ok_or_else(|| "give whole minutes such as `1m` or `1h`".to_owned())
}

/// Names as CloudWatch writes them, and short ones as people type them.
fn statistic(text: &str) -> Result<Statistic, String> {
    let named = match text.to_ascii_lowercase().as_str() {
        "avg" | "average" => Some(Statistic::Average),
        "sum" => Some(Statistic::Sum),
        "min" | "minimum" => Some(Statistic::Minimum),
        "max" | "maximum" => Some(Statistic::Maximum),
        "count" | "samplecount" => Some(Statistic::SampleCount),
        other => other.parse().ok(),
    };
    named.ok_or_else(|| "give avg, sum, min, max, count, or a percentile such as `p99`".to_owned())
}

#[cfg(test)]
mod tests;
