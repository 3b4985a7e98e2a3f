//! `aws_eip`: every public IPv4 address is paid for by the hour, used or not. <https://aws.amazon.com/vpc/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;
use crate::service::HOURS;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    // Addresses that one brings along cost nothing.
    if resource
        .attributes
        .text("public_ipv4_pool")
        .is_some_and(|pool| pool != "amazon")
    {
        return bill.free(resource.address);
    }
    bill.fixed(
        resource.address,
        &meter::PUBLIC_ADDRESS,
        Estimate::certain(Quantity::from(HOURS)),
        "all month",
    );
}
