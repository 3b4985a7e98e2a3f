//! Limits of autoscaling.

use aws_sdk_applicationautoscaling::types::ScalableTarget;
use karma_ops::AutoscalingObservation;

/// How autoscaling looks after a service. It counts as suspended where nothing of it is done.
pub(in crate::orchestrator) fn autoscaling(target: &ScalableTarget) -> AutoscalingObservation {
    let limit = |number: i32| u32::try_from(number).unwrap_or_default();
    let suspended = target.suspended_state().is_some_and(|state| {
        let all = [
            state.dynamic_scaling_in_suspended(),
            state.dynamic_scaling_out_suspended(),
            state.scheduled_scaling_suspended(),
        ];
        all.iter().all(|one| *one == Some(true))
    });
    AutoscalingObservation {
        min_capacity: limit(target.min_capacity()),
        max_capacity: limit(target.max_capacity()),
        suspended,
    }
}
