//! The smaller resources

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const NO_IMAGES: &str = "no images are kept here";
const NOT_THERE: &str = "protects an object in AWS";

pub(super) const CLUSTER: &[Treatment] = &[
    enforced("name"),
    enforced("service_connect_defaults.namespace"),
    ignored("setting", "not run yet"),
    ignored("configuration", "`karma exec` is not logged"),
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
    ignored("retention_in_days", "the last run's and this run's lines are kept"),
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
