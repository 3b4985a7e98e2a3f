//! What CloudWatch says of a dashboard's body, as far as it is documented.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>

use serde_json::Value as Json;

const WIDGET_TYPES: [&str; 5] = ["metric", "text", "log", "alarm", "explorer"];
const VIEWS: [&str; 6] = ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"];
/// What the object at the end of a metric may hold.
const RENDERING: [&str; 9] = [
    "accountId",
    "color",
    "id",
    "label",
    "period",
    "region",
    "stat",
    "visible",
    "yAxis",
];
/// The grid is so many units wide.
const COLUMNS: u64 = 24;
const MOST_WIDGETS: usize = 500;
const MOST_METRICS: usize = 500;

/// A metric that a widget shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// `AWS/ECS`
    pub namespace: String,
    /// `CPUUtilization`
    pub name: String,
    /// Name and value, in the order they are written.
    pub dimensions: Vec<(String, String)>,
}

/// What is wrong with a body, one line each: where, and what.
pub fn faults(body: &Json) -> Vec<String> {
    let Some(widgets) = body["widgets"].as_array() else {
        return vec!["/widgets: should be array".to_owned()];
    };
    let mut found = Vec::new();
    if widgets.len() > MOST_WIDGETS {
        found.push(format!("/widgets: should NOT have more than {MOST_WIDGETS} items"));
    }
    for (index, widget) in widgets.iter().enumerate() {
        check_widget(&format!("/widgets/{index}"), widget, &mut found);
    }
    found
}

/// Every metric that the body shows; what is not one is left to [`faults`].
pub fn metrics(body: &Json) -> Vec<Metric> {
    let widgets = body["widgets"].as_array().into_iter().flatten();
    widgets
        .flat_map(|widget| widget["properties"]["metrics"].as_array().into_iter().flatten())
        .filter_map(metric)
        .collect()
}

