//! `aws_cloudwatch_metric_alarm`, `aws_cloudwatch_composite_alarm`. <https://aws.amazon.com/cloudwatch/pricing/>

use crate::attributes::Attributes;
use crate::biller::Biller;
use crate::inventory::{Resource, count};
use crate::meter;
use crate::{Estimate, Quantity};

/// Paid for by the metric; a band of what is normal counts as two more.
pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let queries = resource.attributes.blocks("metric_query");
    let metrics: Vec<Attributes<'_>> = queries.iter().flat_map(|query| query.blocks("metric")).collect();
    let has_band = queries.iter().any(|query| {
        query
            .text("expression")
            .is_some_and(|it| it.contains("ANOMALY_DETECTION_BAND"))
    });
    let watched = count(metrics.len()).max(1) + if has_band { 2 } else { 0 };
    let period = |from: &Attributes<'_>| from.whole("period");
    let periods = metrics.iter().filter_map(period).chain(period(&resource.attributes));
    let meter = match periods.min() {
        Some(seconds) if seconds < 60 => &meter::ALARM_HIGH_RESOLUTION,
        _ => &meter::ALARM,
    };
    bill.fixed(
        resource.address,
        meter,
        Estimate::certain(Quantity::from(watched)),
        "the metrics it watches",
    );
}

pub(super) fn price_composite(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    bill.fixed(
        resource.address,
        &meter::ALARM_COMPOSITE,
        Estimate::certain(Quantity::ONE),
        "one alarm",
    );
}
