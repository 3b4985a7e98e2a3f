//! [`Subject`]: what is priced.

use std::path::{Path, PathBuf};

use karma_cost::{Bill, Changes};
use karma_terraform::{CommandLine, Stack};

use super::Pricer;
use crate::failure::Failure;
use crate::stack::{self, Loaded, Reporter, StackArguments, read_text};

/// A stack, or what Terraform says it is.
pub(crate) enum Subject {
    /// Evaluated here: it can be asked again with other values.
    Evaluated(Box<Loaded>),
    /// A plan or a state that Terraform wrote.
    Planned {
        /// The file.
        path: PathBuf,
        /// What it says.
        stack: Box<Stack>,
    },
}

impl Subject {
    pub(crate) fn read_plan(path: &Path) -> Result<Self, Failure> {
        let stack = karma_cost::read_plan(&read_text(path)?).map_err(|error| {
            Failure::caused_by(format!("cannot price {}", path.display()), &error)
                .hint("write it with: terraform show -json FILE > plan.json")
        })?;
        Ok(Self::Planned {
            path: path.to_owned(),
            stack: Box::new(stack),
        })
    }

    /// What a bill of it is called.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Evaluated(loaded) => loaded.directory.path().display().to_string(),
            Self::Planned { path, .. } => path.display().to_string(),
        }
    }

    pub(crate) fn stack(&self) -> &Stack {
        match self {
            Self::Evaluated(loaded) => &loaded.stack,
            Self::Planned { stack, .. } => stack,
        }
    }

    /// The bill with some variables changed; `None` if the stack refuses them, or is a plan.
    pub(crate) fn price(&self, changes: &Changes, pricer: &Pricer) -> Option<Bill> {
        match self {
            _ if changes.is_empty() => Some(pricer.price(self.stack())),
            Self::Planned { .. } => None,
            Self::Evaluated(loaded) => {
                let given = loaded.inputs.command_line.iter().cloned().chain(variables(changes));
                let stack = stack::evaluate_with(&loaded.module, &loaded.inputs, given.collect())?;
                Some(pricer.price(&stack))
            }
        }
    }

    /// The stack that is meant by what a user typed: a directory, a plan's file, or a profile of this one.
    pub(crate) fn other(
        &self,
        typed: &str,
        arguments: &StackArguments,
        reporter: Reporter,
    ) -> Result<(String, Stack), Failure> {
        let path = Path::new(typed);
        if let Self::Evaluated(loaded) = self
            && let Some(profile) = stack::profiles(&loaded.sources).remove(typed)
        {
            return Ok((typed.to_owned(), loaded.with(in_profile(loaded, profile), reporter)?));
        }
        if path.is_dir() {
            return Ok((
                typed.to_owned(),
                stack::load_from(Some(path), arguments, reporter)?.stack,
            ));
        }
        if path.is_file() {
            return Ok((typed.to_owned(), Self::read_plan(path)?.stack().clone()));
        }
        Err(self.nothing_to_compare(typed))
    }

    fn nothing_to_compare(&self, typed: &str) -> Failure {
        let failure = Failure::unable(format!("`{typed}` is no directory, no plan and no profile"));
        match self {
            Self::Evaluated(loaded) => {
                let profiles: Vec<_> = stack::profiles(&loaded.sources).into_keys().collect();
                let hint = match profiles.len() {
                    0 => format!("a profile is {}/profiles/NAME.tfvars", self.name()),
                    _ => format!("the profiles are {}", profiles.join(", ")),
                };
                failure.hint(hint)
            }
            Self::Planned { .. } => failure.hint("a plan has no profiles: name another plan, or a directory"),
        }
    }
}

/// A profile takes the place of other variable files; single variables stay.
fn in_profile(loaded: &Loaded, profile: CommandLine) -> Vec<CommandLine> {
    let given = loaded.inputs.command_line.iter();
    let variables = given.filter(|it| matches!(it, CommandLine::Variable { .. }));
    std::iter::once(profile).chain(variables.cloned()).collect()
}

/// Changes as they would be typed.
pub(crate) fn variables(changes: &Changes) -> impl Iterator<Item = CommandLine> {
    changes.iter().map(|(name, value)| CommandLine::Variable {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    })
}
