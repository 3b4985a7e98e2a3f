//! `aws_sns_topic_subscription`: what is delivered. <https://aws.amazon.com/sns/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    match resource.attributes.text("protocol") {
        Some("email" | "email-json") => {
            let mails = bill
                .inventory
                .part(bill.usage.alarm_mails, "aws_sns_topic_subscription");
            bill.by_use(resource.address, &meter::MAILS, mails, "its part of alarm_mails");
        }
        // Between AWS's own services delivery is free.
        Some("sqs" | "lambda" | "firehose") => bill.free(resource.address),
        _ => bill.unpriced(resource.address, "only mails have a price here"),
    }
}
