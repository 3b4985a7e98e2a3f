//! [`Meter`]: something AWS counts, its tiers, and how much of it every account has for free.

use crate::{Group, Quantity};

/// Something that is counted and paid for.
#[derive(Debug)]
pub(crate) struct Meter {
    /// What the bill calls it.
    pub(crate) name: &'static str,
    pub(crate) group: Group,
    /// The price for the first units, for further ones, and so on.
    pub(crate) tiers: &'static [Tier],
    /// What of it is always free.
    pub(crate) allowance: Option<Allowance>,
}

/// The price up to so many units of a month, in the whole account.
#[derive(Debug)]
pub(crate) struct Tier {
    pub(crate) sku: &'static str,
    pub(crate) up_to: Option<u64>,
}

/// What every account has for free each month, for ever. What is free for a trial or a new account's first year is not here.
/// <https://aws.amazon.com/free/>, and the price page of each service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Allowance {
    /// 5 GB of logs, taken in or read by queries. <https://aws.amazon.com/cloudwatch/pricing/>
    Logs,
    /// 10 custom metrics.
    Metrics,
    /// 10 alarms on metrics of standard resolution.
    Alarms,
    /// 3 dashboards of up to 50 metrics.
    Dashboards,
    /// 100,000 traces recorded. <https://aws.amazon.com/xray/pricing/>
    Traces,
    /// 100 GB to the internet. <https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer>
    Egress,
    /// 1,000 mails. <https://aws.amazon.com/sns/pricing/>
    Mails,
}

impl Allowance {
    pub(crate) fn quantity(self) -> Quantity {
        match self {
            Self::Logs => 5,
            Self::Metrics | Self::Alarms => 10,
            Self::Dashboards => 3,
            Self::Traces => 100_000,
            Self::Egress => 100,
            Self::Mails => 1_000_u32,
        }
        .into()
    }
}

impl Meter {
    /// One price for every unit.
    const fn flat(name: &'static str, group: Group, tiers: &'static [Tier]) -> Self {
        Self {
            name,
            group,
            tiers,
            allowance: None,
        }
    }

    const fn free(mut self, allowance: Allowance) -> Self {
        self.allowance = Some(allowance);
        self
    }
}

