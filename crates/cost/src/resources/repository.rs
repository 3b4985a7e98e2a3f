//! `aws_ecr_repository`: the images in it. Pulling them within the region is free. <https://aws.amazon.com/ecr/pricing/>

use crate::biller::Biller;
use crate::inventory::Resource;
use crate::meter;

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let gb = bill.inventory.part(bill.usage.images_gb, "aws_ecr_repository");
    bill.by_use(resource.address, &meter::IMAGES, gb, "its part of images_gb");
}
