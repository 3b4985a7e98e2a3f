//! One verb, one file: its arguments, what it does, what it prints.

pub(crate) mod alarms;
pub(crate) mod completions;
pub(crate) mod docs;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod traces;
pub(crate) mod up;
