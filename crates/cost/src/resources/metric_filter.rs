//! `aws_cloudwatch_log_metric_filter`: each metric it writes is a custom one. <https://aws.amazon.com/cloudwatch/pricing/>

use crate::biller::Biller;
use crate::inventory::{Resource, count};
use crate::meter;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let metrics = resource.attributes.blocks("metric_transformation");
    if metrics
        .iter()
        .any(|metric| metric.value("dimensions").is_some_and(has_members))
    {
        bill.unpriced(
            resource.address,
            "a metric with dimensions is paid for once for each value that the logs hold",
        );
    }
    let metrics = Quantity::from(count(metrics.len()));
    bill.fixed(
        resource.address,
        &meter::METRICS,
        Estimate::certain(metrics),
        "the metrics it writes",
    );
}

fn has_members(value: &karma_terraform::Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty())
}
