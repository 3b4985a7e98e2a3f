//! `aws_vpc_endpoint`: by the hour in every zone, and by the byte. Gateway endpoints are free.
//! <https://aws.amazon.com/privatelink/pricing/>

use crate::biller::Biller;
use crate::inventory::{Resource, count};
use crate::meter;
use crate::service::HOURS;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    match resource.attributes.text("vpc_endpoint_type") {
        Some("Interface") => price_interface(resource, bill),
        Some("Gateway") | None => bill.free(resource.address),
        Some(other) => bill.unpriced(
            resource.address,
            format!("endpoints of type {other} have no price here"),
        ),
    }
}

fn price_interface(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let zones = resource.attributes.count("subnet_ids").max(1);
    let hours = Quantity::from(HOURS).times(zones);
    let because = format!("one in each of {zones} zones");
    bill.fixed(
        resource.address,
        &meter::ENDPOINT_HOURS,
        Estimate::certain(hours),
        because,
    );
    let endpoints = count(bill.inventory.interface_endpoints().count());
    let bytes = bill.usage.aws_services_gb.per(endpoints);
    bill.by_use(
        resource.address,
        &meter::ENDPOINT_BYTES,
        bytes,
        "its part of aws_services_gb",
    );
}
