//! What `karma deploy`, `destroy` and `rollback --on aws` are made of: their steps, and how these are told.
//!
//! Every step looks at what is there before it does anything, so that a run that was interrupted goes on when it is run again; nothing is noted
//! down in between. What there is belongs to Terraform's state, to ECS and to the registry.

mod bill;
mod changes;
mod digests;
mod event;
mod examine;
mod follow;
mod health;
mod images;
mod journal;
mod left;
mod outputs;
mod past;
mod repositories;
mod rollout;
mod tools;

pub(crate) use bill::{BudgetArguments, check as bill};
pub(crate) use changes::{Decision, plan};
pub(crate) use digests::{Digests, ImageKeys};
pub(crate) use event::{EVENTS, Event};
pub(crate) use examine::{ImageStep, examine};
pub(crate) use follow::{family, wanted};
pub(crate) use images::Images;
pub(crate) use journal::Journal;
pub(crate) use left::Left;
pub(crate) use past::{earlier, images as images_of};
pub(crate) use repositories::Repositories;
pub(crate) use rollout::Rollout;
pub(crate) use tools::{ChangeArguments, Tools};
