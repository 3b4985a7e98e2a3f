use super::*;

/// A plan of one resource with these values and these unknowns.
fn plan(values: &Json, unknown: &Json) -> Json {
    json!({
        "planned_values": {
            "outputs": { "o": { "sensitive": false, "type": "string", "value": "x" } },
            "root_module": { "resources": [{ "address": "t.a", "mode": "managed", "type": "t", "values": values }] },
        },
        "resource_changes": [{ "address": "t.a", "change": { "after_unknown": unknown } }],
    })
}

fn schemas() -> Schemas {
    serde_json::from_value(json!({
        "resources": { "t": {
            "attributes": { "set": { "type": ["set", "string"] }, "list": { "type": ["list", "string"] } },
            "blocks": { "blocks": { "nesting": "set", "attributes": { "in": { "type": ["set", "number"] } } } },
        } },
        "data_sources": {},
    }))
    .unwrap()
}

fn check(terraform: &Json, ours: &Json, expected: &[&str]) {
    assert_eq!(disagreements(terraform, ours, &schemas()), expected);
}

#[test]
fn sets_compare_as_sets_and_lists_as_lists() {
    let terraform = plan(
        &json!({ "set": ["a", "b"], "list": ["a", "b"], "blocks": [{ "in": [1, 2] }, { "in": [3] }] }),
        &json!({}),
    );
    let ours = plan(
        &json!({ "set": ["b", "a"], "list": ["b", "a"], "blocks": [{ "in": [3] }, { "in": [2, 1] }] }),
        &json!({}),
    );
    check(
        &terraform,
        &ours,
        &[
            "t.a.list[0]: Terraform has \"a\", karma has \"b\"",
            "t.a.list[1]: Terraform has \"b\", karma has \"a\"",
        ],
    );
}

#[test]
fn known_here_and_unknown_there_is_a_disagreement_both_ways() {
    let known = plan(&json!({ "a": 1, "b": null }), &json!({ "list": [false] }));
    let unknown = plan(&json!({ "b": null }), &json!({ "a": true }));
    check(
        &known,
        &unknown,
        &["t.a.a: Terraform has 1, karma has (known after apply)"],
    );
    check(
        &unknown,
        &known,
        &["t.a.a: Terraform has (known after apply), karma has 1"],
    );
    check(&known, &known, &[]);
}

#[test]
fn a_missing_resource_and_another_output_are_disagreements() {
    let terraform = plan(&json!({}), &json!({}));
    let mut ours = terraform.clone();
    ours["planned_values"]["root_module"]["resources"] = json!([]);
    ours["planned_values"]["outputs"]["o"]["value"] = json!("y");
    check(
        &terraform,
        &ours,
        &[
            "t.a: Terraform has {}, karma has nothing",
            "output o.value: Terraform has \"x\", karma has \"y\"",
        ],
    );
}
