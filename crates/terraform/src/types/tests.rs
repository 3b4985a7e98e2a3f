//! What Terraform 1.11.4 does with the same type constraint and value.

use hcl_edit::expr::Expression;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Type, convert};
use crate::{Unknown, Value};

/// Types are written as in Terraform, values and expectations as JSON; an expected error stands as `"error: ..."`.
#[expect(clippy::needless_pass_by_value, reason = "so that cases are written without `&`")]
fn check(ty: &str, given: Json, expected: Json) {
    let converted = convert(Value::from_json(&given), &parse(ty).unwrap());
    let ours = converted.map_or_else(
        |message| json!(format!("error: {message}")),
        |value| value.to_json().unwrap(),
    );
    assert_eq!(ours, expected, "{given} as {ty}");
}

fn check_type_error(ty: &str, message: &str) {
    assert_eq!(parse(ty).unwrap_err(), message, "{ty}");
}

fn parse(ty: &str) -> Result<Type, String> {
    let expression: Expression = ty.parse().unwrap();
    Type::from_expression(&expression, &constant).map_err(|(message, _)| message)
}

/// As much of the language as defaults need here.
fn constant(expression: &Expression) -> Result<Value, String> {
    match expression {
        Expression::String(text) => Ok(Value::String(text.to_string())),
        Expression::Number(number) => Ok(Value::Number(number.value().as_i64().unwrap().into())),
        Expression::Object(members) if members.is_empty() => Ok(Value::Object(crate::Object::new())),
        other => Err(format!("{other:?} is not a constant here")),
    }
}

#[test]
fn primitives_become_one_another() {
    check("string", json!(5), json!("5"));
    check("string", json!(true), json!("true"));
    check("number", json!("5.50"), json!(5.5));
    check("bool", json!("1"), json!(true));
    check(
        "bool",
        json!("True"),
        json!("error: a bool is required; to convert from string, use lowercase \"true\""),
    );
    check("bool", json!("yes"), json!("error: a bool is required"));
    check("bool", json!(1), json!("error: bool required"));
    check("number", json!(true), json!("error: number required"));
    check("number", json!("0x1"), json!("error: a number is required"));
    check("string", json!([1]), json!("error: string required"));
}

#[test]
fn collections_convert_their_elements() {
    check("list(string)", json!([1, "a", null]), json!(["1", "a", null]));
    check("set(string)", json!(["b", 1, "b"]), json!(["1", "b"]));
    check("map(number)", json!({ "a": "1" }), json!({ "a": 1 }));
    check("tuple([number, string])", json!(["1", 2]), json!([1, "2"]));
    check(
        "list(number)",
        json!({ "a": 1 }),
        json!("error: list of number required"),
    );
    check("set(string)", json!("x"), json!("error: set of string required"));
    check("map(number)", json!(["x"]), json!("error: map of number required"));
    check("tuple([number, string])", json!([1]), json!("error: tuple required"));
}

#[test]
fn an_error_says_where() {
    check(
        "set(string)",
        json!([["x"]]),
        json!("error: element 0: string required"),
    );
    let ty = "list(object({ port = number }))";
    check(
        ty,
        json!([{ "port": 1 }, { "port": [] }]),
        json!("error: element 1: attribute \"port\": number required"),
    );
    let ty = "map(object({ port = number }))";
    check(
        ty,
        json!({ "k": { "port": [] } }),
        json!("error: element \"k\": attribute \"port\": number required"),
    );
}

#[test]
fn objects_need_their_attributes_and_drop_the_rest() {
    check("object({ a = string })", json!({ "a": 1, "b": 2 }), json!({ "a": "1" }));
    let ty = "object({ c = bool, b = string, port = number })";
    check(
        ty,
        json!({ "b": "", "c": true }),
        json!("error: attribute \"port\" is required"),
    );
    check(
        ty,
        json!({ "c": true }),
        json!("error: attributes \"b\" and \"port\" are required"),
    );
    check(
        ty,
        json!({}),
        json!("error: attributes \"b\", \"c\", and \"port\" are required"),
    );
    let nested = "object({ a = object({ port = number }) })";
    check(
        nested,
        json!({ "a": {} }),
        json!("error: attribute \"a\": attribute \"port\" is required"),
    );
    check(
        "set(object({ a = string }))",
        json!([{ "a": 1, "b": 2 }, { "a": "1" }]),
        json!([{ "a": "1" }]),
    );
}

