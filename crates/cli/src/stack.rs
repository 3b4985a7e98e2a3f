//! From a directory of .tf files to an evaluated stack and its fleet, with their diagnostics printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use karma_fleet::Fleet;
use karma_terraform::{CommandLine, Diagnostics, Inputs, Module, Object, Severity, Sources, Span, Stack, Value};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::printer::Printer;
use crate::render;
use crate::settings::{DirectoryArgument, StackDirectory};
use crate::variables::{GivenVariable, VariableArguments};
use crate::wiring;

/// Which stack, and what it is given: the same for every command that evaluates.
#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(env = "KARMA_DIR")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) variables: VariableArguments,

    /// The AWS account the stack is for: answers `aws_caller_identity`
    #[arg(long, env = "KARMA_ACCOUNT_ID", value_name = "ID", value_parser = account_id, help_heading = "Stack")]
    account_id: Option<String>,

    /// A JSON file with the answers of data sources: `{"data.aws_ami.nat": {"id": "ami-1"}}`
    #[arg(long, env = "KARMA_DATA", value_name = "FILE", help_heading = "Stack")]
    data: Option<PathBuf>,
}

/// What a stack is given by the command line and the environment, with all files read: another process can evaluate it with the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Given {
    variables: Vec<GivenVariable>,
    /// `TF_VAR_*`
    environment: BTreeMap<String, String>,
    account_id: Option<String>,
    data: BTreeMap<String, JsonObject>,
}

type JsonObject = serde_json::Map<String, serde_json::Value>;

/// An evaluated stack and what it was made of.
pub(crate) struct Loaded {
    pub(crate) directory: StackDirectory,
    pub(crate) sources: Sources,
    pub(crate) module: Module,
    pub(crate) inputs: Inputs,
    pub(crate) stack: Stack,
}

/// Where diagnostics go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reporter {
    pub(crate) json: bool,
    pub(crate) printer: Printer,
}

/// Reads and evaluates a stack. Warnings are printed; an error is printed and ends it.
pub(crate) fn load(arguments: &StackArguments, reporter: Reporter) -> Result<Loaded, Failure> {
    load_from(arguments.dir.as_deref(), arguments, reporter)
}

/// The same, with these arguments, of another directory.
pub(crate) fn load_from(
    directory: Option<&Path>,
    arguments: &StackArguments,
    reporter: Reporter,
) -> Result<Loaded, Failure> {
    let directory = StackDirectory::resolve(directory)?;
    let sources = read(&directory)?;
    evaluated(directory, sources, Given::of(arguments)?.inputs(), reporter)
}

/// The same for commands whose arguments are not the stack's: its directory and variables are flags there.
pub(crate) fn load_with(
    directory: &DirectoryArgument,
    variables: &VariableArguments,
    reporter: Reporter,
) -> Result<Loaded, Failure> {
    let directory = directory.resolve()?;
    let sources = read(&directory)?;
    let given = Given {
        variables: variables.read()?,
        environment: terraform_environment(),
        account_id: None,
        data: BTreeMap::new(),
    };
    evaluated(directory, sources, given.inputs(), reporter)
}

/// Reads the fleet of a stack without a word. `Err` says in a few lines what is wrong.
pub(crate) fn load_quietly(directory: &StackDirectory, given: Given) -> Result<Fleet, Failure> {
    Ok(evaluate_quietly(directory, given)?.1)
}

/// The same, with the stack that it was made of.
pub(crate) fn evaluate_quietly(directory: &StackDirectory, given: Given) -> Result<(Stack, Fleet), Failure> {
    let (module, mut diagnostics) = karma_terraform::parse(&read(directory)?);
    let (stack, more) = karma_terraform::evaluate(&module, &given.inputs(), &karma_fleet::provider());
    diagnostics.extend(more);
    let (fleet, more) = Fleet::from_stack(&stack);
    diagnostics.extend(more);
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error);
    let errors: Vec<String> = errors
        .map(|error| format!("{}: {}", error.summary, error.detail))
        .collect();
    if errors.is_empty() {
        return Ok((stack, fleet));
    }
    Err(Failure::unable(errors.join("\n")))
}

