//! How clusters are read.

use karma_fleet::ContainerInsights;
use serde_json::{Value as Json, json};

use crate::support::{address, check_complaint, fleet};

const ADDRESS: &str = "aws_ecs_cluster.main";

fn check(setting: &Json, expected: ContainerInsights) {
    let fleet = fleet(&[(ADDRESS, json!({"name": "main", "setting": setting}))]);
    assert_eq!(fleet.clusters[&address(ADDRESS)].container_insights, expected);
}

#[test]
fn container_insights_are_off_unless_a_setting_turns_them_on() {
    let insights = |value: &str| json!([{"name": "containerInsights", "value": value}]);
    check(&Json::Null, ContainerInsights::Disabled);
    check(&json!([]), ContainerInsights::Disabled);
    check(&insights("disabled"), ContainerInsights::Disabled);
    check(&insights("enabled"), ContainerInsights::Enabled);
    check(&insights("enhanced"), ContainerInsights::Enhanced);
}

#[test]
fn a_value_that_the_setting_cannot_have_is_told() {
    let setting = json!([{"name": "containerInsights", "value": "on"}]);
    let resource = json!({"name": "main", "setting": setting});
    check_complaint(
        &[(ADDRESS, resource)],
        &["@setting", "`enhanced`, `enabled` or `disabled`"],
    );
}
