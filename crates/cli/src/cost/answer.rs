//! [`Answer`]: what `karma cost` was asked, answered, in each of the formats.

use clap::ValueEnum;
use karma_cost::{Bill, Budget, Comparison, Figure, Outcome, Today, Usd};
use serde_json::json;

use super::{bill_text, knob_text, today};
use crate::failure::Failure;
use crate::printer::Printer;

/// The version of the JSON that is not a bill's own.
const SCHEMA: u32 = 1;

/// Columns of what no terminal shows.
const COLUMNS: usize = 100;

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal.
    Table,
    /// For a pull request or a document.
    Markdown,
    /// For a sheet.
    Csv,
    /// A bar chart.
    Svg,
    /// For a program; `--json` is the same.
    #[value(skip)]
    Json,
}

/// What was asked for.
pub(crate) enum Answer {
    /// What it costs.
    Bill {
        /// What it is called.
        name: String,
        bill: Box<Bill>,
    },
    /// What changes.
    Comparison {
        /// What is compared with.
        from: String,
        to: String,
        comparison: Box<Comparison>,
    },
    /// What each knob would do.
    WhatIf(Vec<Outcome>),
}

/// An answer, and whether it stays within the budget if there is one.
pub(crate) struct Judged {
    pub(crate) answer: Answer,
    pub(crate) budget: Option<(Limit, Budget)>,
}

/// So much, by one of a bill's two prices.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) usd: Usd,
    pub(crate) figure: Figure,
}

impl Judged {
    /// Whether the budget is exceeded.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.budget, Some((_, Budget::Over { .. })))
    }

    /// The answer as text; a chart of a comparison is none.
    pub(crate) fn text(&self, format: Format, columns: Option<usize>, printer: Printer) -> Result<String, Failure> {
        let answer = match format {
            Format::Json => return Ok(format!("{}\n", self.json())),
            Format::Table => self.answer.terminal(columns.unwrap_or(COLUMNS), printer),
            Format::Markdown => self.answer.markdown(),
            Format::Csv | Format::Svg => return self.answer.data(format),
        };
        let verdict = self.budget.iter().map(|(limit, budget)| match format {
            Format::Markdown => knob_text::budget_markdown(*limit, budget),
            _ => knob_text::budget(*limit, budget, printer),
        });
        Ok(answer + &verdict.collect::<String>())
    }

    fn json(&self) -> serde_json::Value {
        let mut json = match &self.answer {
            Answer::Bill { bill, .. } => json!(bill),
            Answer::Comparison { from, to, comparison } => {
                let mut json = json!(comparison);
                json["schema"] = SCHEMA.into();
                json["from"] = from.as_str().into();
                json["to"] = to.as_str().into();
                json
            }
            Answer::WhatIf(outcomes) => json!({ "schema": SCHEMA, "what_if": outcomes }),
        };
        if let Some((limit, budget)) = &self.budget {
            json["budget"] = json!(budget);
            json["budget"]["limit"] = json!(limit.usd);
            json["budget"]["figure"] = json!(limit.figure);
        }
        json
    }
}

impl Answer {
    fn terminal(&self, columns: usize, printer: Printer) -> String {
        match self {
            Self::Bill { name, bill } => bill_text::bill(bill, name, columns, printer),
            Self::Comparison { from, to, comparison } => bill_text::comparison(comparison, from, to, printer),
            Self::WhatIf(outcomes) => knob_text::what_if(outcomes, printer),
        }
    }

    fn markdown(&self) -> String {
        match self {
            Self::Bill { bill, .. } => karma_cost::markdown(bill, Today(today())),
            Self::Comparison { comparison, .. } => karma_cost::comparison_markdown(comparison),
            Self::WhatIf(outcomes) => karma_cost::what_if_markdown(outcomes),
        }
    }

    /// Formats that only a bill has.
    fn data(&self, format: Format) -> Result<String, Failure> {
        match (self, format) {
            (Self::Bill { bill, .. }, Format::Csv) => Ok(karma_cost::csv(bill)),
            (Self::Bill { bill, .. }, _) => Ok(karma_cost::svg(bill)),
            _ => Err(Failure::unable("only a bill can be written as CSV or SVG")
                .hint("take --format table, --format markdown or --json")),
        }
    }
}
