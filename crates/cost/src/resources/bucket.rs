//! `aws_s3_bucket`: what lies in it, and each time it is written or read. <https://aws.amazon.com/s3/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let part = |whole| bill.inventory.part(whole, "aws_s3_bucket");
    let (gb, writes, reads) = (
        part(bill.usage.bucket_gb),
        part(bill.usage.bucket_writes),
        part(bill.usage.bucket_reads),
    );
    bill.by_use(
        resource.address,
        &meter::BUCKET,
        gb,
        "its part of bucket_gb, in the standard class",
    );
    bill.by_use(
        resource.address,
        &meter::BUCKET_WRITES,
        writes,
        "its part of bucket_writes",
    );
    bill.by_use(
        resource.address,
        &meter::BUCKET_READS,
        reads,
        "its part of bucket_reads",
    );
}
