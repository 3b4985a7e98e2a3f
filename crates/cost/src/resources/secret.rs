//! `aws_secretsmanager_secret`: by the month, once more for each copy in another region, and by how often it is read.
//! <https://aws.amazon.com/secrets-manager/pricing/>

use crate::biller::Biller;
use crate::inventory::{Resource, count};
use crate::meter;
use crate::{Estimate, Quantity};

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let copies = count(resource.attributes.blocks("replica").len());
    let secrets = Quantity::from(1 + copies);
    bill.fixed(
        resource.address,
        &meter::SECRET,
        Estimate::certain(secrets),
        "itself and its replicas",
    );
    let reads = bill
        .inventory
        .part(bill.usage.secret_reads, "aws_secretsmanager_secret");
    bill.by_use(
        resource.address,
        &meter::SECRET_READS,
        reads,
        "its part of secret_reads",
    );
}