macro_rules! meters {
    ($($(#[$doc:meta])* $id:ident = $group:ident $name:literal [$($sku:literal $(to $up_to:literal)?),+] $(free $allowance:ident)?;)*) => {
        $($(#[$doc])*
        pub(crate) static $id: Meter = Meter::flat($name, Group::$group, &[$(Tier { sku: $sku, up_to: meters!(@limit $($up_to)?) }),+])$(.free(Allowance::$allowance))?;)*

        /// Every meter there is.
        #[cfg(test)]
        pub(crate) const ALL: &[&Meter] = &[$(&$id),*];
    };
    (@limit) => { None };
    (@limit $up_to:literal) => { Some($up_to) };
}

meters! {
    FARGATE_X86_CPU = Compute "Fargate, x86: vCPU" ["fargate.linux.x86.vcpu"];
    FARGATE_X86_MEMORY = Compute "Fargate, x86: memory" ["fargate.linux.x86.memory"];
    FARGATE_ARM_CPU = Compute "Fargate, ARM: vCPU" ["fargate.linux.arm64.vcpu"];
    FARGATE_ARM_MEMORY = Compute "Fargate, ARM: memory" ["fargate.linux.arm64.memory"];
    SPOT_X86_CPU = Compute "Fargate Spot, x86: vCPU" ["fargate_spot.linux.x86.vcpu"];
    SPOT_X86_MEMORY = Compute "Fargate Spot, x86: memory" ["fargate_spot.linux.x86.memory"];
    SPOT_ARM_CPU = Compute "Fargate Spot, ARM: vCPU" ["fargate_spot.linux.arm64.vcpu"];
    SPOT_ARM_MEMORY = Compute "Fargate Spot, ARM: memory" ["fargate_spot.linux.arm64.memory"];
    FARGATE_STORAGE = Compute "Fargate: ephemeral storage beyond 20 GB" ["fargate.ephemeral_storage"];
    T4G_NANO = Compute "Instance t4g.nano" ["t4g.nano.linux"];
    VOLUME_GP3 = Storage "Volume gp3" ["ebs.gp3"];

    NAT_GATEWAY_HOURS = Network "NAT gateway" ["nat_gateway.hour"];
    NAT_GATEWAY_BYTES = Network "NAT gateway: data" ["nat_gateway.gb"];
    PUBLIC_ADDRESS = Network "Public IPv4 address" ["public_ipv4.in_use"];
    ENDPOINT_HOURS = Network "Interface endpoint, per zone" ["vpce.interface.hour"];
    ENDPOINT_BYTES = Network "Interface endpoint: data" ["vpce.interface.gb"];
    CROSS_ZONE = Network "Data between zones, each direction" ["cross_az.regional_bytes"];
    /// Tiers of 10, 40 and 100 TB. <https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer>
    EGRESS = Network "Data to the internet" [
        "egress.internet.tier1" to 10_240, "egress.internet.tier2" to 51_200, "egress.internet.tier3" to 153_600, "egress.internet.tier4"
    ] free Egress;
    HOSTED_ZONE = Network "Hosted zone" ["hosted_zone" to 25, "hosted_zone.over25"];

    LOAD_BALANCER_HOURS = LoadBalancing "Application Load Balancer" ["alb.hour"];
    LOAD_BALANCER_UNITS = LoadBalancing "Load balancer capacity units" ["alb.lcu"];

    LOGS = Observability "Logs: taken in" ["logs.ingest.standard"] free Logs;
    LOGS_INFREQUENT = Observability "Logs: taken in, infrequent access" ["logs.ingest.infrequent_access"] free Logs;
    LOGS_KEPT = Observability "Logs: kept" ["logs.storage"];
    LOGS_SCANNED = Observability "Logs: read by queries" ["logs.insights_scanned"] free Logs;
    /// Tiers of 10,000, 240,000 and 750,000 metrics. <https://aws.amazon.com/cloudwatch/pricing/>
    METRICS = Observability "Custom metrics" [
        "metric.custom.tier1" to 10_000, "metric.custom.tier2" to 250_000, "metric.custom.tier3" to 1_000_000, "metric.custom.tier4"
    ] free Metrics;
    INSIGHTS_ENHANCED = Observability "Container Insights, enhanced: metrics" ["container_insights.enhanced_ecs"];
    ALARM = Observability "Alarm" ["alarm.standard"] free Alarms;
    ALARM_HIGH_RESOLUTION = Observability "Alarm of high resolution" ["alarm.high_resolution"];
    ALARM_COMPOSITE = Observability "Composite alarm" ["alarm.composite"];
    DASHBOARD = Observability "Dashboard" ["dashboard"] free Dashboards;
    DASHBOARD_LARGE = Observability "Dashboard of more than 50 metrics" ["dashboard"];
    TRACES = Observability "Traces recorded" ["xray.traces_recorded"] free Traces;
    MAILS = Observability "Mails about alarms" ["sns.email"] free Mails;

    IMAGES = Storage "Images" ["ecr.storage"];
    BUCKET = Storage "Objects kept" ["s3.standard.storage"];
    BUCKET_WRITES = Storage "Objects written" ["s3.put"];
    BUCKET_READS = Storage "Objects read" ["s3.get"];

    SECRET = Security "Secret" ["secret"];
    SECRET_READS = Security "Secrets read" ["secret.api"];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceBook;

    #[test]
    fn every_region_has_a_price_for_every_meter_but_these() {
        let missing = |region| -> Vec<&str> {
            let book = PriceBook::embedded(region).unwrap();
            let tiers = ALL.iter().flat_map(|meter| meter.tiers);
            tiers
                .map(|tier| tier.sku)
                .filter(|sku| book.rate(sku).is_none())
                .collect()
        };
        let volume = "ebs.gp3";
        let spot_arm = ["fargate_spot.linux.arm64.vcpu", "fargate_spot.linux.arm64.memory"];
        assert_eq!(missing("us-east-1"), Vec::<&str>::new());
        assert_eq!(missing("eu-west-1"), [volume]);
        for region in [
            "us-east-2",
            "us-west-2",
            "eu-central-1",
            "ap-southeast-1",
            "ap-northeast-1",
            "sa-east-1",
        ] {
            assert_eq!(missing(region), [spot_arm[0], spot_arm[1], volume], "{region}");
        }
    }
}