fn metric(item: &Json) -> Option<Metric> {
    let texts: Vec<String> = item
        .as_array()?
        .iter()
        .map_while(|part| part.as_str().map(str::to_owned))
        .collect();
    let [namespace, name, dimensions @ ..] = texts.as_slice() else {
        return None;
    };
    let dimensions = dimensions
        .chunks_exact(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect();
    Some(Metric {
        namespace: namespace.clone(),
        name: name.clone(),
        dimensions,
    })
}

fn check_widget(path: &str, widget: &Json, found: &mut Vec<String>) {
    let mut fault = |part: &str, what: &str| found.push(format!("{path}{part}: {what}"));
    let kind = widget["type"].as_str().unwrap_or_default();
    if !WIDGET_TYPES.contains(&kind) {
        fault("/type", "is no type of widget");
    }
    if widget["x"].is_null() != widget["y"].is_null() {
        fault("", "x and y come together");
    }
    if !is_within(&widget["x"], 0, COLUMNS - 1) || !is_within(&widget["y"], 0, u64::MAX) {
        fault("", "x is 0 to 23, and y not negative");
    }
    if !is_within(&widget["width"], 1, COLUMNS) || !is_within(&widget["height"], 1, 1000) {
        fault("", "width is 1 to 24, and height 1 to 1000");
    }
    match &widget["properties"] {
        Json::Object(_) if kind == "metric" => {
            check_metric_widget(&format!("{path}/properties"), &widget["properties"], found);
        }
        Json::Object(_) => {}
        _ => fault("", "should have required property 'properties'"),
    }
}

/// Absent, or a whole number in this range.
fn is_within(value: &Json, least: u64, most: u64) -> bool {
    value.is_null() || value.as_u64().is_some_and(|number| (least..=most).contains(&number))
}

fn check_metric_widget(path: &str, properties: &Json, found: &mut Vec<String>) {
    let mut fault = |part: &str, what: &str| found.push(format!("{path}{part}: {what}"));
    if !properties["region"].is_string() {
        fault("", "should have specified a region");
    }
    if properties["metrics"].is_null() && properties["annotations"].is_null() {
        fault("", "should have required property 'metrics'");
    }
    let period = &properties["period"];
    if !period.is_null() && period.as_u64().is_none_or(|seconds| seconds == 0 || seconds % 60 != 0) {
        fault("/period", "should be a multiple of 60");
    }
    let view = properties["view"].as_str().unwrap_or("timeSeries");
    if !VIEWS.contains(&view) {
        fault("/view", "is no view");
    }
    let axis = &properties["yAxis"]["left"];
    if view == "gauge" && !(axis["min"].is_number() && axis["max"].is_number()) {
        fault("/yAxis/left", "a gauge needs min and max");
    }
    let metrics = properties["metrics"].as_array().map(Vec::as_slice).unwrap_or_default();
    if metrics.len() > MOST_METRICS {
        fault("/metrics", "should NOT have more than 500 items");
    }
    for (index, item) in metrics.iter().enumerate() {
        check_metric(&format!("{path}/metrics/{index}"), item, found);
    }
}

/// `[namespace, name, dimension, value, ..., {rendering}]`: texts in pairs, then at most one object.
fn check_metric(path: &str, item: &Json, found: &mut Vec<String>) {
    let mut fault = |what: &str| found.push(format!("{path}: {what}"));
    let Some(parts) = item.as_array() else {
        return fault("should be array");
    };
    let (texts, rendering) = match parts.split_last() {
        Some((Json::Object(rendering), texts)) => (texts, Some(rendering)),
        _ => (parts.as_slice(), None),
    };
    if !texts.iter().all(Json::is_string) {
        fault("has to be an array of strings, with an optional metricRenderer object as last element");
    } else if texts.len() < 2 && rendering.is_none_or(|rendering| !rendering.contains_key("expression")) {
        fault("needs a namespace and a name");
    } else if texts.len() % 2 != 0 {
        fault("names a dimension without a value");
    }
    for key in rendering.into_iter().flat_map(|rendering| rendering.keys()) {
        if !RENDERING.contains(&key.as_str()) && key != "expression" {
            fault(&format!("should NOT have additional property {key:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(properties: &Json) -> Json {
        json!({ "widgets": [{ "type": "metric", "x": 0, "y": 0, "width": 12, "height": 6, "properties": properties }] })
    }

    #[test]
    fn a_good_body_has_no_fault_and_shows_its_metrics() {
        let good = body(&json!({
            "region": "us-east-1", "period": 60, "stat": "p99",
            "metrics": [["AWS/ECS", "CPUUtilization", "ClusterName", "c", { "label": "x" }], [{ "expression": "m1*2" }]],
        }));
        assert_eq!(faults(&good), Vec::<String>::new());
        assert_eq!(
            metrics(&good),
            [Metric {
                namespace: "AWS/ECS".into(),
                name: "CPUUtilization".into(),
                dimensions: vec![("ClusterName".into(), "c".into())],
            }]
        );
    }

    #[test]
    fn faults_are_named_with_their_place() {
        let metric = |item: &Json| body(&json!({ "region": "us-east-1", "metrics": [item] }));
        for (wrong, part) in [
            (json!({}), "/widgets: should be array"),
            (
                json!({ "widgets": [{ "type": "metric", "x": 0 }] }),
                "x and y come together",
            ),
            (json!({ "widgets": [{ "type": "metrics" }] }), "is no type of widget"),
            (
                json!({ "widgets": [{ "type": "metric", "width": 25 }] }),
                "width is 1 to 24",
            ),
            (
                json!({ "widgets": [{ "type": "metric" }] }),
                "required property 'properties'",
            ),
            (body(&json!({ "metrics": [] })), "a region"),
            (body(&json!({ "region": "us-east-1" })), "required property 'metrics'"),
            (
                body(&json!({ "region": "r", "metrics": [], "period": 90 })),
                "multiple of 60",
            ),
            (
                body(&json!({ "region": "r", "metrics": [], "view": "graph" })),
                "is no view",
            ),
            (
                body(&json!({ "region": "r", "metrics": [], "view": "gauge" })),
                "a gauge needs min and max",
            ),
            (
                metric(&json!(["AWS/ECS", "CPUUtilization", { "dimensions": { "ClusterName": "c" } }])),
                "additional property \"dimensions\"",
            ),
            (
                metric(&json!(["AWS/ECS", "CPUUtilization", "ClusterName"])),
                "without a value",
            ),
            (
                metric(&json!(["AWS/ECS", "CPUUtilization", "ClusterName", 1])),
                "array of strings",
            ),
            (metric(&json!(["AWS/ECS"])), "a namespace and a name"),
            (metric(&json!("AWS/ECS")), "metrics/0: should be array"),
        ] {
            let found = faults(&wrong).join("\n");
            assert!(found.contains(part), "{part:?} is missing in {found:?} of {wrong}");
        }
    }
}
