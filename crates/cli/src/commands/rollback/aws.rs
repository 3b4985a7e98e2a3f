//! `karma rollback --on aws`: back to earlier images, through Terraform.

use std::collections::BTreeMap;

use karma_aws::Session;
use karma_fleet::Fleet;
use karma_terraform::Stack;

use super::Arguments;
use crate::deploy::{self, Decision, Digests, ImageKeys, Journal, Rollout, Tools};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::service_names::ServiceNames;
use crate::settings::StackDirectory;
use crate::stack::{self, Given};
use crate::terraform::State;
use crate::wiring;

const STEPS: [&str; 6] = ["init", "choose", "plan", "apply", "wait", "health"];

/// So many revisions are looked at.
const REVISIONS: usize = 50;

pub(super) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let directory = arguments.directory.resolve()?;
    let (stack, fleet) = stack::evaluate_quietly(&directory, Given::variables(&arguments.on.variables)?)?;
    let journal = Journal::begin("rollback", &STEPS, &directory, json, printer)?;
    journal.close(wiring::block_on(rollback(
        arguments, &directory, &stack, &fleet, &journal,
    )))
}

async fn rollback(
    arguments: &Arguments,
    directory: &StackDirectory,
    stack: &Stack,
    fleet: &Fleet,
    journal: &Journal,
) -> Result<ExitStatus, Failure> {
    let on = &arguments.on;
    let region = stack::region(stack);
    let tools = Tools::open(directory, region, &on.aws, &arguments.terraform, &on.variables, journal).await?;
    let Tools { session, terraform } = &tools;
    let keys = ImageKeys::of(stack, fleet, &on.variables)?;
    let services = ServiceNames::declared(fleet).resolve_all(&arguments.services)?;
    tools.init(journal).await?;
    let state = terraform.state().await?;
    let before = Digests::read(directory)?;
    let mut digests = before.clone();
    let choose = Choose {
        session,
        fleet,
        state: &state,
        keys: &keys,
        to: arguments.to,
        journal,
    };
    let chosen = journal.step(choose.all(&services)).await?;
    digests.write(chosen, &keys)?;
    let rollout = Rollout {
        terraform,
        session,
        directory,
        fleet,
        yes: arguments.yes,
        follow: &arguments.follow,
        journal,
    };
    let decision = match rollout.decide().await {
        Ok(decision) if decision != Decision::Leave => decision,
        unwanted => {
            before.restore()?;
            unwanted?
        }
    };
    let status = rollout.carry_out(decision).await?;
    if decision == Decision::Apply {
        journal.printer.talk(&format!(
            "{} has the earlier digests: commit it",
            digests.path().display()
        ));
    }
    Ok(status)
}

/// What it takes to say which images are the earlier ones.
struct Choose<'a> {
    session: &'a Session,
    fleet: &'a Fleet,
    state: &'a State,
    keys: &'a ImageKeys,
    to: Option<u32>,
    journal: &'a Journal,
}

impl Choose<'_> {
    async fn all(&self, services: &[String]) -> Result<(BTreeMap<String, String>, String), Failure> {
        let mut chosen = BTreeMap::new();
        for service in services {
            chosen.extend(self.one(service).await?);
        }
        let sentence = format!("{} images", chosen.len());
        Ok((chosen, sentence))
    }

    async fn one(&self, service: &str) -> Result<BTreeMap<String, String>, Failure> {
        let nothing = || Failure::no(format!("{service} was never deployed")).hint("deploy it: karma deploy");
        let wanted = deploy::wanted(self.fleet, self.state);
        let wanted = wanted.iter().find(|one| one.service == service).ok_or_else(nothing)?;
        let (family, now) = wanted.parts().ok_or_else(nothing)?;
        let revisions = self.session.revisions(family, REVISIONS).await?;
        let revision = deploy::earlier(service, &revisions, now, self.to, self.keys)?;
        self.journal.say(&format!(
            "{service} goes from revision {now} back to the images of {}",
            revision.revision
        ));
        Ok(deploy::images_of(revision, self.keys))
    }
}
