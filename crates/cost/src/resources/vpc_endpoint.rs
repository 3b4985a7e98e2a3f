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
    let subnets = resource.attributes.count("subnet_ids");
    let zones = subnets.unwrap_or(1);
    let hours = Quantity::from(HOURS).times(zones);
    let because = match subnets {
        Some(zones) => format!("one in each of {zones} zones"),
        None => "one at least: its subnets are not known before apply".to_owned(),
    };
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
