//! `karma destroy [DIR]`

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use karma_aws::{EcsOrchestrator, Session};
use karma_fleet::Fleet;
use karma_ops::{AutoscalingChange, Orchestrator, OrchestratorError, Until};

use crate::deploy::{self, ChangeArguments, EVENTS, Event, Journal, Left, Tools};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::{self, Begun, Outcome, PatienceArgument};
use crate::printer::Printer;
use crate::question::{Reply, YesArgument};
use crate::settings::StackDirectory;
use crate::stack::{Loaded, Reporter};
use crate::terraform::{PlanFor, State, Terraform};
use crate::wiring;

const STEPS: [&str; 5] = ["init", "drain", "empty", "destroy", "left"];

/// Take the stack away from AWS again, with everything in it
///
/// Asks for the name of its cluster first. Then it has every service end its tasks, as they end in a deployment; deletes the images in its repositories,
/// which would not go otherwise; has Terraform destroy everything; and lists what is left: what Terraform refuses to delete, such as a bucket with data in
/// it or a protected load balancer, and what was never Terraform's, such as log groups that AWS has made, and the revisions of task definitions, which ECS
/// keeps. Run it again after Ctrl-C: it goes on.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = format!("{EVENTS}\n\nExample: karma destroy terraform"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    change: ChangeArguments,

    #[command(flatten)]
    patience: PatienceArgument,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let work =
        async |loaded: Loaded, fleet: &Fleet, journal: &Journal| destroy(arguments, &loaded, fleet, journal).await;
    arguments
        .change
        .run("destroy", &STEPS, Reporter { json, printer }, work)
}

async fn destroy(
    arguments: &Arguments,
    loaded: &Loaded,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<ExitStatus, Failure> {
    let Tools { session, terraform } = &arguments.change.tools(loaded, journal).await?;
    let before = journal.long_step(init(terraform)).await?;
    if before.is_empty() {
        return journal.finish("nothing_is_there", ExitStatus::Yes);
    }
    if ask(arguments.change.yes, loaded, fleet, &before, journal).await? == Reply::No {
        return journal.finish("nothing_was_changed", ExitStatus::No);
    }
    journal
        .step(drain(arguments, &loaded.directory, session, fleet, journal))
        .await?;
    journal.step(empty(session, fleet)).await?;
    let destroyed = journal.long_step(take_away(terraform, journal)).await;
    if let Err(failure) = &destroyed {
        journal.printer.error(&failure.render());
    }
    let after = terraform.state().await?;
    let what = Left {
        session,
        directory: &loaded.directory,
        fleet,
        before: &before,
        after: &after,
    };
    let left = journal.step(left(what)).await?;
    journal.event(&Event::Left { what: &left })?;
    for what in &left {
        journal.data(&format!("{what}\n"))?;
    }
    destroyed.map_err(|_| {
        Failure::unable("Terraform could not delete everything").hint("mend what it says above, and run this again")
    })?;
    journal.finish("destroyed", ExitStatus::Yes)
}

async fn init(terraform: &Terraform) -> Result<(State, String), Failure> {
    terraform.init().await?;
    let state = terraform.state().await?;
    let count = state.addresses().count();
    Ok((state, format!("{count} resources are there")))
}

/// The name that is typed back is the one that AWS shows.
async fn ask(
    yes: YesArgument,
    loaded: &Loaded,
    fleet: &Fleet,
    state: &State,
    journal: &Journal,
) -> Result<Reply, Failure> {
    let directory = loaded.directory.path().display().to_string();
    let name = fleet
        .clusters
        .values()
        .next()
        .map_or(directory, |cluster| cluster.name.clone());
    let count = state.addresses().count();
    let question =
        format!("All {count} resources of this stack are deleted, with the data, images and secrets in them.");
    yes.confirm_by_name(&question, &name, journal.printer).await
}

/// Every service ends its tasks, and nobody starts them again.
async fn drain(
    arguments: &Arguments,
    directory: &StackDirectory,
    session: &Session,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<((), String), Failure> {
    let on: Arc<dyn Orchestrator> = Arc::new(EcsOrchestrator::connect(session, directory.path(), fleet));
    let observation = match on.observe().await {
        Err(OrchestratorError::NotThere { .. }) => return Ok(((), "there is no cluster any more".to_owned())),
        observation => observation.map_err(|error| wiring::failure(&error))?,
    };
    let running = observation
        .services
        .iter()
        .filter(|one| one.desired_count + one.running_count > 0);
    let mut begun = Vec::new();
    for service in running {
        if service.autoscaling.is_some_and(|autoscaling| !autoscaling.suspended) {
            let suspended = on.change_autoscaling(&service.label, AutoscalingChange::Suspend).await;
            suspended.map_err(|error| wiring::failure(&error))?;
        }
        let scaled = on.scale(&service.label, 0).await;
        scaled.map_err(|error| wiring::failure(&error))?;
        begun.push(Begun {
            service: service.label.clone(),
            until: Until::Healthy,
        });
    }
    let outcomes = operation::outcomes(on, begun, arguments.patience.timeout, journal.printer).await?;
    let drained = outcomes.iter().filter(|outcome| outcome.is_stable()).count();
    Ok(((), drained_sentence(drained, &outcomes)))
}

/// One that does not end its tasks in time ends them when it is deleted.
fn drained_sentence(drained: usize, outcomes: &[Outcome]) -> String {
    match outcomes.len() {
        0 => "no service has a task".to_owned(),
        all if all == drained => format!("{all} services have ended their tasks"),
        all => format!("{drained} of {all} services have ended their tasks; the others are deleted with theirs"),
    }
}

/// A repository with images in it is not deleted.
async fn empty(session: &Session, fleet: &Fleet) -> Result<((), String), Failure> {
    let names: Vec<String> = fleet.repositories.values().map(|one| one.name.clone()).collect();
    let mut deleted = 0;
    for name in session.repositories(&names).await?.into_keys() {
        let digests: BTreeSet<String> = session
            .images(&name)
            .await?
            .into_iter()
            .map(|image| image.digest)
            .collect();
        deleted += digests.len();
        session.delete_images(&name, &Vec::from_iter(digests)).await?;
    }
    Ok(((), format!("{deleted} images deleted")))
}

async fn take_away(terraform: &Terraform, journal: &Journal) -> Result<((), String), Failure> {
    let plan = deploy::plan(terraform, PlanFor::Destruction, journal).await?;
    if plan.is_empty() {
        return Ok(((), "nothing to destroy".to_owned()));
    }
    terraform.apply(None).await?;
    Ok(((), format!("{} resources destroyed", plan.counts()[2])))
}

/// What is there all the same.
async fn left(left: Left<'_>) -> Result<(Vec<String>, String), Failure> {
    let left = left.list().await;
    let sentence = match left.len() {
        0 => "nothing is left".to_owned(),
        1 => "one thing is left".to_owned(),
        count => format!("{count} things are left"),
    };
    Ok((left, sentence))
}
