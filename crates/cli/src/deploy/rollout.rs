//! From a plan to services that run what it says: what `karma deploy` and `karma rollback` do alike.

use std::sync::Arc;
use std::time::Duration;

use karma_aws::{EcsOrchestrator, Session};
use karma_fleet::Fleet;
use karma_ops::Orchestrator;

use super::changes::{self, Decision};
use super::follow;
use super::health;
use super::journal::Journal;
use super::outputs;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::operation::FollowArguments;
use crate::question::YesArgument;
use crate::settings::StackDirectory;
use crate::terraform::{PlanFor, State, Terraform};

/// After an `apply` that has failed, so long is looked for a service that tells why.
const LOOK: Duration = Duration::from_secs(5);

/// Everything that a rollout needs.
pub(crate) struct Rollout<'a> {
    pub(crate) terraform: &'a Terraform,
    pub(crate) session: &'a Session,
    pub(crate) directory: &'a StackDirectory,
    pub(crate) fleet: &'a Fleet,
    pub(crate) yes: YesArgument,
    pub(crate) follow: &'a FollowArguments,
    pub(crate) journal: &'a Journal,
}

impl Rollout<'_> {
    /// Plans and asks.
    pub(crate) async fn decide(&self) -> Result<Decision, Failure> {
        let planned = self.journal.long_step(async {
            let plan = changes::plan(self.terraform, PlanFor::Stack, self.journal).await?;
            let summary = plan.summary();
            Ok((plan, summary))
        });
        changes::decide(&planned.await?, self.yes, self.journal).await
    }

    /// Applies what was decided, and follows it. Where nothing has changed, what an earlier run has begun is followed all the same.
    pub(crate) async fn carry_out(&self, decision: Decision) -> Result<ExitStatus, Failure> {
        match decision {
            Decision::Leave => self.journal.finish("nothing_was_changed", ExitStatus::No),
            Decision::Nothing => {
                self.journal.skip("nothing to change").await?;
                self.arrive("unchanged").await
            }
            Decision::Apply => {
                self.apply().await?;
                self.arrive("deployed").await
            }
        }
    }

    /// Where Terraform itself waits for the tasks, its failure may be theirs: then they say why.
    async fn apply(&self) -> Result<(), Failure> {
        let applied = self.journal.long_step(async {
            self.terraform.apply(self.patience()).await?;
            Ok(((), "applied".to_owned()))
        });
        let Err(failure) = applied.await else {
            return Ok(());
        };
        let failure = failure.hints(self.would_be_made_anew().await);
        match self.follow(LOOK).await {
            Ok((ExitStatus::No, _)) => Err(failure.into_no()),
            _ => Err(failure),
        }
    }

    /// So long Terraform may wait for a service; who does not wait leaves it to Terraform.
    fn patience(&self) -> Option<Duration> {
        (!self.follow.is_skipped()).then(|| self.follow.timeout())
    }

    /// Terraform does not trust what it was still making, and would delete it and make it again.
    /// <https://developer.hashicorp.com/terraform/cli/state/taint>
    async fn would_be_made_anew(&self) -> Vec<String> {
        let state = self.terraform.state().await.ok();
        let tainted = state.iter().flat_map(State::tainted);
        let untaint = tainted.map(|address| {
            let directory = self.directory.path().display();
            format!(
                "the next deploy makes {address} anew; to keep it: terraform -chdir={directory} untaint '{address}'"
            )
        });
        untaint.collect()
    }

    async fn arrive(&self, outcome: &str) -> Result<ExitStatus, Failure> {
        let journal = self.journal;
        if self.follow.is_skipped() {
            journal.skip("not waited for").await?;
            journal.skip("not asked for").await?;
            self.outputs().await?;
            return journal.finish(outcome, ExitStatus::Yes);
        }
        let status = journal.step(self.follow(self.follow.timeout())).await?;
        if status == ExitStatus::No {
            return journal.finish("failed", status);
        }
        let status = self.health().await?;
        let outcome = if status == ExitStatus::Yes {
            outcome
        } else {
            "unhealthy"
        };
        journal.finish(outcome, status)
    }

    async fn follow(&self, patience: Duration) -> Result<(ExitStatus, String), Failure> {
        let on: Arc<dyn Orchestrator> = Arc::new(EcsOrchestrator::connect(
            self.session,
            self.directory.path(),
            self.fleet,
        ));
        let wanted = follow::wanted(self.fleet, &self.terraform.state().await?);
        follow::follow(on, wanted, patience, self.journal).await
    }

    async fn health(&self) -> Result<ExitStatus, Failure> {
        let outputs = self.terraform.outputs().await?;
        let state = self.terraform.state().await?;
        let addresses = health::addresses(self.fleet, &state, &outputs);
        let status = self
            .journal
            .step(health::check(self.session, addresses, self.journal))
            .await?;
        outputs::tell(&outputs, self.journal)?;
        Ok(status)
    }

    async fn outputs(&self) -> Result<(), Failure> {
        outputs::tell(&self.terraform.outputs().await?, self.journal)
    }
}
