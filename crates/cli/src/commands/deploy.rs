//! `karma deploy [DIR]`

use clap::Args;
use karma_fleet::Fleet;

use crate::deploy::{self, BudgetArguments, ChangeArguments, EVENTS, ImageKeys, ImageStep, Journal, Rollout, Tools};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::FollowArguments;
use crate::printer::Printer;
use crate::stack::{Loaded, Reporter};

const STEPS: [&str; 9] = [
    "doctor",
    "init",
    "cost",
    "repositories",
    "images",
    "plan",
    "apply",
    "wait",
    "health",
];

/// Bring the stack to AWS, and wait until it runs there
///
/// Looks whether all is there that this needs; prices the stack; makes its repositories first, for an image is pushed before the task that runs it can be
/// described; builds the images of karma.toml and pushes those that the registry lacks; writes their digests into images.auto.tfvars.json beside the
/// stack, which is meant to be committed; and has Terraform plan and, after a question, apply. Then it follows every service to the revision that
/// Terraform has given it, and asks each through the load balancer how it is.
///
/// Where the stack has Terraform itself wait for a service (`wait_for_steady_state`), it is asked to stop after --timeout: it keeps its state and gives back
/// the lock.
///
/// Terraform owns everything that is made, and its lock is the only one. Each step looks at what is there already: after Ctrl-C, or worse, run it again.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = format!("\
Exits with 1 where a service does not come to run its new revision, is rolled back, or does not answer, and says why; where the budget is exceeded; and
where the plan is not wanted.

{EVENTS}

Example: karma deploy terraform --budget 120 --yes")
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    change: ChangeArguments,

    #[command(flatten)]
    follow: FollowArguments,

    /// Leave the images as they are: neither build nor push, and deploy the digests that are written
    #[arg(long)]
    skip_images: bool,

    #[command(flatten)]
    budget: BudgetArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let work = async |loaded: Loaded, fleet: &Fleet, journal: &Journal| deploy(arguments, loaded, fleet, journal).await;
    arguments.change.run("deploy", &STEPS, Reporter { json, printer }, work)
}

async fn deploy(
    arguments: &Arguments,
    loaded: Loaded,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<ExitStatus, Failure> {
    let tools = arguments.change.tools(&loaded, journal).await?;
    let Tools { session, terraform } = &tools;
    let images = if arguments.skip_images {
        ImageStep::Skip
    } else {
        ImageStep::Bring
    };
    journal
        .step(deploy::examine(session, &loaded, fleet, images, journal))
        .await?;
    tools.init(journal).await?;
    let directory = loaded.directory.clone();
    let keys = match images {
        ImageStep::Bring => Some(ImageKeys::of(&loaded.stack, fleet, &arguments.change.stack.variables)?),
        ImageStep::Skip => None,
    };
    let state = terraform.state().await?;
    journal
        .step(async { deploy::bill(&arguments.budget, loaded, &state, journal) })
        .await?;
    let repositories = deploy::Repositories {
        terraform,
        state: &state,
        fleet,
        yes: arguments.change.yes,
        journal,
    };
    if let Some(keys) = &keys {
        repositories.make().await?;
        let images = deploy::Images {
            directory: &directory,
            fleet,
            keys,
            session,
            aws: &arguments.change.aws,
            journal,
        };
        journal.step(images.bring()).await?;
    } else {
        journal.skip("left as they are").await?;
        journal.skip("left as they are").await?;
    }
    let rollout = Rollout {
        terraform,
        session,
        directory: &directory,
        fleet,
        yes: arguments.change.yes,
        follow: &arguments.follow,
        journal,
    };
    rollout.carry_out(rollout.decide().await?).await
}
