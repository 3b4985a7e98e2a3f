//! `aws_instance`: the machine, its disk and its address. <https://aws.amazon.com/ec2/pricing/on-demand/>

use crate::biller::Biller;
use crate::inventory::{Resource, WayOut, count};
use crate::meter;
use crate::service::HOURS;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let hours = Estimate::certain(Quantity::from(HOURS));
    match resource.attributes.text("instance_type") {
        Some("t4g.nano") => bill.fixed(resource.address, &meter::T4G_NANO, hours, "all month, Linux, on demand"),
        Some(other) => bill.unpriced(
            resource.address,
            format!("instances of type {other} have no price here"),
        ),
        None => bill.unpriced(resource.address, "its instance type is not known before apply"),
    }
    price_disks(resource, bill);
    if resource.attributes.is("associate_public_ip_address") && !has_elastic_address(resource, bill) {
        bill.fixed(resource.address, &meter::PUBLIC_ADDRESS, hours, "its own address");
    }
    if let WayOut::NatInstances(instances) = bill.inventory.way_out()
        && instances.contains(&resource.address)
    {
        let sent = bill.usage.internet_gb.per(count(instances.len()));
        bill.by_use(resource.address, &meter::EGRESS, sent, "its part of internet_gb");
    }
}

fn price_disks(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    for kind in ["root_block_device", "ebs_block_device"] {
        for disk in resource.attributes.blocks(kind) {
            match (disk.text("volume_type"), disk.quantity("volume_size")) {
                (Some("gp3"), Some(gb)) => {
                    bill.fixed(resource.address, &meter::VOLUME_GP3, Estimate::certain(gb), "all month");
                }
                _ => bill.unpriced(
                    resource.address,
                    "one of its disks is not of type gp3 with a known size",
                ),
            }
        }
    }
    if resource.attributes.blocks("root_block_device").is_empty() {
        bill.unpriced(resource.address, "its root disk has the size of its image");
    }
}

/// An elastic address takes the place of the one that comes with the machine.
fn has_elastic_address(resource: &Resource<'_>, bill: &Biller<'_>) -> bool {
    let addresses = bill
        .inventory
        .kind("aws_eip")
        .iter()
        .chain(bill.inventory.kind("aws_eip_association"));
    let mut machines = addresses.flat_map(|address| {
        let of = |name| address.attributes.references(name);
        [of("instance"), of("instance_id")].concat()
    });
    machines.any(|machine| machine == resource.address)
}
