//! Which product of AWS's price lists is which SKU of a price book.

use super::stream::Product;

/// A product, and what its tiers are called here.
pub(super) struct Entry {
    /// The SKU of each tier that costs something.
    pub(super) skus: &'static [&'static str],
    pub(super) unit: &'static str,
    /// The offer it is in.
    pub(super) code: &'static str,
    /// What is counted, without the region's prefix (`USE1-`, `EU-`).
    usage_type: &'static str,
    /// What else tells it from its like.
    also: &'static [(&'static str, &'static str)],
}

const fn entry(
    code: &'static str,
    usage_type: &'static str,
    skus: &'static [&'static str],
    unit: &'static str,
) -> Entry {
    Entry {
        skus,
        unit,
        code,
        usage_type,
        also: &[],
    }
}

impl Entry {
    const fn with(mut self, also: &'static [(&'static str, &'static str)]) -> Self {
        self.also = also;
        self
    }

    fn is(&self, product: &Product) -> bool {
        let attribute = |name: &str| product.attributes.get(name).map(String::as_str).unwrap_or_default();
        attribute("servicecode") == self.code
            && is_of_type(attribute("usagetype"), self.usage_type)
            && self.also.iter().all(|(name, value)| match *name {
                FAMILY => product.family.as_deref() == Some(*value),
                name => attribute(name) == *value,
            })
    }
}

/// The entry of a product that is sold in this region, or everywhere.
pub(super) fn find(product: &Product, region: &str) -> Option<usize> {
    let code = product
        .attributes
        .get("regionCode")
        .map(String::as_str)
        .unwrap_or_default();
    let is_here = code == region || code.is_empty();
    is_here.then(|| ENTRIES.iter().position(|entry| entry.is(product)))?
}

/// Whether a usage type is this one, with or without a region before it. In us-east-1 both are found in one file; `SpotUsage-` and `Regional`
/// are no regions, nor is `TS-`, which stands before what belongs to a trust store.
fn is_of_type(usage_type: &str, wanted: &str) -> bool {
    let Some(prefix) = usage_type.strip_suffix(wanted) else {
        return false;
    };
    let is_region = |name: &str| {
        name != "TS" && !name.is_empty() && name.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
    };
    prefix.is_empty() || prefix.strip_suffix('-').is_some_and(is_region)
}

const FAMILY: &str = "productFamily";

