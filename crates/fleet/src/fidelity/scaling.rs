//! Autoscaling, alarms and metric filters

use super::{Treatment, enforced, ignored, not_applicable, simulated};

const NOBODY_TOLD: &str = "it stands in the alarm's history; only autoscaling and deployments are told";
const NO_ROLE: &str = "no AWS role is taken";

pub(super) const TARGET: &[Treatment] = &[
    enforced("resource_id"),
    enforced("scalable_dimension"),
    enforced("service_namespace"),
    enforced("min_capacity"),
    enforced("max_capacity"),
    enforced("suspended_state"),
    not_applicable("role_arn", NO_ROLE),
];

pub(super) const POLICY: &[Treatment] = &[
    enforced("name"),
    enforced("policy_type"),
    enforced("resource_id"),
    enforced("scalable_dimension"),
    enforced("service_namespace"),
    enforced("target_tracking_scaling_policy_configuration.target_value"),
    enforced("target_tracking_scaling_policy_configuration.scale_in_cooldown"),
    enforced("target_tracking_scaling_policy_configuration.scale_out_cooldown"),
    enforced("target_tracking_scaling_policy_configuration.disable_scale_in"),
    enforced("target_tracking_scaling_policy_configuration.predefined_metric_specification"),
    enforced("target_tracking_scaling_policy_configuration.customized_metric_specification"),
    enforced("step_scaling_policy_configuration"),
    ignored("predictive_scaling_policy_configuration", "nothing is forecast"),
];

pub(super) const SCHEDULED_ACTION: &[Treatment] = &[
    enforced("name"),
    enforced("resource_id"),
    enforced("scalable_dimension"),
    enforced("service_namespace"),
    enforced("schedule"),
    enforced("timezone"),
    enforced("start_time"),
    enforced("end_time"),
    enforced("scalable_target_action"),
];

pub(super) const METRIC_ALARM: &[Treatment] = &[
    enforced("alarm_name"),
    enforced("alarm_description"),
    enforced("comparison_operator"),
    enforced("evaluation_periods"),
    enforced("datapoints_to_alarm"),
    enforced("threshold"),
    ignored("threshold_metric_id", "there is no anomaly detection"),
    enforced("treat_missing_data"),
    enforced("evaluate_low_sample_count_percentiles"),
    enforced("metric_name"),
    enforced("namespace"),
    enforced("dimensions"),
    enforced("period"),
    enforced("statistic"),
    enforced("extended_statistic"),
    not_applicable("unit", "a metric has one unit here"),
    enforced("metric_query"),
    enforced("actions_enabled"),
    simulated("alarm_actions", NOBODY_TOLD),
    simulated("ok_actions", NOBODY_TOLD),
    simulated("insufficient_data_actions", NOBODY_TOLD),
];

pub(super) const COMPOSITE_ALARM: &[Treatment] = &[
    enforced("alarm_name"),
    enforced("alarm_description"),
    enforced("alarm_rule"),
    enforced("actions_enabled"),
    simulated("alarm_actions", NOBODY_TOLD),
    simulated("ok_actions", NOBODY_TOLD),
    simulated("insufficient_data_actions", NOBODY_TOLD),
    ignored("actions_suppressor", "actions are not held back"),
];

pub(super) const METRIC_FILTER: &[Treatment] = &[
    enforced("name"),
    enforced("log_group_name"),
    enforced("pattern"),
    enforced("metric_transformation"),
    ignored("apply_on_transformed_logs", "log lines are not transformed"),
];

pub(super) const SCHEDULE: &[Treatment] = &[
    enforced("name"),
    enforced("name_prefix"),
    not_applicable("description", "a remark for people"),
    not_applicable("group_name", "schedules are told by their names"),
    enforced("schedule_expression"),
    enforced("schedule_expression_timezone"),
    enforced("state"),
    simulated(
        "flexible_time_window",
        "a schedule takes the same place in its window each time, by its name",
    ),
    simulated("target.arn", "the service is updated without a call of AWS"),
    enforced("target.input"),
    not_applicable("target.role_arn", "no AWS role is taken"),
    not_applicable("target.retry_policy", "an update here does not get lost"),
    not_applicable("target.dead_letter_config", "an update here does not get lost"),
    ignored("start_date", "it happens from the beginning"),
    ignored("end_date", "it goes on happening"),
    not_applicable("kms_key_arn", "there is nothing to encrypt"),
    not_applicable("action_after_completion", "a schedule that is over does nothing"),
];
