//! `aws_cloudwatch_log_group`: what is taken in, and what is kept. <https://aws.amazon.com/cloudwatch/pricing/>

use crate::Quantity;
use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;
use crate::service::HOURS;

/// How long logs that are never deleted are counted for: what a bill says after a year.
const NEVER: u32 = 365;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let part = |whole| bill.inventory.part(whole, "aws_cloudwatch_log_group");
    let (gb, scanned) = (part(bill.usage.logs_gb), part(bill.usage.logs_scanned_gb));
    let ingest = match resource.attributes.text("log_group_class") {
        Some("INFREQUENT_ACCESS") => &meter::LOGS_INFREQUENT,
        _ => &meter::LOGS,
    };
    bill.by_use(resource.address, ingest, gb, "its part of logs_gb");
    let days = resource.attributes.whole("retention_in_days").filter(|days| *days > 0);
    let because = match days {
        Some(days) => format!("for {days} days; AWS compresses them, so this is the most"),
        None => "never deleted: so much after a year; AWS compresses them, so this is the most".to_owned(),
    };
    bill.by_use(
        resource.address,
        &meter::LOGS_KEPT,
        gb.times(months_kept(days.unwrap_or(NEVER))),
        because,
    );
    bill.by_use(
        resource.address,
        &meter::LOGS_SCANNED,
        scanned,
        "its part of logs_scanned_gb",
    );
}

/// Days as a part of a month.
pub(super) fn months_kept(days: u32) -> Quantity {
    Quantity::from(days).times(24_u32).per(HOURS)
}
