//! `aws_nat_gateway`: hours, and every byte in either direction. <https://aws.amazon.com/vpc/pricing/>

use crate::biller::Biller;
use crate::inventory::{Resource, WayOut, count};
use crate::meter;
use crate::service::HOURS;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let hours = Estimate::certain(Quantity::from(HOURS));
    bill.fixed(resource.address, &meter::NAT_GATEWAY_HOURS, hours, "all month");
    let WayOut::NatGateways(gateways) = bill.inventory.way_out() else {
        return;
    };
    if !gateways.contains(&resource.address) {
        return;
    }
    if resource.attributes.reference("allocation_id").is_none() {
        bill.fixed(resource.address, &meter::PUBLIC_ADDRESS, hours, "its own address");
    }
    let part = |whole: Quantity| whole.per(count(gateways.len()));
    let to_internet = part(bill.usage.internet_gb);
    let (to_aws, because) = match bill.inventory.interface_endpoints().next() {
        Some(_) => (Quantity::ZERO, "its part of internet_gb"),
        None => (
            part(bill.usage.aws_services_gb),
            "its part of internet_gb + aws_services_gb: there is no interface endpoint",
        ),
    };
    bill.by_use(
        resource.address,
        &meter::NAT_GATEWAY_BYTES,
        to_internet + to_aws,
        because,
    );
    bill.by_use(resource.address, &meter::EGRESS, to_internet, "its part of internet_gb");
}
