//! `aws_xray_sampling_rule`: the rule is free, the traces are not. <https://aws.amazon.com/xray/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let traces = bill.inventory.part(bill.usage.traces, "aws_xray_sampling_rule");
    bill.by_use(resource.address, &meter::TRACES, traces, "its part of traces");
}
