//! Autoscaling: what Application Auto Scaling would do with a service's desired count.
//!
//! ```text
//! AlarmBoard ─ readings ─▶ decide_capacity ─▶ Change ─▶ LocalOrchestrator::scale
//! the calendar ─ scheduled actions ─▶ limits ─┘
//! ```

mod decide;

pub(crate) use decide::{Capacity, Change, Cooldowns, Limits, Reading, StepReading, TrackingReading, decide_capacity};
