//! What each generated block says.

use std::collections::BTreeSet;

use karma_fleet::Service;
use karma_terraform::{Mode, OutputDeclaration, VariableDeclaration};

use super::facts::{Facts, paths};
use super::markdown::{Table, code, prose};
use super::markers::Block;
use super::{Problem, costs, diagram};

/// A default that is longer is read where it stands.
const LONGEST_DEFAULT: usize = 48;

/// A kind of generated block.
struct Kind {
    name: &'static str,
    write: fn(&Facts<'_>) -> String,
}

/// Every kind there is.
const KINDS: &[Kind] = &[
    kind("agents", agents),
    kind("bill", costs::bill),
    kind("diagram", diagram::draw),
    kind("fidelity", fidelity),
    kind("files", files),
    kind("outputs", outputs),
    kind("price", costs::price),
    kind("profile-prices", costs::profile_prices),
    kind("resources", resources),
    kind("savings", costs::savings),
    kind("summary", summary),
    kind("variables", variables),
];

const fn kind(name: &'static str, write: fn(&Facts<'_>) -> String) -> Kind {
    Kind { name, write }
}

/// The names that a marker can have.
pub(crate) fn names() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// What stands between the markers of a block: lines, with an empty one before and after them, as Markdown wants it.
pub(super) fn content(block: &Block<'_>, facts: &Facts<'_>) -> Result<String, Problem> {
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == block.name)
        .ok_or_else(|| Problem {
            line: block.line,
            message: format!("there is no generated block `{}`", block.name),
            hint: format!("the blocks are {}", names()),
        })?;
    let text = format!("\n{}\n\n", (kind.write)(facts).trim_end());
    Ok(text.replace('\n', block.line_ending))
}

/// How much there is, in a sentence.
fn summary(facts: &Facts<'_>) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let declares = [
        count(facts.module.variables().len(), "variable"),
        count(facts.module.outputs().len(), "output"),
        count(facts.resources(Mode::Data).count(), "data source"),
    ];
    format!(
        "With its defaults the stack is **{}** of {}, for {}. It declares {} and {}, and reads {}.\n",
        count(facts.resources(Mode::Managed).count(), "resource"),
        count(facts.by_kind().len(), "type"),
        count(facts.fleet.services.len(), "service"),
        declares[0],
        declares[1],
        declares[2],
    )
}

/// The files with what they declare.
fn files(facts: &Facts<'_>) -> String {
    let by_file = facts.by_file();
    let mut table = Table::new(["File", "Resources", "Of type"]);
    for file in facts.files() {
        let resources = by_file.get(file).map_or(&[][..], Vec::as_slice);
        let kinds = resources.iter().map(|it| it.address.kind.as_str());
        table.row([link(file, None, facts), resources.len().to_string(), codes(kinds)]);
    }
    table.into_text()
}

/// What becomes of each attribute where the stack is run on a machine of one's own.
fn fidelity(facts: &Facts<'_>) -> String {
    let mut table = Table::new(["Type", "Attribute", "Fidelity", "How, or why not"]);
    for line in karma_fleet::fidelity(facts.stack) {
        table.row([
            code(&line.resource_type),
            line.attribute.as_deref().map_or_else(|| "all of it".to_owned(), code),
            line.fidelity.as_str().to_owned(),
            prose(line.remark),
        ]);
    }
    table.into_text()
}

/// The resources by type.
fn resources(facts: &Facts<'_>) -> String {
    let mut table = Table::new(["Type", "Resources", "Blocks"]);
    for (kind, resources) in facts.by_kind() {
        let blocks = resources.iter().map(|it| it.address.name.as_str());
        table.row([code(kind), resources.len().to_string(), codes(blocks)]);
    }
    table.into_text()
}

fn variables(facts: &Facts<'_>) -> String {
    let mut table = Table::new(["Variable", "Type", "Default", "What it is for"]);
    for variable in facts.module.variables() {
        table.row([
            code(variable.name),
            code(&short_type(variable.ty.unwrap_or("any"))),
            default(&variable, facts),
            prose(variable.description.unwrap_or_default()),
        ]);
    }
    table.into_text()
}

fn default(variable: &VariableDeclaration<'_>, facts: &Facts<'_>) -> String {
    let file = &variable.declared_at.file;
    match variable.default {
        None => "*required*".to_owned(),
        Some(_) if variable.sensitive => "*sensitive*".to_owned(),
        Some(text) if text.len() <= LONGEST_DEFAULT && !text.contains('\n') => code(text),
        Some(_) => link(file, facts.line(variable.declared_at), facts),
    }
}

/// A link to a file of the stack, from where the document is.
fn link(file: &str, line: Option<usize>, facts: &Facts<'_>) -> String {
    let up = facts.to_stack;
    match line {
        Some(line) => format!("[{file}:{line}]({up}{file}#L{line})"),
        None => format!("[{file}]({up}{file})"),
    }
}

/// A type on one line: what is inside the braces of an object is read where it stands.
fn short_type(ty: &str) -> String {
    let mut short = String::new();
    let mut depth = 0_usize;
    for char in ty.chars() {
        depth = depth.saturating_sub(usize::from(char == '}'));
        if depth == 0 {
            short.push(char);
        }
        if char == '{' {
            short.push_str(if depth == 0 { "..." } else { "" });
            depth += 1;
        }
    }
    short.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn outputs(facts: &Facts<'_>) -> String {
    let mut table = Table::new(["Output", "What it is"]);
    for output in facts.module.outputs() {
        table.row([code(output.name), about(&output)]);
    }
    table.into_text()
}

fn about(output: &OutputDeclaration<'_>) -> String {
    let said = prose(output.description.unwrap_or_default());
    if output.sensitive {
        return format!("{said} *(sensitive)*");
    }
    said
}

/// The services with their ports, rules and sizes.
fn agents(facts: &Facts<'_>) -> String {
    let mut table = Table::new([
        "Agent",
        "Port",
        "Rule",
        "Paths",
        "Health check",
        "CPU units",
        "Memory in MiB",
        "Tasks",
    ]);
    for service in facts.fleet.services.values() {
        table.row(agent(service, facts));
    }
    table.into_text()
}

fn agent(service: &Service, facts: &Facts<'_>) -> [String; 8] {
    let definition = facts.fleet.task_definitions.get(&service.task_definition);
    let size = |size: Option<u32>| size.map(|size| size.to_string()).unwrap_or_default();
    let rules = facts.rules_of(service);
    let groups = service.load_balancers.iter();
    let ports = groups.clone().map(|entry| entry.container_port);
    let checks = groups.filter_map(|entry| facts.fleet.target_groups.get(&entry.target_group));
    [
        code(&service.label),
        numbers(ports.map(u32::from)),
        numbers(rules.iter().map(|(_, rule)| rule.priority)),
        codes(rules.iter().flat_map(|(_, rule)| paths(rule))),
        codes(checks.map(|group| group.health_check.path.as_str())),
        size(definition.and_then(|it| it.cpu)),
        size(definition.and_then(|it| it.memory)),
        service.desired_count.to_string(),
    ]
}

/// Each once, in their order.
fn numbers(all: impl Iterator<Item = u32>) -> String {
    let all: BTreeSet<u32> = all.collect();
    all.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// Each once, in their order.
fn codes<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: BTreeSet<&str> = all.collect();
    all.into_iter().map(code).collect::<Vec<_>>().join(", ")
}
