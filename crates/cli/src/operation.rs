//! What the commands that change a running fleet have in common: whom they ask, and how they follow what they have begun.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use karma_ops::{
    DeploymentId, NotStable, Observation, Orchestrator, Stable, TaskObservation, Until, WaitError, wait_until,
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::OnArguments;
use crate::printer::{Printer, Style};
use crate::progress;
use crate::service_names::ServiceNames;
use crate::settings::StackDirectory;
use crate::stopped;
use crate::table::{Cell, Table};
use crate::wiring;

/// How long to follow what was begun.
#[derive(Debug, Args)]
pub(crate) struct FollowArguments {
    /// Come back as soon as it has begun
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    patience: PatienceArgument,
}

impl FollowArguments {
    /// Nothing is to be followed.
    pub(crate) fn is_skipped(&self) -> bool {
        self.no_wait
    }

    /// So long to follow it.
    pub(crate) fn timeout(&self) -> Duration {
        self.patience.timeout
    }
}

/// How long to wait.
#[derive(Debug, Args)]
pub(crate) struct PatienceArgument {
    /// Wait no longer: `90s`, `10m`
    #[arg(long = "timeout", env = "KARMA_TIMEOUT", value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// A fleet that can be asked, and what it says of itself.
pub(crate) struct RunningFleet {
    pub(crate) orchestrator: Arc<dyn Orchestrator>,
    pub(crate) observation: Observation,
    pub(crate) names: ServiceNames,
}

impl RunningFleet {
    pub(crate) async fn find(directory: &StackDirectory, on: &OnArguments, printer: Printer) -> Result<Self, Failure> {
        Self::of(wiring::orchestrator(directory, on, printer).await?).await
    }

    pub(crate) async fn of(orchestrator: Arc<dyn Orchestrator>) -> Result<Self, Failure> {
        let observation = orchestrator.observe().await.map_err(|error| wiring::failure(&error))?;
        Ok(Self {
            names: ServiceNames::seen(&observation),
            orchestrator,
            observation,
        })
    }
}

/// A service, and what it is to become.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// Its label.
    pub(crate) service: String,
    pub(crate) until: Until,
}

impl Begun {
    /// A deployment was begun.
    pub(crate) fn deployment(service: String, deployment: DeploymentId) -> Self {
        let deployment = Some(deployment);
        Self {
            service,
            until: Until::Stable { deployment },
        }
    }
}

/// Follows what was begun to its end, or says how to.
pub(crate) async fn finish(
    on: Arc<dyn Orchestrator>,
    begun: Vec<Begun>,
    follow: &FollowArguments,
    json: bool,
    printer: Printer,
) -> Result<ExitStatus, Failure> {
    if !follow.no_wait {
        return wait_for(on, begun, follow.patience.timeout, json, printer).await;
    }
    if json {
        let services: Vec<Value> = begun.iter().map(begun_json).collect();
        printer.line(&Value::from(services).to_string())?;
    }
    let labels: Vec<_> = begun.into_iter().map(|one| one.service).collect();
    let wait = next(&*on, "wait", &labels.join(" "));
    printer.talk(&format!("it has begun; see how it ends: {wait}"));
    Ok(ExitStatus::Yes)
}

/// Waits for all of it at once and prints how each has ended. One that does not become what it should makes the answer no.
pub(crate) async fn wait_for(
    on: Arc<dyn Orchestrator>,
    begun: Vec<Begun>,
    patience: Duration,
    json: bool,
    printer: Printer,
) -> Result<ExitStatus, Failure> {
    let outcomes = outcomes(Arc::clone(&on), begun, patience, printer).await?;
    if json {
        let services: Vec<Value> = outcomes.iter().map(Outcome::json).collect();
        printer.line(&Value::from(services).to_string())?;
    } else {
        printer.data(&table(&outcomes).render(printer))?;
    }
    for outcome in &outcomes {
        if let Some(why) = outcome.why(&*on) {
            printer.error(why.trim_end());
        }
    }
    let all = outcomes.iter().all(Outcome::is_stable);
    Ok(if all { ExitStatus::Yes } else { ExitStatus::No })
}

/// How it has ended for one service.
pub(crate) struct Outcome {
    service: String,
    end: Result<Stable, WaitError>,
}

