//! The smaller resources

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const NO_IMAGES: &str = "no images are kept here";
const NO_NETWORK: &str = "there is no network to lay out: tasks have loopback addresses";
const NOT_THERE: &str = "protects an object in AWS";

pub(super) const CLUSTER: &[Treatment] = &[
    enforced("name"),
    enforced("service_connect_defaults.namespace"),
    enforced("setting"),
    ignored("configuration", "`karma exec` is not logged"),
];

pub(super) const CLUSTER_CAPACITY_PROVIDERS: &[Treatment] = &[
    enforced("cluster_name"),
    simulated(
        "default_capacity_provider_strategy",
        "tasks are shared out; Spot capacity does not run out by itself",
    ),
    not_applicable("capacity_providers", "the strategies name them"),
];

pub(super) const SUBNET: &[Treatment] = &[
    simulated("availability_zone", "zones are names that tasks are spread over"),
    not_applicable("availability_zone_id", NO_NETWORK),
    not_applicable("vpc_id", NO_NETWORK),
    not_applicable("cidr_block", NO_NETWORK),
    not_applicable("ipv6_cidr_block", NO_NETWORK),
    not_applicable("ipv6_native", NO_NETWORK),
    not_applicable("assign_ipv6_address_on_creation", NO_NETWORK),
    not_applicable("map_public_ip_on_launch", NO_NETWORK),
    not_applicable("map_customer_owned_ip_on_launch", NO_NETWORK),
    not_applicable("customer_owned_ipv4_pool", NO_NETWORK),
    not_applicable("outpost_arn", NO_NETWORK),
    not_applicable("enable_dns64", NO_NETWORK),
    not_applicable("enable_lni_at_device_index", NO_NETWORK),
    not_applicable("enable_resource_name_dns_a_record_on_launch", NO_NETWORK),
    not_applicable("enable_resource_name_dns_aaaa_record_on_launch", NO_NETWORK),
    not_applicable("private_dns_hostname_type_on_launch", NO_NETWORK),
    not_applicable("force_destroy", NO_NETWORK),
];

pub(super) const REPOSITORY: &[Treatment] = &[
    simulated("name", "the key of its images in karma.toml"),
    not_applicable("force_delete", NO_IMAGES),
    not_applicable("image_scanning_configuration", NO_IMAGES),
    not_applicable("image_tag_mutability", NO_IMAGES),
    not_applicable("image_tag_mutability_exclusion_filter", NO_IMAGES),
    not_applicable("encryption_configuration", NO_IMAGES),
];

pub(super) const LOG_GROUP: &[Treatment] = &[
    simulated("name", "lines go to files: `karma logs`"),
    simulated("name_prefix", "lines go to files: `karma logs`"),
    not_applicable(
        "retention_in_days",
        "this run's lines and the last one's are kept, and no older ones",
    ),
    not_applicable("kms_key_id", NOT_THERE),
    not_applicable("log_group_class", "lines go to files: `karma logs`"),
    not_applicable("skip_destroy", NOT_THERE),
    not_applicable("deletion_protection_enabled", NOT_THERE),
];

pub(super) const SECRET: &[Treatment] = &[
    simulated("name", "its values stand in secrets.local.toml or in the environment"),
    simulated(
        "name_prefix",
        "its values stand in secrets.local.toml or in the environment",
    ),
    not_applicable("description", NOT_THERE),
    not_applicable("kms_key_id", NOT_THERE),
    not_applicable("policy", NOT_THERE),
    not_applicable("recovery_window_in_days", NOT_THERE),
    not_applicable("replica", NOT_THERE),
    not_applicable("force_overwrite_replica_secret", NOT_THERE),
];

/// On AWS the SDK in a task asks for the rules and decides; here whoever receives the spans does.
const DECIDED_HERE: &str = "applied to the first span of a trace where spans are received";

pub(super) const SAMPLING_RULE: &[Treatment] = &[
    enforced("rule_name"),
    simulated("priority", DECIDED_HERE),
    simulated("reservoir_size", DECIDED_HERE),
    simulated("fixed_rate", DECIDED_HERE),
    simulated("service_name", DECIDED_HERE),
    simulated("service_type", DECIDED_HERE),
    simulated("host", DECIDED_HERE),
    simulated("http_method", DECIDED_HERE),
    simulated("url_path", DECIDED_HERE),
    simulated("resource_arn", DECIDED_HERE),
    simulated("attributes", DECIDED_HERE),
    not_applicable("version", "of the form of the rule"),
];
