//! The registry's repositories, which are there before everything else: a task definition names an image by its digest, the digest is known when the
//! image is pushed, and it is pushed into a repository.

use karma_fleet::Fleet;

use super::changes::{self, Decision};
use super::journal::Journal;
use crate::failure::Failure;
use crate::question::YesArgument;
use crate::terraform::{PlanFor, State, Terraform};

/// What it takes to make those that are missing.
pub(crate) struct Repositories<'a> {
    pub(crate) terraform: &'a Terraform,
    pub(crate) state: &'a State,
    pub(crate) fleet: &'a Fleet,
    pub(crate) yes: YesArgument,
    pub(crate) journal: &'a Journal,
}

impl Repositories<'_> {
    /// Has Terraform make those that it does not know yet, and nothing else.
    pub(crate) async fn make(&self) -> Result<(), Failure> {
        self.journal
            .long_step(async {
                let missing = self.missing();
                match missing.len() {
                    0 => Ok(((), format!("{} are there", self.fleet.repositories.len()))),
                    count => {
                        self.make_these(&missing).await?;
                        Ok(((), format!("{count} made")))
                    }
                }
            })
            .await
    }

    /// The addresses of those that were never made. One that was deleted behind Terraform's back is missed by who pushes into it.
    fn missing(&self) -> Vec<String> {
        let addresses = self.fleet.repositories.keys();
        let missing = addresses.filter(|address| !self.state.has(address));
        missing.map(ToString::to_string).collect()
    }

    async fn make_these(&self, addresses: &[String]) -> Result<(), Failure> {
        self.journal
            .say("repositories come first: an image is pushed before a task that runs it can be described");
        let plan = changes::plan(self.terraform, PlanFor::Targets(addresses), self.journal).await?;
        match changes::decide(&plan, self.yes, self.journal).await? {
            Decision::Nothing => Ok(()),
            Decision::Leave => Err(Failure::no("nothing was changed")),
            Decision::Apply => self.terraform.apply(None).await,
        }
    }
}