/// The same with nothing but what the directory's files declare and what these arguments give: no variables from the environment, none from the
/// files that Terraform reads on its own. Whoever has the same files gets the same answer.
pub(crate) fn load_as_declared(arguments: &StackArguments, reporter: Reporter) -> Result<Loaded, Failure> {
    let directory = StackDirectory::resolve(arguments.dir.as_deref())?;
    let sources = read(&directory)?;
    let declared = sources.iter().filter(|(file, _)| !is_read_automatically(file));
    let declared = declared.map(|(file, text)| (Arc::clone(file), text)).collect();
    let inputs = Inputs {
        environment: BTreeMap::new(),
        ..Given::of(arguments)?.inputs()
    };
    evaluated(directory, declared, inputs, reporter)
}

/// <https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files>
fn is_read_automatically(file: &str) -> bool {
    let name = file.strip_suffix(".json").unwrap_or(file);
    !file.contains('/') && (name == "terraform.tfvars" || name.ends_with(".auto.tfvars"))
}

fn evaluated(
    directory: StackDirectory,
    mut sources: Sources,
    inputs: Inputs,
    reporter: Reporter,
) -> Result<Loaded, Failure> {
    let (module, mut diagnostics) = karma_terraform::parse(&sources);
    let (stack, more) = karma_terraform::evaluate(&module, &inputs, &karma_fleet::provider());
    diagnostics.extend(more);
    sources.extend(files_of_the_command_line(&inputs));
    reporter.report(&directory, &sources, &diagnostics)?;
    Ok(Loaded {
        directory,
        sources,
        module,
        inputs,
        stack,
    })
}

/// The stack with other values for its variables, and nothing said; `None` if it refuses them.
pub(crate) fn evaluate_with(module: &Module, inputs: &Inputs, command_line: Vec<CommandLine>) -> Option<Stack> {
    let inputs = Inputs {
        command_line,
        ..inputs.clone()
    };
    let (stack, diagnostics) = karma_terraform::evaluate(module, &inputs, &karma_fleet::provider());
    (!diagnostics.has_errors()).then_some(stack)
}

/// The variable files in `profiles` beside a stack, by their names without the ending.
pub(crate) fn profiles(sources: &Sources) -> BTreeMap<&str, CommandLine> {
    let profile = |(file, text): (&'_ Arc<str>, &str)| CommandLine::File {
        name: file.to_string(),
        text: text.to_owned(),
    };
    let files = sources.iter().filter_map(|(file, text)| {
        let name = file.strip_prefix("profiles/")?.strip_suffix(".tfvars")?;
        (!name.contains('/')).then(|| (name, profile((file, text))))
    });
    files.collect()
}

/// Reads the fleet of a stack, with the same manners.
pub(crate) fn fleet(loaded: &Loaded, reporter: Reporter) -> Result<Fleet, Failure> {
    let (fleet, diagnostics) = Fleet::from_stack(&loaded.stack);
    reporter.report(&loaded.directory, &loaded.sources, &diagnostics)?;
    Ok(fleet)
}

fn read(directory: &StackDirectory) -> Result<Sources, Failure> {
    let path = directory.path();
    let sources = karma_terraform::read(path)
        .map_err(|error| Failure::caused_by(format!("cannot read {}", path.display()), &error))?;
    if sources.iter().any(|(file, _)| is_of_the_root(file)) {
        return Ok(sources);
    }
    Err(Failure::unable(format!("no .tf files in {}", path.display()))
        .hint("name the directory that holds them: karma plan DIR"))
}

/// They are not part of the stack, but a diagnostic may point into one.
fn files_of_the_command_line(inputs: &Inputs) -> impl Iterator<Item = (String, String)> {
    inputs.command_line.iter().filter_map(|given| match given {
        CommandLine::File { name, text } => Some((name.clone(), text.clone())),
        CommandLine::Variable { .. } => None,
    })
}