/// Waits for all of it at once; in the order in which they were begun.
pub(crate) async fn outcomes(
    on: Arc<dyn Orchestrator>,
    begun: Vec<Begun>,
    patience: Duration,
    printer: Printer,
) -> Result<Vec<Outcome>, Failure> {
    let mut waits = JoinSet::new();
    for (position, Begun { service, until }) in begun.into_iter().enumerate() {
        let on = Arc::clone(&on);
        waits.spawn(async move {
            let tell = |under_way: &karma_ops::UnderWay| progress::line(&service, &under_way.tasks, printer);
            let end = wait_until(&*on, &service, until, patience, tell).await;
            (position, Outcome { service, end })
        });
    }
    let mut outcomes = waits.join_all().await;
    outcomes.sort_by_key(|(position, _)| *position);
    let outcomes = outcomes.into_iter().map(|(_, outcome)| match outcome.end {
        Err(WaitError::Orchestrator(error)) => Err(wiring::failure(&error)),
        _ => Ok(outcome),
    });
    outcomes.collect()
}

/// A row for each.
pub(crate) fn table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new(["SERVICE", "OUTCOME", "REVISION", "TASKS"]);
    for Outcome { service, end } in outcomes {
        let (word, style) = word(end);
        let stable = end.as_ref().ok();
        table.row([
            Cell::from(service),
            Cell::styled(word, style),
            Cell::from(stable.map_or("-", |stable| &stable.task_definition)),
            Cell::from(stable.map_or_else(|| "-".to_owned(), |stable| stable.running_count.to_string())),
        ]);
    }
    table
}

fn word(end: &Result<Stable, WaitError>) -> (&'static str, Style) {
    match end {
        Ok(_) => ("stable", Style::Green),
        Err(WaitError::NotStable(NotStable::RolledBack { .. })) => ("rolled back", Style::Red),
        Err(WaitError::NotStable(NotStable::Superseded { .. })) => ("replaced", Style::Yellow),
        Err(WaitError::NotStable(_)) => ("failed", Style::Red),
        Err(_) => ("not yet", Style::Yellow),
    }
}

impl Outcome {
    /// It has become what it should.
    pub(crate) fn is_stable(&self) -> bool {
        self.end.is_ok()
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        match &self.end {
            Ok(stable) => json!({
                "service": self.service,
                "outcome": "stable",
                "task_definition": stable.task_definition,
                "running_count": stable.running_count,
            }),
            Err(error) => json!({
                "service": self.service,
                "outcome": word(&self.end).0.replace(' ', "_"),
                "reason": error.to_string(),
                "stopped": self.stopped(),
            }),
        }
    }

    /// What is wrong, and the tasks that tell why.
    pub(crate) fn why(&self, on: &dyn Orchestrator) -> Option<String> {
        let error = self.end.as_ref().err()?;
        let mut text = format!("error: {}: {error}\n", self.service);
        let stopped = self.stopped();
        for task in &stopped {
            text.push_str(&stopped::account(task));
        }
        let hint = if stopped.is_empty() {
            next(on, "status", "")
        } else {
            next(on, "logs -p", &self.service)
        };
        text.push_str(&format!("hint: {hint}"));
        Some(text)
    }

    fn stopped(&self) -> Vec<&TaskObservation> {
        match &self.end {
            Err(WaitError::NotStable(NotStable::Failed { stopped, .. } | NotStable::RolledBack { stopped, .. })) => {
                stopped.iter().collect()
            }
            Err(WaitError::OutOfPatience { service, .. }) => {
                let stopped = service.tasks.iter().filter(|task| task.stopped_at.is_some());
                stopped.max_by_key(|task| task.stopped_at).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The next command to type, for the same fleet.
fn next(on: &dyn Orchestrator, verb: &str, of: &str) -> String {
    let place = if on.name() == "local" {
        String::new()
    } else {
        format!("--on {}", on.name())
    };
    let words = ["karma", verb, of, &place].into_iter().filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn begun_json(begun: &Begun) -> Value {
    match &begun.until {
        Until::Stable { deployment } => json!({ "service": begun.service, "deployment": deployment }),
        Until::Healthy => json!({ "service": begun.service }),
        Until::Revision { task_definition } => json!({ "service": begun.service, "task_definition": task_definition }),
    }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "give a duration such as `90s` or `10m`".to_owned();
    let duration: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}
