//! `aws_ecs_service`: the tasks. <https://aws.amazon.com/fargate/pricing/>

use karma_terraform::Address;

use crate::attributes::Attributes;
use crate::biller::Biller;
use crate::capacity::{Launch, Share, shared_out};
use crate::inventory::{Resource, WayOut, count};
use crate::meter::{self, Meter};
use crate::service::Service;
use crate::{Estimate, Quantity};

/// What one task is made of.
struct Size {
    cpu: Quantity,
    memory_gb: Quantity,
    /// Beyond the 20 GB that come with every task.
    storage_gb: Quantity,
    is_arm: bool,
}

pub(super) fn price(resource: &Resource<'_>, bill: &mut Biller<'_>) {
    let inventory = bill.inventory;
    let Some(service) = inventory.service(resource.address) else {
        return;
    };
    if let Some(schedule) = service.unread_schedule {
        let why = format!(
            "`{schedule}` does not repeat in a way that is read here: the usual limits are priced for every hour"
        );
        bill.unpriced(service.address, why);
    }
    if service.has_unknown_count {
        let why = "its desired count is not known before apply: so many tasks as autoscaling keeps at least are priced, or none";
        bill.unpriced(service.address, why);
    }
    if service.has_public_addresses {
        let because = "one address for each task";
        bill.fixed(service.address, &meter::PUBLIC_ADDRESS, service.tasks.all(), because);
    }
    if let WayOut::PublicAddresses(services) = inventory.way_out()
        && services.contains(&service.address)
    {
        let sent = bill.usage.internet_gb.per(count(services.len()));
        bill.by_use(service.address, &meter::EGRESS, sent, "its part of internet_gb");
    }
    match (&service.launch, service.definition.map(Size::read)) {
        (Launch::Elsewhere, _) => bill.unpriced(service.address, "its tasks run on machines that are not Fargate's"),
        (Launch::Fargate(_), Some(Ok(size))) => price_tasks(service, &size, bill),
        (Launch::Fargate(_), Some(Err(why))) => bill.unpriced(service.address, why),
        (Launch::Fargate(_), None) => bill.unpriced(service.address, "its task definition is not in this stack"),
    }
}

impl Size {
    fn read(definition: Attributes<'_>) -> Result<Self, &'static str> {
        let platform = definition.blocks("runtime_platform");
        let platform = |name| platform.first().and_then(|block| block.text(name));
        if platform("operating_system_family").is_some_and(|system| system.starts_with("WINDOWS")) {
            return Err("Windows on Fargate has no price here");
        }
        let (Some(cpu), Some(memory)) = (definition.quantity("cpu"), definition.quantity("memory")) else {
            return Err("the cpu and memory of its task definition are not known before apply");
        };
        let storage = definition
            .blocks("ephemeral_storage")
            .first()
            .and_then(|block| block.quantity("size_in_gib"));
        Ok(Self {
            cpu: cpu.per(1024_u32),
            memory_gb: memory.per(1024_u32),
            storage_gb: storage.unwrap_or_default().without(20_u32.into()),
            is_arm: platform("cpu_architecture") == Some("ARM64"),
        })
    }

    fn meters(&self, provider: &str) -> [(&'static Meter, Quantity); 3] {
        let (cpu, memory) = match (provider == "FARGATE_SPOT", self.is_arm) {
            (false, false) => (&meter::FARGATE_X86_CPU, &meter::FARGATE_X86_MEMORY),
            (false, true) => (&meter::FARGATE_ARM_CPU, &meter::FARGATE_ARM_MEMORY),
            (true, false) => (&meter::SPOT_X86_CPU, &meter::SPOT_X86_MEMORY),
            (true, true) => (&meter::SPOT_ARM_CPU, &meter::SPOT_ARM_MEMORY),
        };
        // AWS has no price of its own for storage beside Spot.
        [
            (cpu, self.cpu),
            (memory, self.memory_gb),
            (&meter::FARGATE_STORAGE, self.storage_gb),
        ]
    }
}

fn price_tasks(service: &Service<'_>, size: &Size, bill: &mut Biller<'_>) {
    let Launch::Fargate(shares) = &service.launch else {
        return;
    };
    for (index, share) in shares.iter().enumerate() {
        let hours = service.tasks.each(|tasks| shared_out(tasks, shares)[index]);
        price_share(service.address, share, size, hours, bill);
    }
}

fn price_share(address: &Address, share: &Share<'_>, size: &Size, hours: Estimate<Quantity>, bill: &mut Biller<'_>) {
    for (meter, each) in size.meters(share.provider) {
        let because = format!("{} task hours of {each}", hours.expected);
        bill.fixed(address, meter, hours.map(|hours| hours.times(each)), because);
    }
}
