use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::attributes::Attributes;

fn resource(kind: &str, name: &str, index: Option<&str>, values: &Json) -> Json {
    json!({ "mode": "managed", "type": kind, "name": name, "index": index, "values": values })
}

fn block(kind: &str, name: &str, expressions: &Json) -> Json {
    json!({ "mode": "managed", "type": kind, "name": name, "expressions": expressions })
}

fn references(texts: &[&str]) -> Json {
    json!({ "references": texts })
}

/// The resources that an argument is found to be made of.
fn check(plan: &Json, address: &str, argument: &str, expected: &[&str]) {
    let stack = read_plan(&plan.to_string()).unwrap();
    let resource = stack
        .resources
        .values()
        .find(|it| it.address.to_string() == address)
        .unwrap();
    let found = Attributes::of(&resource.attributes).references(argument);
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, expected, "{address}, {argument}");
}

fn flat() -> Json {
    json!({
        "planned_values": { "root_module": { "resources": [
            resource("aws_subnet", "public", Some("a"), &json!({})),
            resource("aws_subnet", "public", Some("b"), &json!({})),
            resource("aws_nat_gateway", "main", Some("a"), &json!({ "connectivity_type": "public" })),
            resource("aws_lb", "main", None, &json!({ "name": "x" })),
        ] } },
        "configuration": { "root_module": { "resources": [
            block("aws_nat_gateway", "main", &json!({ "subnet_id": references(&["aws_subnet.public", "each.key"]) })),
            block("aws_lb", "main", &json!({
                "name": references(&["var.name"]),
                "subnets": references(&["aws_subnet.public"]),
                "one": references(&["aws_subnet.public[\"b\"].id", "aws_subnet.public[\"b\"]", "aws_subnet.public"]),
                "local": references(&["local.subnets"]),
            })),
        ] } },
    })
}

#[test]
fn a_reference_means_every_instance_or_the_one_with_the_same_key() {
    let plan = flat();
    check(
        &plan,
        "aws_nat_gateway.main[\"a\"]",
        "subnet_id",
        &["aws_subnet.public[\"a\"]"],
    );
    check(
        &plan,
        "aws_lb.main",
        "subnets",
        &["aws_subnet.public[\"a\"]", "aws_subnet.public[\"b\"]"],
    );
    check(&plan, "aws_lb.main", "one", &["aws_subnet.public[\"b\"]"]);
    check(&plan, "aws_lb.main", "local", &[]);
    // What is known stays.
    let stack = read_plan(&plan.to_string()).unwrap();
    let balancer = stack.resources.values().find(|it| it.address.kind == "aws_lb").unwrap();
    assert_eq!(balancer.attributes["name"], Value::String("x".into()));
}

#[test]
fn references_lead_into_modules_and_out_of_them() {
    let outputs = json!({ "subnets": { "expression": references(&["aws_subnet.public"]) } });
    let plan = json!({
        "planned_values": { "root_module": { "child_modules": [
            { "address": "module.network[\"eu.[x]\"]", "resources": [resource("aws_subnet", "public", None, &json!({}))] },
            { "address": "module.network[\"us\"]", "resources": [resource("aws_subnet", "public", None, &json!({}))] },
            { "address": "module.web", "child_modules": [
                { "address": "module.web.module.lb[0]", "resources": [resource("aws_lb", "this", None, &json!({}))] },
            ] },
        ] } },
        "configuration": { "root_module": { "module_calls": {
            "network": { "module": { "outputs": outputs, "resources": [block("aws_subnet", "public", &json!({}))] } },
            "web": {
                "expressions": { "subnets": references(&["module.network[\"us\"].subnets", "module.network[\"us\"]", "module.network"]) },
                "module": { "module_calls": { "lb": {
                    "expressions": { "subnets": references(&["var.subnets"]) },
                    "module": { "resources": [block("aws_lb", "this", &json!({ "subnets": references(&["var.subnets"]) }))] },
                } } },
            },
        } } },
    });
    let both = [
        "module.network[\"eu.[x]\"].aws_subnet.public",
        "module.network[\"us\"].aws_subnet.public",
    ];
    check(&plan, "module.web.module.lb[0].aws_lb.this", "subnets", &both);
}

#[test]
fn a_circle_ends() {
    let circle = json!({ "expression": references(&["module.a.x", "module.b.x"]) });
    let module = json!({ "module": { "outputs": { "x": circle }, "module_calls": { "a": {}, "b": {} } } });
    let plan = json!({
        "planned_values": { "root_module": { "resources": [resource("aws_lb", "x", None, &json!({}))] } },
        "configuration": { "root_module": {
            "module_calls": { "a": module, "b": module },
            "resources": [block("aws_lb", "x", &json!({ "subnets": references(&["module.a.x"]) }))],
        } },
    });
    check(&plan, "aws_lb.x", "subnets", &[]);
}

#[test]
fn the_region_is_the_providers() {
    let plan = json!({
        "variables": { "region": { "value": "eu-west-1" } },
        "planned_values": { "root_module": {} },
        "configuration": { "provider_config": { "aws": { "expressions": { "region": references(&["var.region"]) } } } },
    });
    let stack = read_plan(&plan.to_string()).unwrap();
    assert_eq!(stack.providers["aws"]["region"], Value::String("eu-west-1".into()));
}

#[test]
fn what_is_no_plan_is_refused() {
    assert!(matches!(read_plan("resource {}"), Err(PlanError::Json(_))));
    for text in ["{}", "[]", "null", r#"{"format_version":"1.2"}"#] {
        assert!(matches!(read_plan(text), Err(PlanError::NotAPlan)), "{text}");
    }
}

#[test]
fn module_addresses_are_read_as_they_are_written() {
    for address in [
        "module.a",
        "module.a[0].module.b",
        "module.a[\"x.y[0]\\\"\"].module.b[\"\"]",
    ] {
        let written: Vec<String> = module_path(address)
            .unwrap()
            .iter()
            .map(|step| {
                format!(
                    "module.{}{}",
                    step.name,
                    step.key.as_ref().map(ToString::to_string).unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(written.join("."), address);
    }
    for address in ["a", "module.a[", "module.a[x]"] {
        assert_eq!(module_path(address), None, "{address}");
    }
}

proptest! {
    #[test]
    fn a_plan_that_breaks_off_is_an_error_and_no_panic(keep in 0_usize..3000) {
        let text = flat().to_string();
        let part: String = text.chars().take(keep.min(text.len() - 1)).collect();
        prop_assert!(read_plan(&part).is_err());
    }

    #[test]
    fn no_address_makes_the_reader_panic(address in "(module\\.)?[a-z.\\[\\]\"0-9é]{0,12}") {
        let _path = module_path(&address);
        let _key = references::instance_key(&address);
    }
}
