//! `karma deploy [DIR]`

use clap::Args;
use karma_aws::Session;
use karma_fleet::Fleet;

use crate::deploy::{self, BudgetArguments, EVENTS, ImageKeys, Journal, Rollout};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::on::AwsArguments;
use crate::operation::FollowArguments;
use crate::printer::Printer;
use crate::question::YesArgument;
use crate::stack::{self, Loaded, Reporter, StackArguments};
use crate::terraform::{Terraform, TerraformArguments};
use crate::wiring;

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
    stack: StackArguments,

    #[command(flatten)]
    yes: YesArgument,

    #[command(flatten)]
    follow: FollowArguments,

    /// Leave the images as they are: neither build nor push, and deploy the digests that are written
    #[arg(long)]
    skip_images: bool,

    #[command(flatten)]
    budget: BudgetArguments,

    #[command(flatten)]
    aws: AwsArguments,

    #[command(flatten)]
    terraform: TerraformArguments,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let reporter = Reporter { json, printer };
    let loaded = stack::load(&arguments.stack, reporter)?;
    let fleet = stack::fleet(&loaded, reporter)?;
    let journal = Journal::begin("deploy", &STEPS, &loaded.directory, json, printer)?;
    journal.close(wiring::block_on(deploy(arguments, loaded, &fleet, &journal)))
}

async fn deploy(
    arguments: &Arguments,
    loaded: Loaded,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<ExitStatus, Failure> {
    let (session, terraform) = tools(arguments, &loaded, journal).await?;
    journal.step(deploy::examine(&session, &loaded, fleet, journal)).await?;
    journal
        .long_step(async {
            Ok((
                terraform.init().await?,
                "the providers and the state are there".to_owned(),
            ))
        })
        .await?;
    let directory = loaded.directory.clone();
    let keys = if arguments.skip_images {
        None
    } else {
        Some(ImageKeys::of(&loaded.stack, fleet, &arguments.stack.variables)?)
    };
    let state = terraform.state().await?;
    journal
        .step(async { deploy::bill(&arguments.budget, loaded, &state, journal) })
        .await?;
    let repositories = deploy::Repositories {
        terraform: &terraform,
        state: &state,
        fleet,
        yes: arguments.yes,
        journal,
    };
    if let Some(keys) = &keys {
        repositories.make().await?;
        let images = deploy::Images {
            directory: &directory,
            fleet,
            keys,
            session: &session,
            aws: &arguments.aws,
            journal,
        };
        journal.step(images.bring()).await?;
    } else {
        journal.skip("left as they are").await?;
        journal.skip("left as they are").await?;
    }
    let rollout = Rollout {
        terraform: &terraform,
        session: &session,
        directory: &directory,
        fleet,
        yes: arguments.yes,
        follow: &arguments.follow,
        journal,
    };
    rollout.carry_out(rollout.decide().await?).await
}

/// Whom to ask, and who makes things.
async fn tools(arguments: &Arguments, loaded: &Loaded, journal: &Journal) -> Result<(Session, Terraform), Failure> {
    let session = arguments.aws.session(loaded.region(), journal.printer).await?;
    let terraform = Terraform::new(
        &loaded.directory,
        &arguments.terraform,
        &arguments.stack.variables,
        arguments.aws.environment(),
        journal.printer,
    )?;
    Ok((session, terraform))
}
