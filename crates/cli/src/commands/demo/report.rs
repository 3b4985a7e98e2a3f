//! All that has happened: what `karma demo --json` prints.

use serde::Serialize;

use super::between::Asked;
use super::event::{Amount, Beginning, Call, Holding, Refusal};

/// The story so far.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) outcome: Outcome,
    /// Where the load balancer answers.
    pub(super) url: String,
    #[serde(flatten)]
    pub(super) beginning: Beginning,
    pub(super) chapters: Vec<Chapter>,
    pub(super) accounts: Vec<Holding>,
    /// Why it did not come to its end.
    #[serde(flatten)]
    pub(super) refusal: Option<Refusal>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Done,
    Refused,
    Interrupted,
}

/// A part of it.
#[derive(Debug, Serialize)]
pub(super) struct Chapter {
    pub(super) title: String,
    pub(super) about: Option<String>,
    pub(super) calls: Vec<Told>,
}

/// A call, and what services asked of each other for it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    pub(super) call: Call,
    /// None where its trace was not sampled, or has not come in.
    pub(super) between: Option<Vec<Asked>>,
}

impl Report {
    /// Nothing has happened yet. Whoever goes away now has interrupted it.
    pub(super) fn new(url: String) -> Self {
        Self {
            outcome: Outcome::Interrupted,
            url,
            beginning: Beginning::default(),
            chapters: Vec::new(),
            accounts: Vec::new(),
            refusal: None,
        }
    }

    /// The visitor's calls.
    pub(super) fn calls(&self) -> impl Iterator<Item = &Told> {
        self.chapters.iter().flat_map(|chapter| &chapter.calls)
    }

    /// What services asked of each other.
    pub(super) fn between(&self) -> impl Iterator<Item = &Asked> {
        self.calls().flat_map(|told| told.between.iter().flatten())
    }

    /// What the visitor spent.
    pub(super) fn spent(&self) -> Amount {
        let paid = self.calls().filter_map(|told| told.call.paid.as_ref());
        Amount(paid.map(|payment| payment.amount.0).sum())
    }

    /// What a service paid, and what it earned.
    pub(super) fn turnover(&self, service: &str) -> (Amount, Amount) {
        let sum = |is_its: fn(&Asked) -> &str| {
            let its = self.between().filter(|asked| is_its(asked) == service);
            its.filter_map(|asked| asked.paid.as_ref())
                .map(|paid| paid.amount.0)
                .sum::<u128>()
        };
        let from_visitor = self.calls().filter(|told| told.call.to == service);
        let from_visitor = from_visitor.filter_map(|told| told.call.paid.as_ref());
        let from_visitor: u128 = from_visitor.map(|paid| paid.amount.0).sum();
        (
            Amount(sum(|asked| &asked.from)),
            Amount(sum(|asked| &asked.to) + from_visitor),
        )
    }
}
