//! What could be changed, for a terminal, a pull request or a variable file.

use karma_cost::{Budget, Changes, Feature, Figure, Knob, Optimum, Outcome, WayBack};
use karma_terraform::Module;

use super::answer::Limit;
use crate::printer::{Printer, Style};
use crate::table::{Cell, Table};

/// Each knob alone: what it saves and what else it costs.
pub(super) fn what_if(outcomes: &[Outcome], printer: Printer) -> String {
    if outcomes.is_empty() {
        return "None of the variables that are known to save anything is one of this stack's.\n".to_owned();
    }
    let mut table = Table::new(["CHANGE", "SAVES, LIST", "FREE TIER", "THEN COSTS, FREE TIER", ""]);
    for outcome in outcomes {
        table.row([
            Cell::styled(outcome.knob.id, Style::Bold),
            Cell::number(outcome.saves_list.to_string()),
            Cell::number(outcome.saves_with_free_tier.to_string()),
            Cell::number(outcome.totals.with_free_tier.expected.to_string()),
            Cell::from(outcome.knob.title),
        ]);
    }
    let prices = outcomes
        .iter()
        .map(|outcome| format!("  {}: {}\n", outcome.knob.id, price(outcome.knob)));
    format!(
        "{}\nWhat each of them costs otherwise:\n{}",
        table.render(printer),
        prices.collect::<String>()
    )
}

/// `AWS may take a task back …; gives up on-demand`
fn price(knob: &Knob) -> String {
    let features: Vec<_> = knob.gives_up.iter().map(Feature::to_string).collect();
    match features.len() {
        0 => knob.price.to_owned(),
        _ => format!("{}; gives up {}", knob.price, features.join(", ")),
    }
}

/// Whether the budget is kept, and how to keep it.
pub(crate) fn budget(limit: Limit, budget: &Budget, printer: Printer) -> String {
    let of = figure(limit.figure);
    match budget {
        Budget::Within { left } => {
            let said = format!("Within the budget of {} {of}, with {left} left.", limit.usd);
            format!("\n{}\n", printer.paint(Style::Green, &said))
        }
        Budget::Over { by, ways_back } => {
            let said = format!("Over the budget of {} {of}, by {by}.", limit.usd);
            let ways = ways_back
                .iter()
                .map(|way| format!("  {}\n", way_back(way, limit.figure)));
            format!(
                "\n{}{}\n{}",
                printer.paint(Style::Red, &said),
                introduction(ways_back),
                ways.collect::<String>()
            )
        }
    }
}

/// The same in Markdown.
pub(super) fn budget_markdown(limit: Limit, budget: &Budget) -> String {
    let of = figure(limit.figure);
    match budget {
        Budget::Within { left } => format!("\nWithin the budget of {} {of}, with {left} left.\n", limit.usd),
        Budget::Over { by, ways_back } => {
            let ways = ways_back
                .iter()
                .map(|way| format!("- {}\n", way_back(way, limit.figure)));
            let ways: String = ways.collect();
            let introduction = introduction(ways_back);
            format!(
                "\n**Over the budget of {} {of}, by {by}.**{introduction}\n\n{ways}",
                limit.usd
            )
        }
    }
}

fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::List => "USD at list price",
        Figure::WithFreeTier => "USD with the free tier",
    }
}

fn introduction(ways: &[WayBack]) -> &'static str {
    if ways.is_empty() {
        " Nothing that is known here brings it back."
    } else {
        " The cheapest ways back:"
    }
}

/// `single-nat: 61.01 (saves 33.20): without its zone …; gives up zones`
fn way_back(way: &WayBack, figure: Figure) -> String {
    let names: Vec<_> = way.knobs.iter().map(|knob| knob.id).collect();
    let prices: Vec<_> = way.knobs.iter().map(|knob| price(knob)).collect();
    let (cost, saves) = (figure.of(&way.totals), way.saves);
    format!("{}: {cost}, {saves} less: {}", names.join(" and "), prices.join("; "))
}

/// The variable file of a cheapest combination, with its reasons as comments.
pub(crate) fn tfvars(optimum: &Optimum, figure: Figure, module: &Module) -> String {
    let (before, after) = (figure.of(&optimum.before), figure.of(&optimum.after));
    if optimum.knobs.is_empty() {
        return format!(
            "# Nothing that is known here makes it cheaper than {before} {}.\n",
            self::figure(figure)
        );
    }
    let mut text = format!("# {after} {} a month instead of {before}.\n", self::figure(figure));
    for knob in &optimum.knobs {
        text.push_str(&format!("# {}: {}\n", knob.title, price(knob)));
    }
    text.push('\n');
    text.push_str(&assignments(&optimum.variables, module));
    text
}

fn assignments(variables: &Changes, module: &Module) -> String {
    let width = variables.keys().map(|name| name.len()).max().unwrap_or(0);
    let line = |(name, value): (&&str, &&str)| {
        if is_text(name, module) {
            format!("{name:width$} = \"{value}\"\n")
        } else {
            format!("{name:width$} = {value}\n")
        }
    };
    variables.iter().map(line).collect()
}

/// What is typed for a variable of text is its text; for any other, an expression.
/// <https://developer.hashicorp.com/terraform/language/values/variables#variables-on-the-command-line>
fn is_text(name: &str, module: &Module) -> bool {
    let mut variables = module.variables().into_iter();
    let variable = variables.find(|variable| variable.name == name);
    variable.is_none_or(|variable| variable.ty.is_none_or(|ty| ty == "string"))
}
