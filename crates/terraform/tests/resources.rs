//! Resources by the schema that a provider hands in: conversion, defaults, computed attributes, nested blocks, data sources.

use karma_terraform::provider::Context;
use karma_terraform::{Inputs, Object, Provider, Stack, Value, evaluate, parse};
use serde_json::{Value as Json, json};

/// A provider of our own, with one attribute of each kind.
fn provider() -> Provider {
    let schemas = json!({
        "resources": { "demo_server": {
            "attributes": {
                "id": { "type": "string", "computed": true },
                "name": { "type": "string", "required": true },
                "size": { "type": "number", "default": 2 },
                "zone": { "type": "string", "computed": true, "optional": true },
                "tags": { "type": ["map", "string"] },
                "secret": { "type": "string", "sensitive": true },
                "rules": { "type": ["set", ["object", { "port": "number", "text": "string" }]], "computed": true, "optional": true },
            },
            "blocks": {
                "disk": { "nesting": "list", "max_items": 2, "attributes": {
                    "gib": { "type": "number", "required": true },
                    "kind": { "type": "string", "default": "ssd" },
                    "id": { "type": "string", "computed": true },
                } },
                "listener": { "nesting": "set", "attributes": { "port": { "type": "number" } } },
                "timeouts": { "nesting": "single", "attributes": { "create": { "type": "string" } } },
                "network": { "nesting": "list", "computed": true, "attributes": { "id": { "type": "string" } } },
            },
        } },
        "data_sources": { "demo_image": { "attributes": {
            "name": { "type": "string", "required": true },
            "id": { "type": "string", "computed": true },
            "digest": { "type": "string", "computed": true },
        } } },
    });
    Provider {
        schemas: serde_json::from_value(schemas).expect("the schema is well formed"),
        data_sources: [("demo_image", find_image as _)].into(),
        normalisers: [("demo_server", shout as _)].into(),
    }
}

/// Knows the id of an image by its name, in the region of the provider block, but not its digest.
fn find_image(context: Context<'_>, arguments: &Object) -> Result<Option<Object>, String> {
    let region = context
        .provider
        .get("region")
        .and_then(Value::as_str)
        .unwrap_or("nowhere");
    match arguments["name"].as_str() {
        Some("missing") => Err("There is no such image.".into()),
        Some(name) => Ok(Some(
            [("id".to_owned(), Value::String(format!("{region}/{name}")))].into(),
        )),
        None => Ok(None),
    }
}

/// Writes the zone in capitals, and refuses one that does not exist.
fn shout(_: Context<'_>, attributes: &mut Object) -> Result<(), String> {
    let capitals = attributes["zone"].as_str().map(str::to_uppercase);
    match capitals.as_deref() {
        Some("NOWHERE") => Err("There is no such zone.".into()),
        Some(zone) => {
            attributes.insert("zone".into(), Value::String(zone.into()));
            Ok(())
        }
        None => Ok(()),
    }
}

fn plan(text: &str) -> (Stack, Vec<String>) {
    plan_with(text, &Inputs::default())
}

fn plan_with(text: &str, inputs: &Inputs) -> (Stack, Vec<String>) {
    let (module, mut problems) = parse(&[("main.tf", text)].into_iter().collect());
    let (stack, more) = evaluate(&module, inputs, &provider());
    problems.extend(more);
    (
        stack,
        problems
            .iter()
            .map(|problem| format!("{}: {}", problem.summary, problem.detail))
            .collect(),
    )
}

/// The attributes of one instance as text, and no problems.
fn attribute(text: &str, address: &str, name: &str) -> String {
    let (stack, problems) = plan(text);
    assert_eq!(problems, Vec::<String>::new());
    let instance = stack
        .resources
        .values()
        .find(|instance| instance.address.to_string() == address);
    format!("{:?}", instance.expect("the address is planned").attributes[name])
}

/// What is said about a server with this inside.
fn problem(inside: &str) -> String {
    let (_, problems) = plan(&format!("resource \"demo_server\" \"a\" {{\n{inside}\n}}"));
    problems.join("\n")
}

fn server(inside: &str, name: &str) -> String {
    attribute(
        &format!("resource \"demo_server\" \"a\" {{\nname = \"n\"\n{inside}\n}}"),
        "demo_server.a",
        name,
    )
}

fn unknown(path: &str) -> String {
    let (stack, _) = plan("resource \"demo_server\" \"a\" { name = \"n\" }");
    let of = &stack.resources.keys().next().expect("one resource");
    let steps = path.split('.').map(|step| match step.parse() {
        Ok(index) => karma_terraform::PathStep::Index(index),
        Err(_) => karma_terraform::PathStep::Attribute(step.to_owned()),
    });
    let path = karma_terraform::AttributePath(steps.collect());
    let unknown = karma_terraform::Unknown::Attribute {
        of: (*of).clone(),
        path,
    };
    format!("{:?}", Value::Unknown(Box::new(unknown)))
}

