//! Alarms: judged once a minute, as CloudWatch judges them.
//!
//! ```text
//! MetricStore ─ series ─▶ datapoints ─ evaluate ─▶ state ─▶ AlarmBoard ─▶ changes, for actions and people
//! ```

mod board;
mod evaluate;
mod math;
mod reason;
mod series;

pub(crate) use board::{AlarmBoard, Rung, remember};
pub(crate) use evaluate::{Evaluation, Point, evaluate, evaluation_range};
pub(crate) use series::{points, watched};
