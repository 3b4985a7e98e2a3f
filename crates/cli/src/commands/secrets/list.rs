//! `karma secrets list` and `karma secrets check`

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use karma_aws::{StoredSecret, ValueShape};
use serde_json::{Value, json};

use super::StackOnAws;
use crate::age;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::Style;
use crate::secrets::{StackSecrets, Standing};
use crate::stack::Reporter;
use crate::table::{Cell, Table};
use crate::wiring;

/// List the stack's secrets with the json keys that they have and should have
///
/// No value is shown.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma secrets list --json")]
pub(crate) struct ListArguments {
    #[command(flatten)]
    stack: StackOnAws,
}

/// Say whether every secret has what tasks read of it
///
/// A task of which one is missing is not started by ECS. Exits with 1 where something is missing, and says what mends it. No value is shown.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_long_help = "Example: karma secrets check || exit")]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    stack: StackOnAws,
}

pub(super) fn run(arguments: &ListArguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let (wanted, stored) = look(&arguments.stack, reporter)?;
    let standings = Standing::of_all(&wanted, &stored);
    if reporter.json {
        reporter.printer.line(&as_json(&standings).to_string())?;
    } else if standings.is_empty() {
        reporter.printer.talk("the stack declares no secret");
    } else {
        let text = table(&standings, Timestamp::now()).render(reporter.printer);
        reporter.printer.data(&text)?;
    }
    Ok(ExitStatus::Yes)
}

pub(super) fn check(arguments: &CheckArguments, reporter: Reporter) -> Result<ExitStatus, Failure> {
    let (wanted, stored) = look(&arguments.stack, reporter)?;
    let standings = Standing::of_all(&wanted, &stored);
    let is_whole = standings.iter().all(|standing| standing.lack().is_none());
    if reporter.json {
        let answer = json!({ "complete": is_whole, "secrets": as_json(&standings) });
        reporter.printer.line(&answer.to_string())?;
    } else {
        reporter.printer.data(&lines(&standings))?;
    }
    Ok(if is_whole { ExitStatus::Yes } else { ExitStatus::No })
}

fn look(stack: &StackOnAws, reporter: Reporter) -> Result<(StackSecrets, BTreeMap<String, StoredSecret>), Failure> {
    let (wanted, region) = stack.secrets(reporter)?;
    let stored = wiring::block_on(async {
        let session = stack.session(region, reporter.printer).await?;
        Ok(session.secrets(&wanted.names()).await?)
    })?;
    Ok((wanted, stored))
}

fn table(standings: &[Standing<'_>], now: Timestamp) -> Table {
    let mut table = Table::new(["SECRET", "STATE", "WANTED", "THERE", "CHANGED"]);
    for standing in standings {
        table.row([
            Cell::from(&standing.wanted.name),
            state(standing),
            Cell::from(wanted(standing)),
            Cell::from(there(standing)),
            Cell::from(changed(standing, now)),
        ]);
    }
    table
}

fn state(standing: &Standing<'_>) -> Cell {
    match (standing.lack(), standing.stored) {
        (Some(lack), _) => Cell::styled(lack.describe(), Style::Red),
        (None, Some(_)) => Cell::styled("complete", Style::Green),
        (None, None) => Cell::from("not there, not read"),
    }
}

fn wanted(standing: &Standing<'_>) -> String {
    let whole = standing.wanted.is_read_whole.then_some("(whole)");
    let keys = standing.wanted.keys.iter().map(String::as_str);
    list(keys.chain(whole))
}

fn there(standing: &Standing<'_>) -> String {
    match standing.stored.and_then(|stored| stored.value.as_ref()) {
        None => "-".to_owned(),
        Some(ValueShape::Text) => "(text)".to_owned(),
        Some(ValueShape::Keys(keys)) => list(keys.iter().map(String::as_str)),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}

fn changed(standing: &Standing<'_>, now: Timestamp) -> String {
    let changed = standing.stored.and_then(|stored| stored.last_changed);
    age::since(changed, now)
}

/// What is missing, a line each with what mends it; one line where nothing is.
fn lines(standings: &[Standing<'_>]) -> String {
    let line = |standing: &Standing<'_>| {
        let lack = standing.lack()?;
        let mend = standing.mend(&lack);
        Some(format!("{}: {}; {mend}\n", standing.wanted.name, lack.describe()))
    };
    let lines: String = standings.iter().filter_map(line).collect();
    if lines.is_empty() {
        return format!("every secret has what tasks read of it ({} secrets)\n", standings.len());
    }
    lines
}

fn as_json(standings: &[Standing<'_>]) -> Value {
    let one = |standing: &Standing<'_>| {
        let stored = standing.stored;
        let keys = stored.and_then(|stored| match &stored.value {
            Some(ValueShape::Keys(keys)) => Some(keys),
            _ => None,
        });
        let lack = standing.lack();
        json!({
            "secret": standing.wanted.name,
            "address": standing.wanted.address.to_string(),
            "exists": stored.is_some_and(|stored| !stored.is_being_deleted),
            "has_value": stored.is_some_and(|stored| stored.value.is_some()),
            "read_whole": standing.wanted.is_read_whole,
            "keys_wanted": standing.wanted.keys,
            "keys_there": keys,
            "last_changed": stored.and_then(|stored| stored.last_changed),
            "missing": lack.as_ref().map(crate::secrets::Lack::describe),
            "mend": lack.as_ref().map(|lack| standing.mend(lack)),
        })
    };
    standings.iter().map(one).collect()
}
