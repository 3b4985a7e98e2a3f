//! `--var` and `--var-file`: Terraform takes them in the order in which they are typed, so their places count.
//! <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::error::Result as ClapResult;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use karma_terraform::CommandLine;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const VARIABLE: &str = "var";
const FILE: &str = "var-file";

/// Both flags, as often and in the order they were given.
#[derive(Debug, Clone, Default)]
pub(crate) struct VariableArguments(Vec<VariableArgument>);

#[derive(Debug, Clone)]
enum VariableArgument {
    Variable { name: String, value: String },
    File(PathBuf),
}

/// What the evaluator is told, with the files read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GivenVariable {
    Variable { name: String, value: String },
    File { name: String, text: String },
}

impl VariableArguments {
    pub(crate) fn read(&self) -> Result<Vec<GivenVariable>, Failure> {
        self.0.iter().map(VariableArgument::read).collect()
    }

    /// As Terraform takes them, wherever it is run: `-var=NAME=VALUE`, `-var-file=/path`.
    pub(crate) fn as_typed(&self) -> impl Iterator<Item = OsString> {
        self.0.iter().map(|given| match given {
            VariableArgument::Variable { name, value } => format!("-var={name}={value}").into(),
            VariableArgument::File(path) => format!("-var-file={}", absolute(path)).into(),
        })
    }

    /// Whether this variable is given a value on the command line itself.
    pub(crate) fn names(&self, variable: &str) -> bool {
        let is_it =
            |given: &VariableArgument| matches!(given, VariableArgument::Variable { name, .. } if name == variable);
        self.0.iter().any(is_it)
    }

    /// The files that were named.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|given| match given {
            VariableArgument::File(path) => Some(path.as_path()),
            VariableArgument::Variable { .. } => None,
        })
    }
}

impl From<GivenVariable> for CommandLine {
    fn from(given: GivenVariable) -> Self {
        match given {
            GivenVariable::Variable { name, value } => Self::Variable { name, value },
            GivenVariable::File { name, text } => Self::File { name, text },
        }
    }
}

impl VariableArgument {
    fn read(&self) -> Result<GivenVariable, Failure> {
        match self {
            Self::Variable { name, value } => Ok(GivenVariable::Variable {
                name: name.clone(),
                value: value.clone(),
            }),
            Self::File(path) => Ok(GivenVariable::File {
                name: absolute(path),
                text: fs::read_to_string(path)
                    .map_err(|error| Failure::caused_by(format!("cannot read {}", path.display()), &error))?,
            }),
        }
    }
}

/// A diagnostic names the file from the stack's directory, which is not where it was named from.
fn absolute(path: &Path) -> String {
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

fn variable(text: &str) -> Result<VariableArgument, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok(VariableArgument::Variable {
        name: name.trim().to_owned(),
        value: value.to_owned(),
    })
}

impl Args for VariableArguments {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str| {
            Arg::new(name)
                .long(name)
                .action(ArgAction::Append)
                .help_heading("Stack")
        };
        command
            .arg(
                flag(VARIABLE)
                    .value_name("NAME=VALUE")
                    .value_parser(variable)
                    .help("Set a variable of the stack, as `terraform plan -var` does"),
            )
            .arg(
                flag(FILE)
                    .value_name("FILE")
                    .value_parser(PathBufValueParser::new().map(VariableArgument::File))
                    .help("Read variables from a .tfvars file, as `terraform plan -var-file` does"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for VariableArguments {
    fn from_arg_matches(matches: &ArgMatches) -> ClapResult<Self> {
        let mut given: Vec<(usize, VariableArgument)> = [VARIABLE, FILE]
            .into_iter()
            .flat_map(|flag| {
                let places = matches.indices_of(flag).into_iter().flatten();
                let values = matches.get_many::<VariableArgument>(flag).into_iter().flatten();
                places.zip(values.cloned())
            })
            .collect();
        given.sort_by_key(|(place, _)| *place);
        Ok(Self(given.into_iter().map(|(_, argument)| argument).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> ClapResult<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
