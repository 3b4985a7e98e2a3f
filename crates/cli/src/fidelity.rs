//! The fidelity table: what becomes of each attribute of a stack on this machine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use karma_fleet::{Fidelity, FidelityLine};
use karma_ops::DiscoveryMechanism;
use karma_runtime::{LimitKeeper, Mechanisms};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::printer::Style;
use crate::stack::Reporter;
use crate::table::{Cell, Table};

/// So many of the attributes that `--strict` refuses are named.
const NAMED: usize = 5;

/// Prints the table, and by which means this machine does what AWS does by others.
pub(crate) fn print(lines: &[FidelityLine], mechanisms: Mechanisms, reporter: Reporter) -> Result<(), Failure> {
    let Reporter { json, printer } = reporter;
    if json {
        let lines: Vec<Value> = lines.iter().map(line_json).collect();
        let text = json!({ "attributes": lines, "mechanisms": mechanisms });
        printer.line(&text.to_string())?;
        return Ok(());
    }
    for (kind, lines) in by_type(lines) {
        printer.data(&format!(
            "{}\n{}\n",
            printer.paint(Style::Bold, kind),
            table(&lines).render(printer)
        ))?;
    }
    printer.data(&format!("{}\n{}", counts(lines), means(mechanisms)))?;
    Ok(())
}

/// Refuses where an attribute is set that changes something on AWS and nothing here.
pub(crate) fn refuse_ignored(lines: &[FidelityLine]) -> Result<(), Failure> {
    let ignored: Vec<String> = lines
        .iter()
        .filter(|line| line.fidelity == Fidelity::Ignored)
        .map(name)
        .collect();
    if ignored.is_empty() {
        return Ok(());
    }
    let more = ignored.len().saturating_sub(NAMED);
    let mut named = ignored[..ignored.len().min(NAMED)].join(", ");
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = write!(named, " and {more} more");
    }
    Err(
        Failure::unable(format!("the stack sets what has no effect on this machine: {named}"))
            .hint("see what becomes of each attribute: karma up --fidelity")
            .hint("start all the same: leave out --strict"),
    )
}

/// A launcher's means are this very binary's.
pub(crate) async fn mechanisms() -> Result<Mechanisms, Failure> {
    let probed = Mechanisms::probe(Path::new("/proc/self/exe")).await;
    probed.map_err(|error| Failure::caused_by("cannot try what this machine allows", &error))
}

fn by_type(lines: &[FidelityLine]) -> BTreeMap<&str, Vec<&FidelityLine>> {
    let mut types: BTreeMap<&str, Vec<&FidelityLine>> = BTreeMap::new();
    for line in lines {
        types.entry(&line.resource_type).or_default().push(line);
    }
    types
}

fn table(lines: &[&FidelityLine]) -> Table {
    let mut table = Table::new(["  ATTRIBUTE", "FIDELITY", "HOW, OR WHY NOT"]);
    for line in lines {
        let attribute = line.attribute.as_deref().unwrap_or("(all of it)");
        table.row([
            Cell::from(format!("  {attribute}")),
            Cell::styled(line.fidelity.as_str(), style(line.fidelity)),
            Cell::from(line.remark),
        ]);
    }
    table
}

fn style(fidelity: Fidelity) -> Style {
    match fidelity {
        Fidelity::Enforced => Style::Green,
        Fidelity::Simulated => Style::Yellow,
        Fidelity::Ignored => Style::Red,
        Fidelity::NotApplicable => Style::Dim,
    }
}

/// `12 enforced, 3 simulated, 1 ignored, 20 not applicable`
fn counts(lines: &[FidelityLine]) -> String {
    let count = |fidelity: Fidelity| lines.iter().filter(|line| line.fidelity == fidelity).count();
    let counts = Fidelity::ALL.map(|fidelity| format!("{} {}", count(fidelity), fidelity.as_str()));
    counts.join(", ")
}

/// A line for each thing that depends on the machine.
fn means(mechanisms: Mechanisms) -> String {
    let discovery = match mechanisms.discovery {
        DiscoveryMechanism::HostsFile => "an /etc/hosts of each task's own, as on ECS",
        DiscoveryMechanism::HttpProxy => {
            "HTTP_PROXY, which not every client heeds: the kernel refuses a private /etc/hosts"
        }
    };
    let memory = match mechanisms.memory {
        LimitKeeper::Kernel => "the kernel ends a task that uses more, as on Fargate",
        LimitKeeper::Measurement => "measured once a second, and a task that uses more is ended",
    };
    let cpu = match mechanisms.cpu {
        LimitKeeper::Kernel => "the kernel gives no more, as on Fargate",
        LimitKeeper::Measurement => "measured, and not limited",
    };
    format!(
        "On this machine:\n  Service Connect names  {discovery}\n  memory                 {memory}\n  CPU time               {cpu}\n"
    )
}

fn line_json(line: &FidelityLine) -> Value {
    let resources: Vec<String> = line.resources.iter().map(ToString::to_string).collect();
    json!({
        "resource_type": line.resource_type,
        "attribute": line.attribute,
        "fidelity": line.fidelity.as_str().replace(' ', "_"),
        "remark": line.remark,
        "resources": resources,
    })
}

/// `aws_ecs_service.alarms`
fn name(line: &FidelityLine) -> String {
    match &line.attribute {
        Some(attribute) => format!("{}.{attribute}", line.resource_type),
        None => line.resource_type.clone(),
    }
}
