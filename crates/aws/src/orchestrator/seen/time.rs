//! Times, where they may be missing.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::times;

/// A time that AWS may not have said.
pub(in crate::orchestrator) fn timestamp(time: Option<&DateTime>) -> Option<Timestamp> {
    times::timestamp(time?)
}

/// A time of CloudWatch Logs: milliseconds since 1970.
pub(in crate::orchestrator) fn milliseconds(time: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?).ok()
}
