//! From the SDK's times to ours.

use aws_smithy_types::DateTime;
use jiff::Timestamp;

/// The same instant; `None` before the year -9999 and after 9999.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    let nanoseconds = i32::try_from(time.subsec_nanos()).ok()?;
    Timestamp::new(time.secs(), nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_stays_what_it_is() {
        let time = timestamp(&DateTime::from_secs_and_nanos(1_700_000_000, 500_000_000)).unwrap();
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.5Z");
        assert_eq!(timestamp(&DateTime::from_secs(i64::MAX)), None);
    }
}
