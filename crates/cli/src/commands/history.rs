//! `karma history [SERVICE]…`

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use karma_aws::{EcsOrchestrator, Revision, RevisionStatus};
use karma_ops::{Orchestrator as _, OrchestratorError};
use serde_json::{Value, json};

use crate::age;
use crate::deploy;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::AwsArguments;
use crate::printer::{Printer, Style};
use crate::service_names::ServiceNames;
use crate::settings::DirectoryArgument;
use crate::stack::{self, Given};
use crate::table::{Cell, Table};
use crate::variables::VariableArguments;
use crate::wiring;

/// Print what services have run on AWS: the revisions of their task definitions
///
/// ECS keeps them, so every machine sees the same. A revision is told with its images' digests, its time, who registered it and its tags; the one that runs
/// now is marked.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma history validator -n 5")]
pub(crate) struct Arguments {
    /// Only these services, by map key or ECS name
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,

    /// So many revisions of each service, the newest
    #[arg(short = 'n', long, default_value_t = 10, value_name = "COUNT")]
    limit: usize,

    #[command(flatten)]
    directory: DirectoryArgument,

    #[command(flatten)]
    variables: VariableArguments,

    #[command(flatten)]
    aws: AwsArguments,
}

/// A revision of a service.
struct Past {
    service: String,
    family: String,
    revision: Revision,
    runs: bool,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let past = wiring::block_on(past(arguments, printer))?;
    if json {
        let revisions: Vec<Value> = past.iter().map(Past::json).collect();
        printer.line(&Value::from(revisions).to_string())?;
    } else {
        printer.data(&table(&past, Timestamp::now()).render(printer))?;
    }
    Ok(ExitStatus::Yes)
}

async fn past(arguments: &Arguments, printer: Printer) -> Result<Vec<Past>, Failure> {
    let directory = arguments.directory.resolve()?;
    let (stack, fleet) = stack::evaluate_quietly(&directory, Given::variables(&arguments.variables)?)?;
    let wanted = ServiceNames::declared(&fleet).resolve_all(&arguments.services)?;
    let session = arguments.aws.session(stack::region(&stack), printer).await?;
    let running = running(EcsOrchestrator::connect(&session, directory.path(), &fleet)).await?;
    let mut past = Vec::new();
    for label in wanted {
        let Some(family) = deploy::family(&fleet, &label) else {
            continue;
        };
        for revision in session.revisions(family, arguments.limit).await? {
            past.push(Past {
                runs: running.get(&label) == Some(&format!("{family}:{}", revision.revision)),
                service: label.clone(),
                family: family.to_owned(),
                revision,
            });
        }
    }
    Ok(past)
}

/// The task definition that each service runs. Of a stack that was destroyed none does, and ECS remembers its revisions.
async fn running(on: EcsOrchestrator) -> Result<BTreeMap<String, String>, Failure> {
    let observation = match on.observe().await {
        Err(OrchestratorError::NotThere { .. }) => return Ok(BTreeMap::new()),
        observation => observation.map_err(|error| wiring::failure(&error))?,
    };
    let services = observation.services.into_iter();
    Ok(services
        .map(|service| (service.label, service.task_definition))
        .collect())
}

fn table(past: &[Past], now: Timestamp) -> Table {
    let mut table = Table::new(["SERVICE", "REVISION", "AGE", "STATE", "IMAGE", "BY", "TAGS"]);
    for Past {
        service,
        revision,
        runs,
        ..
    } in past
    {
        let state = match (runs, revision.status) {
            (true, _) => Cell::styled("running", Style::Green),
            (false, RevisionStatus::Active) => Cell::from("active"),
            (false, RevisionStatus::Inactive) => Cell::styled("inactive", Style::Dim),
        };
        table.row([
            Cell::from(service),
            Cell::number(revision.revision.to_string()),
            Cell::from(age::since(revision.registered_at, now)),
            state,
            Cell::from(versions(revision)),
            Cell::from(revision.registered_by.as_deref().map_or("-", who)),
            Cell::from(tags(revision)),
        ]);
    }
    table
}

/// `sha256:0123456789ab`, or the tag where there is no digest; several containers in the order of their names.
fn versions(revision: &Revision) -> String {
    let version = |reference: &String| match reference.split_once('@') {
        Some((_, digest)) => digest.chars().take("sha256:".len() + 12).collect(),
        None => reference.rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let versions: Vec<String> = revision.images.values().map(version).collect();
    versions.join(" ")
}

/// `user/ann` of `arn:aws:iam::123456789012:user/ann`
fn who(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

fn tags(revision: &Revision) -> String {
    let tags: Vec<String> = revision
        .tags
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    tags.join(" ")
}

impl Past {
    fn json(&self) -> Value {
        let revision = &self.revision;
        json!({
            "service": self.service,
            "family": self.family,
            "revision": revision.revision,
            "registered_at": revision.registered_at,
            "registered_by": revision.registered_by,
            "active": revision.status == RevisionStatus::Active,
            "running": self.runs,
            "images": revision.images,
            "tags": revision.tags,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_registered_it_is_named_without_the_account() {
        assert_eq!(who("arn:aws:iam::123456789012:user/ann"), "user/ann");
        assert_eq!(
            who("arn:aws:sts::123456789012:assumed-role/deploy/ci:7"),
            "assumed-role/deploy/ci:7"
        );
        assert_eq!(who("ann"), "ann");
    }
}
