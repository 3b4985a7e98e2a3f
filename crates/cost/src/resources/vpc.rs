//! `aws_vpc`: free, but bytes between its zones are not. <https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    // Paid on both sides. The price list has a newer meter at 0.00 beside this one; AWS does not say whom it applies to.
    let both_ways = bill.usage.cross_zone_gb.times(2_u32);
    let part = bill.inventory.part(both_ways, "aws_vpc");
    if part.is_zero() {
        return bill.free(resource.address);
    }
    bill.by_use(
        resource.address,
        &meter::CROSS_ZONE,
        part,
        "its part of cross_zone_gb, out of one zone and into another",
    );
}
