//! Autoscaling of a service, in Application Auto Scaling's words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How autoscaling looks after a service.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoscalingObservation {
    /// The fewest tasks that it leaves.
    pub min_capacity: u32,
    /// The most tasks that it makes.
    pub max_capacity: u32,
    /// Neither a policy nor the calendar changes the count for now.
    pub suspended: bool,
}

/// What can be changed of it without a new definition.
/// <https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum AutoscalingChange {
    /// Other limits; the desired count is brought within them.
    Limits {
        /// The fewest tasks.
        min_capacity: u32,
        /// The most tasks.
        max_capacity: u32,
    },
    /// The desired count stays until somebody changes it.
    Suspend,
    /// Policies and the calendar change it again.
    Resume,
}

impl AutoscalingObservation {
    /// The limits with the one moved that this count is beyond; `None` where it is within them.
    pub fn limits_for(&self, desired_count: u32) -> Option<AutoscalingChange> {
        let is_within = (self.min_capacity..=self.max_capacity).contains(&desired_count);
        (!is_within).then(|| AutoscalingChange::Limits {
            min_capacity: self.min_capacity.min(desired_count),
            max_capacity: self.max_capacity.max(desired_count),
        })
    }
}

/// `1–6`
impl fmt::Display for AutoscalingObservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.min_capacity, self.max_capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_moves_the_limit_that_is_in_its_way() {
        let from_1_to_6 = AutoscalingObservation {
            min_capacity: 1,
            max_capacity: 6,
            suspended: false,
        };
        let check = |desired_count, expected: Option<(u32, u32)>| {
            let expected = expected.map(|(min_capacity, max_capacity)| AutoscalingChange::Limits {
                min_capacity,
                max_capacity,
            });
            assert_eq!(from_1_to_6.limits_for(desired_count), expected, "{desired_count}");
        };
        check(1, None);
        check(6, None);
        check(0, Some((0, 6)));
        check(9, Some((1, 9)));
        assert_eq!(from_1_to_6.to_string(), "1–6");
    }
}