/// Every product that a price book has a name for.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "AmazonECS",
        "Fargate-vCPU-Hours:perCPU",
        &["fargate.linux.x86.vcpu"],
        "vCPU-hour",
    ),
    entry(
        "AmazonECS",
        "Fargate-GB-Hours",
        &["fargate.linux.x86.memory"],
        "GB-hour",
    ),
    entry(
        "AmazonECS",
        "Fargate-ARM-vCPU-Hours:perCPU",
        &["fargate.linux.arm64.vcpu"],
        "vCPU-hour",
    ),
    entry(
        "AmazonECS",
        "Fargate-ARM-GB-Hours",
        &["fargate.linux.arm64.memory"],
        "GB-hour",
    ),
    entry(
        "AmazonECS",
        "Fargate-EphemeralStorage-GB-Hours",
        &["fargate.ephemeral_storage"],
        "GB-hour",
    ),
    entry("AWSELB", "LoadBalancerUsage", &["alb.hour"], "ALB-hour").with(&[(FAMILY, "Load Balancer-Application")]),
    entry("AWSELB", "LCUUsage", &["alb.lcu"], "LCU-hour").with(&[(FAMILY, "Load Balancer-Application")]),
    entry("AmazonEC2", "NatGateway-Hours", &["nat_gateway.hour"], "NAT-hour").with(&[(FAMILY, "NAT Gateway")]),
    entry("AmazonEC2", "NatGateway-Bytes", &["nat_gateway.gb"], "GB").with(&[(FAMILY, "NAT Gateway")]),
    entry("AmazonEC2", "BoxUsage:t4g.nano", &["t4g.nano.linux"], "instance-hour").with(&[
        ("operatingSystem", "Linux"),
        ("tenancy", "Shared"),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
        ("operation", "RunInstances"),
    ]),
    entry("AmazonEC2", "EBS:VolumeUsage.gp3", &["ebs.gp3"], "GB-month").with(&[(FAMILY, "Storage")]),
    entry(
        "AmazonVPC",
        "PublicIPv4:InUseAddress",
        &["public_ipv4.in_use"],
        "address-hour",
    )
    .with(&[("group", "VPCPublicIPv4Address")]),
    entry(
        "AmazonVPC",
        "PublicIPv4:IdleAddress",
        &["public_ipv4.idle"],
        "address-hour",
    )
    .with(&[("group", "VPCPublicIPv4Address")]),
    entry(
        "AmazonVPC",
        "VpcEndpoint-Hours",
        &["vpce.interface.hour"],
        "endpoint-AZ-hour",
    )
    .with(&[(FAMILY, "VpcEndpoint")]),
    entry("AmazonVPC", "VpcEndpoint-Bytes", &["vpce.interface.gb"], "GB").with(&[(FAMILY, "VpcEndpoint")]),
    entry(
        "AmazonCloudWatch",
        "DataProcessing-Bytes",
        &["logs.ingest.standard"],
        "GB",
    )
    .with(&[(FAMILY, "Data Payload")]),
    entry(
        "AmazonCloudWatch",
        "DataProcessingIA-Bytes",
        &["logs.ingest.infrequent_access"],
        "GB",
    )
    .with(&[(FAMILY, "Data Payload")]),
    entry(
        "AmazonCloudWatch",
        "DataScanned-Bytes",
        &["logs.insights_scanned"],
        "GB",
    )
    .with(&[(FAMILY, "Data Payload")]),
    entry(
        "AmazonCloudWatch",
        "TimedStorage-ByteHrs",
        &["logs.storage"],
        "GB-month",
    )
    .with(&[(FAMILY, "Storage Snapshot")]),
    entry(
        "AmazonCloudWatch",
        "CW:MetricMonitorUsage",
        &[
            "metric.custom.tier1",
            "metric.custom.tier2",
            "metric.custom.tier3",
            "metric.custom.tier4",
        ],
        "metric-month",
    ),
    entry(
        "AmazonCloudWatch",
        "CW:AlarmMonitorUsage",
        &["alarm.standard"],
        "alarm-metric-month",
    ),
    entry(
        "AmazonCloudWatch",
        "CW:HighResAlarmMonitorUsage",
        &["alarm.high_resolution"],
        "alarm-metric-month",
    ),
    entry(
        "AmazonCloudWatch",
        "CW:CompositeAlarmMonitorUsage",
        &["alarm.composite"],
        "alarm-month",
    ),
    entry(
        "AmazonCloudWatch",
        "MetricsUsage",
        &["container_insights.enhanced_ecs"],
        "metric-month",
    )
    .with(&[("operation", "MetricStorage:CI-ECS")]),
    entry("AWSXRay", "XRay-TracesStored", &["xray.traces_recorded"], "trace"),
    entry("AmazonECR", "TimedStorage-ByteHrs", &["ecr.storage"], "GB-month"),
    entry(
        "AWSSecretsManager",
        "AWSSecretsManager-Secrets",
        &["secret"],
        "secret-month",
    ),
    entry(
        "AWSDataTransfer",
        "DataTransfer-Out-Bytes",
        &[
            "egress.internet.tier1",
            "egress.internet.tier2",
            "egress.internet.tier3",
            "egress.internet.tier4",
        ],
        "GB",
    )
    .with(&[("toLocation", "External")]),
    entry(
        "AWSDataTransfer",
        "DataTransfer-Regional-Bytes",
        &["cross_az.regional_bytes"],
        "GB per direction",
    ),
    entry(
        "AmazonRoute53",
        "HostedZone",
        &["hosted_zone", "hosted_zone.over25"],
        "zone-month",
    ),
    entry("AmazonS3", "TimedStorage-ByteHrs", &["s3.standard.storage"], "GB-month").with(&[("volumeType", "Standard")]),
    entry("AmazonSNS", "DeliveryAttempts-SMTP", &["sns.email"], "notification"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceBook;

    #[test]
    fn usage_types_are_told_apart_by_what_stands_before_them() {
        for (usage_type, wanted, is_it) in [
            ("NatGateway-Hours", "NatGateway-Hours", true),
            ("EU-NatGateway-Hours", "NatGateway-Hours", true),
            ("APN1-NatGateway-Hours", "NatGateway-Hours", true),
            ("RegionalNatGateway-Hours", "NatGateway-Hours", false),
            ("USE1-RegionalNatGateway-Hours", "NatGateway-Hours", false),
            ("USE1-Fargate-GB-Hours", "Fargate-GB-Hours", true),
            ("USE1-SpotUsage-Fargate-GB-Hours", "Fargate-GB-Hours", false),
            ("TS-LoadBalancerUsage", "LoadBalancerUsage", false),
            ("Global-XRay-TracesStored", "XRay-TracesStored", false),
        ] {
            assert_eq!(is_of_type(usage_type, wanted), is_it, "{usage_type}");
        }
    }

    #[test]
    fn every_entry_is_a_rate_of_the_embedded_book_in_the_same_unit() {
        let book = PriceBook::embedded("us-east-1").unwrap();
        for entry in ENTRIES {
            for sku in entry.skus {
                assert_eq!(book.rate(sku).map(|rate| rate.unit.as_str()), Some(entry.unit), "{sku}");
            }
        }
    }
}