fn is_of_the_root(file: &str) -> bool {
    let is_terraform = |file: &str| Path::new(file).extension().is_some_and(|extension| extension == "tf");
    !file.contains('/') && (is_terraform(file) || file.strip_suffix(".json").is_some_and(is_terraform))
}

impl Given {
    pub(crate) fn of(arguments: &StackArguments) -> Result<Self, Failure> {
        Ok(Self {
            account_id: arguments.account_id.clone(),
            data: arguments.data.as_deref().map_or_else(|| Ok(BTreeMap::new()), data)?,
            ..Self::variables(&arguments.variables)?
        })
    }

    /// Nothing but variables.
    pub(crate) fn variables(arguments: &VariableArguments) -> Result<Self, Failure> {
        let is_variable = |(name, _): &(String, String)| name.starts_with("TF_VAR_");
        Ok(Self {
            variables: arguments.read()?,
            environment: wiring::environment().filter(is_variable).collect(),
            account_id: None,
            data: BTreeMap::new(),
        })
    }

    fn inputs(self) -> Inputs {
        let object = |members: JsonObject| -> Object {
            members
                .into_iter()
                .map(|(name, value)| (name, Value::from_json(&value)))
                .collect()
        };
        let data = self
            .data
            .into_iter()
            .map(|(address, members)| (address, object(members)));
        Inputs {
            command_line: self.variables.into_iter().map(CommandLine::from).collect(),
            environment: self.environment,
            facts: self
                .account_id
                .map(|id| ("account_id".to_owned(), id))
                .into_iter()
                .collect(),
            data: data.collect(),
            ..Inputs::default()
        }
    }
}

/// `TF_VAR_*`
fn terraform_environment() -> BTreeMap<String, String> {
    let is_variable = |(name, _): &(String, String)| name.starts_with("TF_VAR_");
    wiring::environment().filter(is_variable).collect()
}

/// The answers of data sources from a JSON file.
fn data(path: &Path) -> Result<BTreeMap<String, JsonObject>, Failure> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|error| Failure::caused_by(format!("{} is not an object of objects", path.display()), &error))
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::caused_by(format!("cannot read {}", path.display()), &error))
}

impl Reporter {
    /// Prints diagnostics; an error among them is a failure.
    fn report(self, directory: &StackDirectory, sources: &Sources, diagnostics: &Diagnostics) -> Result<(), Failure> {
        if self.json && diagnostics.has_errors() {
            let data = render::diagnostics_json(sources, diagnostics);
            self.printer
                .line(&serde_json::json!({ "valid": false, "diagnostics": data }).to_string())?;
        } else {
            render::diagnostics(self.printer, directory, sources, diagnostics);
        }
        let errors = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count();
        match errors {
            0 => Ok(()),
            1 => Err(Failure::unable("the stack has an error")),
            count => Err(Failure::unable(format!("the stack has {count} errors"))),
        }
    }
}

impl Loaded {
    /// The same stack with other values from the command line. What is wrong with them is printed and ends it.
    pub(crate) fn with(&self, command_line: Vec<CommandLine>, reporter: Reporter) -> Result<Stack, Failure> {
        let inputs = Inputs {
            command_line,
            ..self.inputs.clone()
        };
        let (stack, diagnostics) = karma_terraform::evaluate(&self.module, &inputs, &karma_fleet::provider());
        reporter.report(&self.directory, &self.sources, &diagnostics)?;
        Ok(stack)
    }

    /// `terraform/main.tf:12`
    pub(crate) fn place(&self, span: &Span) -> String {
        let file = self.directory.display_file(&span.file);
        match self.sources.position(&span.file, span.start) {
            Some(position) => format!("{file}:{}", position.line),
            None => file,
        }
    }

    /// The region that the default `aws` provider is configured for.
    pub(crate) fn region(&self) -> Option<String> {
        region(&self.stack)
    }
}

/// The region that the default `aws` provider of a stack is configured for.
pub(crate) fn region(stack: &Stack) -> Option<String> {
    Some(stack.providers.get("aws")?.get("region")?.as_str()?.to_owned())
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an AWS account id has 12 digits".to_owned())
    }
}