#[test]
fn written_attributes_take_the_schemas_type() {
    assert_eq!(server("size = \"4\"", "size"), "4");
    assert_eq!(server("tags = { a = 1 }", "tags"), r#"{"a": "1"}"#);
    assert_eq!(server("zone = \"a\"", "zone"), r#""A""#);
    assert_eq!(server("secret = \"x\"", "secret"), "(sensitive value)");
}

#[test]
fn unwritten_attributes_are_default_unknown_or_null() {
    assert_eq!(server("", "size"), "2");
    assert_eq!(server("size = null", "size"), "2");
    assert_eq!(server("", "id"), unknown("id"));
    assert_eq!(server("zone = null", "zone"), unknown("zone"));
    assert_eq!(server("", "tags"), "null");
}

#[test]
fn nested_blocks_follow_their_nesting() {
    assert_eq!(server("", "disk"), "[]");
    assert_eq!(server("", "timeouts"), "null");
    assert_eq!(server("", "network"), unknown("network"));
    assert_eq!(
        server("timeouts { create = \"1m\" }", "timeouts"),
        r#"{"create": "1m"}"#
    );
    assert_eq!(
        server("listener { port = 2 }\nlistener { port = 1 }", "listener"),
        r#"{{"port": 1}, {"port": 2}}"#
    );
    let disks = format!(r#"[{{"gib": 5, "id": {}, "kind": "ssd"}}]"#, unknown("disk.0.id"));
    assert_eq!(server("disk { gib = \"5\" }", "disk"), disks);
}

#[test]
fn dynamic_blocks_produce_blocks() {
    let dynamic = |inside: &str| server(&format!("dynamic \"listener\" {{\n{inside}\n}}"), "listener");
    let two = r#"{{"port": 1}, {"port": 2}}"#;
    assert_eq!(dynamic("for_each = [1, 2]\ncontent { port = listener.value }"), two);
    assert_eq!(
        dynamic("for_each = { a = 1, b = 2 }\niterator = it\ncontent { port = it.value }"),
        two
    );
    assert_eq!(dynamic("for_each = []\ncontent { port = 1 }"), "{}");
    let (stack, problems) = plan(
        "resource \"demo_server\" \"a\" { name = \"n\" }
         resource \"demo_server\" \"b\" {
           name = \"n\"
           dynamic \"listener\" {
             for_each = demo_server.a.rules
             content { port = listener.value.port }
           }
         }",
    );
    assert_eq!(problems, Vec::<String>::new());
    let last = stack.resources.values().last().expect("two resources");
    assert!(last.attributes["listener"].is_unknown());
}

#[test]
fn attributes_of_objects_may_be_written_as_blocks() {
    let rules = r#"{{"port": 80, "text": null}}"#;
    assert_eq!(server("rules { port = 80 }", "rules"), rules);
    assert_eq!(server("rules = [{ port = \"80\", text = null }]", "rules"), rules);
    assert_eq!(server("rules = []", "rules"), "{}");
}

#[test]
fn mistakes_are_explained() {
    let cases = [
        (
            "",
            "Missing required argument: The argument \"name\" is required, but no definition was found.",
        ),
        (
            "name = \"n\"\nsize = \"many\"",
            "Incorrect attribute value type: Inappropriate value for attribute \"size\": a number is required.",
        ),
        (
            "name = \"n\"\nid = \"x\"",
            "Value for unconfigurable attribute: Can't configure a value for \"id\": its value will be decided automatically based on the result of applying this configuration.",
        ),
        (
            "nmae = \"n\"\nname = \"n\"",
            "Unsupported argument: An argument named \"nmae\" is not expected here.",
        ),
        (
            "name = \"n\"\ndisk = []",
            "Unsupported argument: An argument named \"disk\" is not expected here.",
        ),
        (
            "name = \"n\"\ntags {}",
            "Unsupported block type: Blocks of type \"tags\" are not expected here.",
        ),
        (
            "name = \"n\"\ndisk { gib = 1 }\ndisk { gib = 1 }\ndisk { gib = 1 }",
            "Too many blocks: No more than 2 \"disk\" blocks are allowed.",
        ),
        (
            "name = \"n\"\ndynamic \"disk\" {}",
            "Invalid dynamic block: A dynamic block needs the argument \"for_each\".",
        ),
        (
            "name = \"n\"\nzone = \"nowhere\"",
            "Invalid resource configuration: There is no such zone.",
        ),
        (
            "name = local.gone",
            "Reference to undeclared local value: A local value with the name \"gone\" has not been declared.",
        ),
    ];
    for (inside, expected) in cases {
        assert_eq!(problem(inside), expected, "{inside}");
    }
}

#[test]
fn unknown_attributes_remember_where_they_come_from() {
    let text = r#"
        resource "demo_server" "a" {
          for_each = toset(["x"])
          name     = each.key
        }
        output "url" { value = "http://${demo_server.a["x"].zone}:80" }
        output "ids" { value = [for server in demo_server.a : server.id] }
    "#;
    let (stack, problems) = plan(text);
    assert_eq!(problems, Vec::<String>::new());
    let url = format!("{:?}", stack.outputs["url"].value.as_unknown());
    assert!(
        url.contains("\"http://\"") && url.contains("Attribute(\"zone\")") && url.contains("Key(\"x\")"),
        "{url}"
    );
    assert!(stack.outputs["ids"].value.contains_unknown());
}

#[test]
fn data_sources_answer_what_they_know() {
    let text = r#"
        provider "demo" { region = "eu" }
        data "demo_image" "a" { name = "linux" }
        output "id" { value = data.demo_image.a.id }
        output "digest" { value = data.demo_image.a.digest }
    "#;
    let (stack, problems) = plan(text);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(stack.outputs["id"].value.as_str(), Some("eu/linux"));
    assert!(stack.outputs["digest"].value.is_unknown());
    let told = [("digest".to_owned(), Value::String("sha256:0".into()))].into();
    let inputs = Inputs {
        data: [("data.demo_image.a".to_owned(), told)].into(),
        ..Inputs::default()
    };
    let (stack, _) = plan_with(text, &inputs);
    assert_eq!(stack.outputs["digest"].value.as_str(), Some("sha256:0"));
    assert!(stack.outputs["id"].value.is_unknown());
}

#[test]
fn data_sources_wait_for_what_is_unknown() {
    for arguments in [
        "name = demo_server.a.id",
        "name = \"linux\"\ndepends_on = [demo_server.a]",
    ] {
        let text = format!(
            "resource \"demo_server\" \"a\" {{ name = \"n\" }}\ndata \"demo_image\" \"a\" {{\n{arguments}\n}}\noutput \"id\" {{ value = data.demo_image.a.id }}"
        );
        let (stack, problems) = plan(&text);
        assert_eq!(problems, Vec::<String>::new());
        assert!(stack.outputs["id"].value.is_unknown(), "{arguments}");
    }
    let (_, problems) = plan("data \"demo_image\" \"a\" { name = \"missing\" }");
    assert_eq!(problems, ["Invalid data source arguments: There is no such image."]);
}

#[test]
fn modules_inherit_providers_and_may_be_handed_others() {
    let child = "data \"demo_image\" \"a\" { name = \"linux\" }\noutput \"id\" { value = data.demo_image.a.id }";
    let main = r#"
        provider "demo" { region = "eu" }
        provider "demo" {
          alias  = "west"
          region = "us"
        }
        module "inherits" { source = "./child" }
        module "is_handed" {
          source    = "./child"
          providers = { demo = demo.west }
        }
        output "ids" { value = [module.inherits.id, module.is_handed.id] }
    "#;
    let (module, _) = parse(&[("main.tf", main), ("child/main.tf", child)].into_iter().collect());
    let (stack, problems) = evaluate(&module, &Inputs::default(), &provider());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(
        format!("{:?}", stack.outputs["ids"].value),
        r#"["eu/linux", "us/linux"]"#
    );
    assert_eq!(stack.providers["demo.west"]["region"].as_str(), Some("us"));
}

#[test]
fn a_type_without_a_schema_is_taken_as_it_is_written() {
    let text = r#"
        resource "other_thing" "a" {
          size = 1 + 1
          part { name = "x" }
        }
        output "size" { value = other_thing.a.size }
        output "part" { value = other_thing.a.part[0].name }
        output "rest" { value = [other_thing.a.anything, [for thing in [other_thing.a] : thing.more]] }
    "#;
    let (stack, problems) = plan(text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("Resource type without a schema"));
    assert_eq!(format!("{:?}", stack.outputs["size"].value), "2");
    assert_eq!(stack.outputs["part"].value.as_str(), Some("x"));
    assert!(stack.outputs["rest"].value.contains_unknown());
}

#[test]
fn spans_point_at_arguments_and_blocks() {
    let text = "resource \"demo_server\" \"a\" {\n  name = \"n\"\n  disk {\n    gib = 1\n  }\n}\n";
    let (stack, _) = plan(text);
    let server = stack.resources.values().next().expect("one resource");
    let slice = |span: &karma_terraform::Span| text[span.start..span.end].to_owned();
    assert_eq!(slice(&server.declared_at), "resource \"demo_server\" \"a\"");
    assert_eq!(slice(&server.argument_spans["name"]), "name = \"n\"");
    assert_eq!(slice(&server.argument_spans["disk"]), "disk");
}

#[test]
fn the_plan_leaves_out_what_is_unknown() {
    let (stack, _) = plan("resource \"demo_server\" \"a\" {\nname = \"n\"\ndisk { gib = 1 }\nsecret = \"s\"\n}");
    let plan = karma_terraform::plan_json(&stack);
    let resource = &plan["planned_values"]["root_module"]["resources"][0];
    assert_eq!(resource["address"], "demo_server.a");
    assert_eq!(resource["values"]["disk"], json!([{ "gib": 1, "kind": "ssd" }]));
    assert_eq!(resource["values"].get("id"), None);
    assert_eq!(resource["sensitive_values"]["secret"], Json::Bool(true));
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(change["after_unknown"]["disk"], json!([{ "id": true }]));
}
