//! `aws_route53_zone`: by the month, and by the query. <https://aws.amazon.com/route53/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    bill.fixed(
        resource.address,
        &meter::HOSTED_ZONE,
        Estimate::certain(Quantity::ONE),
        "one zone",
    );
    bill.unpriced(
        resource.address,
        "queries have no price here; those for names of a load balancer are free",
    );
}
