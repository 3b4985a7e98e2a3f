//! What a stack costs in a month: line by line, offline, before tax.
//!
//! ```text
//!   Stack ──▶ Inventory ──▶ resources/<family> ──▶ Biller ──▶ Bill ──▶ text, Markdown, CSV, SVG, JSON
//!                                    ▲               ▲
//!                                  Usage         PriceBook
//! ```
//!
//! [`price`] is the whole of it. It reads the stack and not the fleet: what cannot be run here, or is not known well enough for that, costs
//! money all the same; and a plan made by Terraform itself is a [`Stack`] too ([`read_plan`]).
//!
//! Every line says which resource causes it, how much of what it is, at which price of which day, and whether it comes with the stack or
//! with its use. What has no price is listed and never counted as nothing. Money is decimal.
//!
//! ```
//! use karma_cost::{PriceBook, Usage, price};
//! use karma_terraform::{Inputs, Sources, evaluate, parse};
//!
//! let sources = Sources::from_iter([("main.tf", r#"
//!     resource "aws_secretsmanager_secret" "key" { name = "key" }
//! "#)]);
//! let (module, _) = parse(&sources);
//! let (stack, _) = evaluate(&module, &Inputs::default(), &karma_fleet::provider());
//! let prices = PriceBook::embedded("us-east-1").expect("it came with the program");
//! let bill = price(&stack, &Usage::default(), &prices);
//! assert_eq!(bill.totals.list.expected.to_string(), "0.40");
//! ```

#![deny(clippy::float_arithmetic)] // money

mod bill;
mod compare;
mod estimate;
mod kind;
mod knobs;
mod measured;
mod money;
mod offer;
mod output;
mod plan;
mod price_book;
mod rate;
mod region;
mod usage;
mod what_if;

mod attributes;
mod biller;
mod capacity;
mod inventory;
mod meter;
mod resources;
mod scaling;
mod schedule;
mod service;

pub use bill::{Assumption, Basis, Bill, CostComponent, Group, Subtotal, Totals, Unpriced};
pub use compare::{Change, ChangeKind, Comparison, compare};
pub use estimate::Estimate;
pub use kind::{Instances, Kind, instances};
pub use knobs::{Changes, Feature, KNOBS, Knob, UnknownFeature};
pub use measured::Measured;
pub use money::{Quantity, Usd};
pub use offer::{OFFER_HOST, OfferError, SPOT_FEED, offer_paths, read_offer, read_spot_feed};
pub use output::{Today, comparison_markdown, csv, markdown, svg, what_if_markdown};
pub use plan::{PlanError, read_plan};
pub use price_book::{PriceBook, PriceBookError};
pub use rate::{PriceDate, Rate};
pub use region::region;
pub use usage::{Usage, UsageError};
pub use what_if::{Budget, Figure, Optimum, Outcome, WayBack, budget, optimise, what_if};

use karma_terraform::Stack;

/// What a stack costs in a month, with this use of it and at these prices.
pub fn price(stack: &Stack, usage: &Usage, prices: &PriceBook) -> Bill {
    let inventory = inventory::Inventory::of(stack);
    let mut biller = biller::Biller::new(&inventory, usage, prices);
    resources::price_all(&mut biller);
    biller.finish()
}
