//! `karma docs [DIR]`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use karma_cost::PriceBook;
use serde_json::json;

use crate::documents::{self, Facts, Problem, Revision};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::replace;
use crate::settings::StackDirectory;
use crate::stack::{self, Loaded, Reporter, StackArguments};

/// Write what the stack is into its documents
///
/// Rewrites, in the Markdown files beside the .tf files and below, what stands between `<!-- karma docs: NAME -->` and `<!-- end -->`. A file
/// without such a marker is left alone, and so is everything outside of them. The stack is taken with its defaults: the environment and
/// terraform.tfvars are not read.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_long_help = "\
Blocks: agents, bill, diagram, fidelity, files, outputs, price, profile-prices, resources, savings, summary, variables

Example: karma docs terraform --check"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    stack: StackArguments,

    /// Write nothing; exit with 1 where a block is stale, and name it
    #[arg(long)]
    check: bool,
}

/// A document that has generated blocks.
struct Document {
    /// Where it is.
    path: PathBuf,
    /// Where it is, as a person would type it from here.
    shown: String,
    revision: Revision,
}

pub(crate) fn run(arguments: &Arguments, json: bool, printer: Printer) -> Result<ExitStatus, Failure> {
    let reporter = Reporter { json, printer };
    let loaded = stack::load_as_declared(&arguments.stack, reporter)?;
    let fleet = stack::fleet(&loaded, reporter)?;
    let prices = karma_cost::region(&loaded.stack).and_then(|region| PriceBook::embedded(&region));
    let facts = Facts {
        to_stack: "",
        sources: &loaded.sources,
        module: &loaded.module,
        inputs: &loaded.inputs,
        stack: &loaded.stack,
        fleet: &fleet,
        prices: prices.as_ref(),
    };
    // All are read before one is written: a mistake in the last leaves the first alone.
    let documents = read(&loaded, &facts)?;
    if !arguments.check {
        documents.iter().try_for_each(write)?;
    }
    print(&documents, json, printer)?;
    talk(&documents, &loaded.directory, arguments.check, printer);
    let stale = documents.iter().any(Document::is_stale);
    Ok(if arguments.check && stale {
        ExitStatus::No
    } else {
        ExitStatus::Yes
    })
}

/// The documents of a stack that have generated blocks.
fn read(loaded: &Loaded, facts: &Facts<'_>) -> Result<Vec<Document>, Failure> {
    let files = loaded.sources.iter().map(|(file, _)| file.as_ref());
    let documents = files
        .filter(|file| is_document(file))
        .map(|file| document(&loaded.directory, file, facts));
    let kept = documents.filter(|document| !matches!(document, Ok(document) if document.revision.blocks == 0));
    kept.collect()
}

/// Markdown of the stack itself; what lies beside it is described elsewhere.
fn is_document(file: &str) -> bool {
    !file.starts_with("../") && Path::new(file).extension().is_some_and(|extension| extension == "md")
}

/// Reads the file as it is on the disk, a byte order mark included.
fn document(directory: &StackDirectory, file: &str, facts: &Facts<'_>) -> Result<Document, Failure> {
    let (path, shown) = (directory.path().join(file), directory.display_file(file));
    let text = fs::read_to_string(&path).map_err(|error| Failure::caused_by(format!("cannot read {shown}"), &error))?;
    let facts = Facts {
        to_stack: &"../".repeat(file.matches('/').count()),
        ..*facts
    };
    let revision = documents::revise(&text, &facts).map_err(|problem| failure(&shown, problem))?;
    Ok(Document { path, shown, revision })
}

fn failure(file: &str, problem: Problem) -> Failure {
    Failure::unable(format!("{file}:{}: {}", problem.line, problem.message)).hint(problem.hint)
}

fn write(document: &Document) -> Result<(), Failure> {
    if !document.is_stale() {
        return Ok(());
    }
    replace::replace(&document.path, &document.revision.text)
        .map_err(|error| Failure::caused_by(format!("cannot write {}", document.shown), &error))
}

/// The blocks that are or were stale.
fn print(documents: &[Document], json: bool, printer: Printer) -> Result<(), Failure> {
    if json {
        let documents: Vec<_> = documents.iter().map(Document::to_json).collect();
        printer.line(&json!({ "documents": documents }).to_string())?;
        return Ok(());
    }
    for document in documents {
        for block in &document.revision.stale {
            printer.line(&format!("{}:{}: {}", document.shown, block.line, block.name))?;
        }
    }
    Ok(())
}

fn talk(documents: &[Document], directory: &StackDirectory, check: bool, printer: Printer) {
    let total: usize = documents.iter().map(|document| document.revision.blocks).sum();
    let stale: usize = documents.iter().map(|document| document.revision.stale.len()).sum();
    let shown = directory.path().display();
    match (total, stale, check) {
        (0, _, _) => {
            printer.talk(&format!("no document in {shown} has a generated block"));
            printer.talk(&format!(
                "write `<!-- karma docs: NAME -->` and `<!-- end -->` around the place for one: {}",
                documents::names()
            ));
        }
        (_, 0, _) => printer.talk(&format!("all is up to date: {total} blocks")),
        (_, _, true) => printer.talk(&format!(
            "stale blocks: {stale} of {total}; `karma docs {shown}` writes them anew"
        )),
        (_, _, false) => printer.talk(&format!("blocks written anew: {stale} of {total}")),
    }
}

impl Document {
    fn is_stale(&self) -> bool {
        !self.revision.stale.is_empty()
    }

    fn to_json(&self) -> serde_json::Value {
        let stale = self.revision.stale.iter();
        json!({
            "file": self.shown,
            "blocks": self.revision.blocks,
            "stale": stale.map(|block| json!({ "line": block.line, "name": block.name })).collect::<Vec<_>>(),
        })
    }
}
