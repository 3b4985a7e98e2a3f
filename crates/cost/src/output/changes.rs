//! Differences as Markdown: between two bills, and of each knob.

use crate::{Change, ChangeKind, Comparison, Feature, Outcome, Totals, Usd};

/// Two bills side by side: what came, went or changed, at list price.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let (before, after) = (comparison.before.list.expected, comparison.after.list.expected);
    let mut text = format!(
        "**{}** USD a month at list price, from {before} to {after}.\n",
        signed(after - before)
    );
    if !comparison.changes.is_empty() {
        text.push_str(
            "\n| | Resource | Line | Before | After | Difference |\n| --- | --- | --- | ---: | ---: | ---: |\n",
        );
    }
    for change in &comparison.changes {
        text.push_str(&row(change));
    }
    if !comparison.newly_unpriced.is_empty() {
        text.push_str("\nNew, and not in the totals:\n\n");
    }
    for unpriced in &comparison.newly_unpriced {
        text.push_str(&format!("- `{}`: {}\n", unpriced.resource, unpriced.why));
    }
    text
}

/// Every knob with what it saves and what it gives up.
pub fn what_if_markdown(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| Change | Saves, list | Saves, with free tier | Then costs, with free tier | What it costs otherwise | Gives up |\n| --- | ---: | ---: | ---: | --- | --- |\n",
    );
    for outcome in outcomes {
        let features: Vec<String> = outcome.knob.gives_up.iter().map(Feature::to_string).collect();
        text.push_str(&format!(
            "| {} (`{}`) | {} | {} | {} | {} | {} |\n",
            outcome.knob.title,
            outcome.knob.id,
            outcome.saves_list,
            outcome.saves_with_free_tier,
            outcome.totals.with_free_tier.expected,
            outcome.knob.price,
            features.join(", "),
        ));
    }
    text
}

fn row(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Removed => "removed",
        ChangeKind::Changed => "changed",
    };
    let cost = |totals: &Totals| totals.list.expected;
    let (before, after) = (cost(&change.before), cost(&change.after));
    let resource = change.resource.to_string().replace('|', "\\|");
    format!(
        "| {kind} | `{resource}` | {} | {before} | {after} | {} |\n",
        change.name,
        signed(after - before)
    )
}

fn signed(difference: Usd) -> String {
    if difference > Usd::ZERO {
        format!("+{difference}")
    } else {
        difference.to_string()
    }
}
