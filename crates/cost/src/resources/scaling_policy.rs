//! `aws_appautoscaling_policy`: scaling is free, but a policy that aims at a target works through alarms of its own.
//! <https://aws.amazon.com/autoscaling/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    if resource.attributes.text("policy_type") == Some("TargetTrackingScaling") {
        let why = "AWS makes alarms for it and charges for alarms; it publishes neither how many they are nor that these are free";
        bill.unpriced(resource.address, why);
    } else {
        bill.free(resource.address);
    }
}
