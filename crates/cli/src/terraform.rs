//! Terraform itself, or OpenTofu: the one owner of what a stack is on AWS. It is found, run, listened to and asked to stop; what it plans and
//! what it knows is read from its JSON.

mod failed;
mod plan;
mod program;
mod run;
mod state;
mod waiting;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use plan::{Action, Plan};
pub(crate) use program::{TerraformArguments, find};
pub(crate) use state::{Output, Outputs, State};

use run::Runner;

use crate::failure::Failure;
use crate::printer::Printer;
use crate::settings::StackDirectory;
use crate::variables::VariableArguments;

/// Where Terraform's words and its plan are kept, below the stack's `.karma`: a plan and a log hold more than everybody should read.
const DIRECTORY: &str = "terraform";

/// A run that was killed leaves a Terraform that ends on its own; so long the next one waits for the state's lock.
const LOCK_TIMEOUT: &str = "-lock-timeout=10m";

/// What a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanFor<'a> {
    /// The whole stack.
    Stack,
    /// These resources, and what they need.
    Targets(&'a [String]),
    /// That nothing is left.
    Destruction,
}

/// Terraform for one stack, with the variables that were given.
#[derive(Debug)]
pub(crate) struct Terraform {
    runner: Runner,
    /// `-var=…` and `-var-file=…`, in the order in which they were typed.
    variables: Vec<OsString>,
    plan_file: PathBuf,
}

impl Terraform {
    /// Terraform as it is found on this machine. `environment` is what it gets beside this process's own variables.
    pub(crate) fn new(
        directory: &StackDirectory,
        arguments: &TerraformArguments,
        variables: &VariableArguments,
        environment: Vec<(&'static str, String)>,
        printer: Printer,
    ) -> Result<Self, Failure> {
        let own = directory.state().join(DIRECTORY);
        let runner = Runner {
            program: find(arguments)?,
            stack: directory.path().to_owned(),
            logs: run::private_directory(&own)?,
            environment,
            printer,
        };
        Ok(Self {
            plan_file: runner.logs.join("last.tfplan"),
            variables: variables.as_typed().collect(),
            runner,
        })
    }

    /// Downloads the providers, and finds the state.
    pub(crate) async fn init(&self) -> Result<(), Failure> {
        self.runner
            .talk(&words(["init", "-input=false", "-no-color"]), None)
            .await
    }

    /// Plans, and says what the plan would change. The plan waits for [`Self::apply`].
    pub(crate) async fn plan(&self, what: PlanFor<'_>) -> Result<Plan, Failure> {
        let mut arguments = words(["plan", "-input=false", "-no-color", LOCK_TIMEOUT]);
        match what {
            PlanFor::Stack => {}
            PlanFor::Targets(targets) => {
                arguments.extend(targets.iter().map(|target| OsString::from(format!("-target={target}"))));
            }
            PlanFor::Destruction => arguments.push("-destroy".into()),
        }
        arguments.push(flag("-out=", &self.plan_file));
        arguments.extend(self.variables.iter().cloned());
        self.runner.talk(&arguments, None).await?;
        let shown = [&words(["show", "-json"])[..], &[self.plan_file.clone().into()]].concat();
        Plan::read(&self.runner.answer(&shown).await?)
    }

    /// Does what the last plan says, and nothing else. Where a service is waited for longer than this, Terraform is asked to stop: it keeps its state,
    /// gives back the lock, and the answer is no.
    pub(crate) async fn apply(&self, patience: Option<Duration>) -> Result<(), Failure> {
        let mut arguments = words(["apply", "-input=false", "-no-color", LOCK_TIMEOUT]);
        arguments.push(self.plan_file.clone().into());
        let applied = self.runner.talk(&arguments, patience).await;
        // It is of no use any more, and it holds what the stack keeps secret.
        let _ = std::fs::remove_file(&self.plan_file);
        applied
    }

    /// What is there, as Terraform remembers it.
    pub(crate) async fn state(&self) -> Result<State, Failure> {
        State::read(&self.runner.answer(&words(["show", "-json"])).await?)
    }

    /// The stack's outputs.
    pub(crate) async fn outputs(&self) -> Result<Outputs, Failure> {
        Outputs::read(&self.runner.answer(&words(["output", "-json"])).await?)
    }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(name);
    flag.push(path);
    flag
}
