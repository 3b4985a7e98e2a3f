//! Data sources whose answer is computed, or told by the user, instead of being asked for.

use karma_terraform::provider::{Context, DataSource};
use karma_terraform::{Object, Value};

use super::policy_document;

/// By type.
pub(super) const TABLE: &[(&str, DataSource)] = &[
    ("aws_caller_identity", |context, _| Ok(caller_identity(context))),
    ("aws_default_tags", |context, _| Ok(Some(default_tags(context)))),
    ("aws_iam_policy_document", |_, arguments| {
        policy_document::read(arguments)
    }),
    ("aws_partition", |context, _| Ok(partition(context))),
    ("aws_region", |context, arguments| Ok(region(context, arguments))),
    ("aws_service_principal", |context, arguments| {
        Ok(service_principal(context, arguments))
    }),
];

/// A region's name as AWS writes it in its consoles.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const REGION_DESCRIPTIONS: &[(&str, &str)] = &[
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("eu-central-1", "Europe (Frankfurt)"),
    ("eu-central-2", "Europe (Zurich)"),
    ("eu-north-1", "Europe (Stockholm)"),
    ("eu-south-1", "Europe (Milan)"),
    ("eu-south-2", "Europe (Spain)"),
    ("eu-west-1", "Europe (Ireland)"),
    ("eu-west-2", "Europe (London)"),
    ("eu-west-3", "Europe (Paris)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

/// A set of regions with names of its own. <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
struct Partition {
    id: &'static str,
    dns_suffix: &'static str,
    reverse_dns_prefix: &'static str,
}

const COMMERCIAL: Partition = Partition {
    id: "aws",
    dns_suffix: "amazonaws.com",
    reverse_dns_prefix: "com.amazonaws",
};
const CHINA: Partition = Partition {
    id: "aws-cn",
    dns_suffix: "amazonaws.com.cn",
    reverse_dns_prefix: "cn.com.amazonaws",
};
const GOVERNMENT: Partition = Partition {
    id: "aws-us-gov",
    dns_suffix: "amazonaws.com",
    reverse_dns_prefix: "com.amazonaws",
};

fn partition_of(region: &str) -> &'static Partition {
    match region.split('-').next() {
        Some("cn") => &CHINA,
        Some("us") if region.starts_with("us-gov-") => &GOVERNMENT,
        _ => &COMMERCIAL,
    }
}

/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/region>
fn region(context: Context<'_>, arguments: &Object) -> Option<Object> {
    let name = told(arguments, "name").or_else(|| told(context.provider, "region"))?;
    let suffix = partition_of(name).dns_suffix;
    let mut answer = texts(&[
        ("id", name),
        ("name", name),
        ("endpoint", &format!("ec2.{name}.{suffix}")),
    ]);
    if let Some((_, description)) = REGION_DESCRIPTIONS.iter().find(|(region, _)| *region == name) {
        answer.extend(texts(&[("description", description)]));
    }
    Some(answer)
}

/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/partition>
fn partition(context: Context<'_>) -> Option<Object> {
    told(context.provider, "region").map(|region| {
        let Partition {
            id,
            dns_suffix,
            reverse_dns_prefix,
        } = partition_of(region);
        texts(&[
            ("id", id),
            ("partition", id),
            ("dns_suffix", dns_suffix),
            ("reverse_dns_prefix", reverse_dns_prefix),
        ])
    })
}

/// The account as the user told it; who is calling cannot be known.
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/caller_identity>
fn caller_identity(context: Context<'_>) -> Option<Object> {
    context
        .facts
        .get("account_id")
        .map(|account| texts(&[("id", account), ("account_id", account)]))
}

/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/default_tags>
fn default_tags(context: Context<'_>) -> Object {
    let tags = super::normalise::default_tags(context.provider)
        .cloned()
        .unwrap_or_default();
    let mut answer = texts(&[(
        "id",
        partition_of(told(context.provider, "region").unwrap_or_default()).id,
    )]);
    answer.insert("tags".into(), Value::Object(tags));
    answer
}

/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/service_principal>
fn service_principal(context: Context<'_>, arguments: &Object) -> Option<Object> {
    let service = told(arguments, "service_name")?;
    let region = told(arguments, "region").or_else(|| told(context.provider, "region"))?;
    let Partition {
        id: "aws", dns_suffix, ..
    } = partition_of(region)
    else {
        return None; // Elsewhere some services have names of their own.
    };
    Some(texts(&[
        ("id", &format!("{service}.{region}.{dns_suffix}")),
        ("name", &format!("{service}.{dns_suffix}")),
        ("region", region),
        ("service_name", service),
        ("suffix", dns_suffix),
    ]))
}

fn told<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn texts(members: &[(&str, &str)]) -> Object {
    members
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::String((*text).to_owned())))
        .collect()
}
