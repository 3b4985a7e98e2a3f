//! Autoscaling: what Application Auto Scaling would do with a service's desired count.
//!
//! ```text
//! AlarmBoard ─ readings ─▶ decide_capacity ─▶ Order ─▶ LocalOrchestrator
//! the calendar ─ scheduled actions ─▶ limits ─┘
//! ```

mod control_loop;
mod decide;
mod memory;
mod scaler;
mod tracking;

pub(crate) use control_loop::{ControlLoop, Minute};
pub(crate) use decide::Limits;
pub(crate) use scaler::{NotScalable, Order, ServiceCount};
