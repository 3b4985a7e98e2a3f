//! What Terraform is about to change: shown, asked about, and done.

use serde_json::json;

use super::event::Event;
use super::journal::Journal;
use crate::failure::Failure;
use crate::printer::Style;
use crate::question::{Reply, YesArgument};
use crate::terraform::{Action, Plan, PlanFor, Terraform};

/// More changes than this are only counted, unless `-v` asks for all of them.
const SHOWN: usize = 20;

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// There was nothing to change.
    Nothing,
    /// It is wanted.
    Apply,
    /// It is not wanted.
    Leave,
}

/// Makes a plan and shows it.
pub(crate) async fn plan(terraform: &Terraform, what: PlanFor<'_>, journal: &Journal) -> Result<Plan, Failure> {
    let plan = terraform.plan(what).await?;
    journal.event(&event(&plan))?;
    tell(&plan, journal);
    Ok(plan)
}

/// Asks whether to apply it, where there is anything to apply.
pub(crate) async fn decide(plan: &Plan, yes: YesArgument, journal: &Journal) -> Result<Decision, Failure> {
    if plan.is_empty() {
        return Ok(Decision::Nothing);
    }
    let question = format!("{} Apply it?", plan.summary());
    Ok(match yes.confirm(&question, journal.printer).await? {
        Reply::Yes => Decision::Apply,
        Reply::No => Decision::Leave,
    })
}

fn event(plan: &Plan) -> Event<'static> {
    let [add, change, destroy] = plan.counts();
    let changes = plan.changes.iter();
    let changes = changes.map(|change| json!({ "address": change.address, "action": change.action.as_str() }));
    Event::Plan {
        add,
        change,
        destroy,
        changes: changes.collect(),
    }
}

fn tell(plan: &Plan, journal: &Journal) {
    let printer = journal.printer;
    let shown = if printer.is_verbose() { usize::MAX } else { SHOWN };
    for (action, line) in plan.lines().take(shown) {
        printer.talk(&printer.paint_talk(style(action), &format!("      {line}")));
    }
    let more = plan.changes.len().saturating_sub(shown);
    if more > 0 {
        journal.say(&format!("      and {more} more; -v shows all of them"));
    }
}

fn style(action: Action) -> Style {
    match action {
        Action::Create => Style::Green,
        Action::Update | Action::DeleteAndCreate | Action::CreateAndDelete => Style::Yellow,
        Action::Delete => Style::Red,
        Action::Forget | Action::Keep => Style::Dim,
    }
}
