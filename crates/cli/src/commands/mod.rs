//! One verb, one file: its arguments, what it does, what it prints.

pub(crate) mod alarms;
pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod drill;
pub(crate) mod exec;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod plan;
pub(crate) mod prices;
pub(crate) mod restart;
pub(crate) mod rollback;
pub(crate) mod scale;
pub(crate) mod secrets;
pub(crate) mod status;
pub(crate) mod tasks;
pub(crate) mod traces;
pub(crate) mod up;
pub(crate) mod wait;
