//! What a stack is evaluated with, and which value each variable of the root module gets.
//!
//! The order of precedence is Terraform's, weakest first: the variable's default, `TF_VAR_` in the environment, `terraform.tfvars`,
//! `terraform.tfvars.json`, `*.auto.tfvars` and `*.auto.tfvars.json` by name, the command line from left to right:
//! <https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence>.

mod files;

use std::collections::BTreeMap;

use crate::module::{Config, Module, Notation};
use crate::{Diagnostic, Object, Span, Value, suggest};

/// What a stack is evaluated with.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// `-var` and `-var-file` in the order they were given. Files that Terraform reads on its own (`terraform.tfvars`, `*.auto.tfvars`)
    /// are found in the module's sources.
    pub command_line: Vec<CommandLine>,
    /// Environment variables; only those that begin with `TF_VAR_` are looked at.
    pub environment: BTreeMap<String, String>,
    /// What the user told about the account (`account_id`), for data sources that want to know.
    pub facts: BTreeMap<String, String>,
    /// Answers of data sources, by their address (`data.aws_ami.ubuntu`).
    pub data: BTreeMap<String, Object>,
    /// `terraform.workspace`
    pub workspace: String,
    /// When the plan is made, for `plantimestamp()`; unknown without it.
    pub now: Option<jiff::Timestamp>,
}

/// Values for variables on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandLine {
    /// `-var name=value`
    Variable {
        /// The variable.
        name: String,
        /// The value as it was typed.
        value: String,
    },
    /// `-var-file name`
    File {
        /// The file as it was named; names that end in `.json` are read as JSON.
        name: String,
        /// What the file contains.
        text: String,
    },
}

impl Default for Inputs {
    /// Nothing given, in the workspace `default`.
    fn default() -> Self {
        Self {
            command_line: Vec::new(),
            environment: BTreeMap::new(),
            facts: BTreeMap::new(),
            data: BTreeMap::new(),
            workspace: "default".to_owned(),
            now: None,
        }
    }
}

/// A value given from outside and where it stands, if it stands in a file.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) span: Option<Span>,
}

/// The values given for the variables of the root module: the strongest of each.
pub(crate) fn given(module: &Module, inputs: &Inputs, diagnostics: &mut Vec<Diagnostic>) -> BTreeMap<String, Given> {
    let Some(config) = module.root() else {
        return BTreeMap::new();
    };
    let mut collector = Collector {
        config,
        given: BTreeMap::new(),
        diagnostics,
    };
    collector.environment(&inputs.environment);
    for (name, text) in files::automatic(&module.sources) {
        collector.file(&name, &text);
    }
    for one in &inputs.command_line {
        match one {
            CommandLine::Variable { name, value } => collector.command_line(name, value),
            CommandLine::File { name, text } => collector.file(name, text),
        }
    }
    collector.given
}

struct Collector<'c> {
    config: &'c Config,
    given: BTreeMap<String, Given>,
    diagnostics: &'c mut Vec<Diagnostic>,
}

impl Collector<'_> {
    /// Names that are not declared are passed over: the environment is shared with other stacks.
    fn environment(&mut self, environment: &BTreeMap<String, String>) {
        for (key, text) in environment {
            let name = key
                .strip_prefix("TF_VAR_")
                .filter(|name| self.config.variables.contains_key(*name));
            if let Some(name) = name {
                self.typed(name, text, &format!("TF_VAR_{name}"));
            }
        }
    }

    fn command_line(&mut self, name: &str, text: &str) {
        if self.config.variables.contains_key(name) {
            return self.typed(name, text, &format!("-var {name}"));
        }
        if self.config.incomplete {
            return;
        }
        let detail = format!(
            "A variable named \"{name}\" was assigned on the command line, but the root module does not declare a variable of that name."
        );
        let help = self
            .suggestion(name)
            .unwrap_or_else(|| format!("To use this value, add a variable \"{name}\" block to the configuration."));
        self.diagnostics
            .push(Diagnostic::error("Value for undeclared variable", detail, None).with_help(help));
    }

    /// A value as somebody typed it: text as it is, or an expression where the variable's type asks for one.
    fn typed(&mut self, name: &str, text: &str, origin: &str) {
        let value = match self.config.variables[name].notation {
            Notation::Literal => Ok(Value::String(text.to_owned())),
            Notation::Expression => files::expression(origin, text),
        };
        match value {
            Ok(value) => drop(self.given.insert(name.to_owned(), Given { value, span: None })),
            Err(mut diagnostic) => {
                diagnostic.detail = format!(
                    "The value of variable \"{name}\" given by {origin} is not an expression: {}",
                    diagnostic.detail
                );
                diagnostic.span = None;
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn file(&mut self, name: &str, text: &str) {
        let values = files::read(name, text, self.diagnostics);
        for (variable, given) in values {
            if self.config.variables.contains_key(&variable) {
                self.given.insert(variable, given);
            } else if !self.config.incomplete {
                let detail = format!(
                    "The root module does not declare a variable named \"{variable}\" but a value was found in file \"{name}\"."
                );
                let diagnostic = Diagnostic::warning("Value for undeclared variable", detail, given.span);
                let suggestion = self.suggestion(&variable);
                self.diagnostics.push(diagnostic.with_suggestion(suggestion));
            }
        }
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        suggest::question(name, self.config.variables.keys().map(String::as_str))
    }
}