#[test]
fn defaults_stand_in_for_null_too() {
    let ty = r#"object({ a = optional(number, 5), b = optional(object({ c = optional(string, "z") }), {}) })"#;
    check(ty, json!({ "a": null }), json!({ "a": 5, "b": { "c": "z" } }));
    check(
        r#"object({ b = optional(object({ c = optional(string, "z") })) })"#,
        json!({}),
        json!({ "b": null }),
    );
    check(
        "list(object({ a = optional(number, 5) }))",
        json!([{}, { "a": null }, null]),
        json!([{ "a": 5 }, { "a": 5 }, null]),
    );
    check("object({ a = optional(number, 5) })", json!(null), json!(null));
}

#[test]
fn any_is_settled_by_the_elements() {
    check("list(any)", json!([1, "a"]), json!(["1", "a"]));
    check(
        "list(object({ a = any }))",
        json!([{ "a": 1 }, { "a": "x" }]),
        json!([{ "a": "1" }, { "a": "x" }]),
    );
    check(
        "object({ a = optional(list(any)) })",
        json!({ "a": [1, "x"] }),
        json!({ "a": ["1", "x"] }),
    );
    check(
        "list(any)",
        json!([1, true]),
        json!("error: all list elements must have the same type"),
    );
    check(
        "map(any)",
        json!({ "a": 1, "b": true }),
        json!("error: all map elements must have the same type"),
    );
    check(
        "set(any)",
        json!([1, true]),
        json!("error: all set elements must have the same type"),
    );
    let ty = "list(object({ a = any }))";
    check(
        ty,
        json!([{ "a": 1 }, { "a": true }]),
        json!("error: cannot find a common base type for all elements"),
    );
}

#[test]
fn types_that_are_none_say_why() {
    check_type_error("strin", "The keyword \"strin\" is not a valid type specification.");
    check_type_error(
        "set",
        "The set type constructor requires one argument specifying the element type.",
    );
    check_type_error(
        "list(list)",
        "The list type constructor requires one argument specifying the element type.",
    );
    check_type_error(
        "list(optional(string))",
        "Keyword \"optional\" is valid only as a modifier for object type attributes.",
    );
    check_type_error(
        "string(number)",
        "Primitive type keyword \"string\" does not expect arguments.",
    );
    check_type_error("foo(number)", "Keyword \"foo\" is not a valid type constructor.");
    check_type_error(
        "object({ (a) = string })",
        "Object constructor map keys must be attribute names.",
    );
    let message = "Optional attribute modifier requires the attribute type as its argument.";
    check_type_error("object({ a = optional() })", message);
    let message = "This default value is not compatible with the attribute's type constraint: a number is required.";
    check_type_error(r#"object({ a = optional(number, "x") })"#, message);
    assert_eq!(parse("list").unwrap(), parse("list(any)").unwrap());
}

#[test]
fn schema_types_read_as_written_ones() {
    let json = json!(["list", ["object", { "a": "string", "b": ["map", "number"], "c": ["set", "bool"] }]]);
    let written = parse("list(object({ a = string, b = map(number), c = set(bool) }))").unwrap();
    assert_eq!(Type::from_json(&json).unwrap(), written);
    assert!(Type::from_json(&json!(["list"])).is_err());
    assert!(Type::from_json(&json!("strin")).is_err());
}

#[test]
fn unknowns_pass_and_marks_stay() {
    let unknown = Value::Unknown(Box::new(Unknown::Variable("x".into())));
    let given = Value::List(vec![unknown.clone(), Value::from_json(&json!(5)).sensitive()]);
    let Ok(Value::List(converted)) = convert(given, &parse("list(string)").unwrap()) else {
        panic!("a list stays one")
    };
    assert_eq!(converted, [unknown, Value::String("5".into()).sensitive()]);
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        "[a-z0-9]{0,3}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(Json::from_iter),
        ]
    })
}

proptest! {
    /// Converting is done once: a second time changes nothing.
    #[test]
    fn conversion_is_idempotent(json in any_json(), index in 0..6_usize) {
        let types = ["list(any)", "set(string)", "map(any)", "list(list(string))", "object({ a = optional(any), b = optional(string) })", "bool"];
        let ty = parse(types[index]).unwrap();
        if let Ok(once) = convert(Value::from_json(&json), &ty) {
            prop_assert_eq!(convert(once.clone(), &ty), Ok(once));
        }
    }
}
