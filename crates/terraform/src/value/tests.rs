use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::json;

use super::{Hole, Object, Unknown, Value};

fn value(json: &serde_json::Value) -> Value {
    Value::from_json(json)
}

fn unknown() -> Value {
    Value::Unknown(Box::new(Unknown::Variable("x".into())))
}

#[test]
fn equality_looks_for_a_known_difference() {
    assert_eq!(value(&json!([1, "a"])).equals(&value(&json!([1, "a"]))), Some(true));
    assert_eq!(value(&json!(1)).equals(&value(&json!("1"))), Some(false));
    assert_eq!(
        value(&json!({ "a": 1 })).equals(&value(&json!({ "b": 1 }))),
        Some(false)
    );
    let with_unknown = |first: i32| Value::List(vec![value(&json!(first)), unknown()]);
    assert_eq!(with_unknown(1).equals(&with_unknown(1)), None);
    assert_eq!(with_unknown(1).equals(&with_unknown(2)), Some(false));
    assert_eq!(value(&json!("s")).sensitive().equals(&value(&json!("s"))), Some(true));
}

#[test]
fn a_template_is_not_null_whatever_it_becomes() {
    let template = Value::Unknown(Box::new(Unknown::Template(vec![unknown()])));
    assert_eq!(template.equals(&Value::Null), Some(false));
    assert_eq!(unknown().equals(&Value::Null), None);
}

#[test]
fn sets_are_sorted_and_have_each_element_once() {
    let elements = ["b", "a", "b"].map(|text| Value::String(text.into()));
    assert_eq!(
        Value::set(elements.clone()).as_elements().unwrap(),
        [elements[1].clone(), elements[0].clone()]
    );
}

#[test]
fn a_mark_inside_a_set_becomes_its_own() {
    let set = Value::set([Value::String("a".into()).sensitive(), Value::String("b".into())]);
    assert!(set.is_sensitive());
    assert!(!set.into_unmarked().contains_sensitive());
}

#[test]
fn what_is_sensitive_is_never_printed() {
    let secret = Value::Object(Object::from([(
        "password".into(),
        value(&json!(["hunter2"])).sensitive(),
    )]));
    let list = Value::List(vec![
        secret.clone(),
        Value::Unknown(Box::new(Unknown::Template(vec![secret]))),
    ]);
    for printed in [format!("{list}"), format!("{list:?}"), format!("{list:#?}")] {
        assert!(!printed.contains("hunter2"), "{printed}");
    }
    assert_eq!(
        list.to_string(),
        "[{ password = (sensitive value) }, (known after apply)]"
    );
}

#[test]
fn json_asks_before_it_fills_a_hole() {
    let list = Value::List(vec![unknown(), value(&json!("s")).sensitive()]);
    assert_eq!(list.to_json(), None);
    let filled = list.to_json_with(&|hole| match hole {
        Hole::Unknown(_) => Some(json!(null)),
        Hole::Sensitive(inner) => inner.to_json(),
    });
    assert_eq!(filled, Some(json!([null, "s"])));
}

#[test]
fn types_have_terraforms_names() {
    let cases = [
        (json!("a"), "string"),
        (json!(["a", "b"]), "list of string"),
        (json!(["a", 1]), "tuple"),
        (json!([]), "tuple"),
        (json!({ "a": 1 }), "object"),
        (json!([[true]]), "list of list of bool"),
    ];
    for (json, name) in cases {
        assert_eq!(value(&json).type_name(), name, "{json}");
    }
}

#[test]
fn a_person_reads_it_on_one_line() {
    let printed = value(&json!({ "cpu": 256, "a b": ["x", null], "e": {} })).to_string();
    assert_eq!(printed, "{ \"a b\" = [\"x\", null], cpu = 256, e = {} }");
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(unknown()),
        any::<bool>().prop_map(Value::Bool),
        any::<i16>().prop_map(|whole| Value::Number(whole.into())),
        "[a-c]{0,2}".prop_map(Value::String),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map("[ab]", inner, 0..3).prop_map(Value::Object),
        ]
    })
}

proptest! {
    #[test]
    fn order_is_total(a in any_value(), b in any_value(), c in any_value()) {
        prop_assert_eq!(a.total_order(&b), b.total_order(&a).reverse());
        if a.total_order(&b) != Ordering::Greater && b.total_order(&c) != Ordering::Greater {
            prop_assert_ne!(a.total_order(&c), Ordering::Greater);
        }
    }

    #[test]
    fn a_set_does_not_depend_on_the_order_of_its_making(mut elements in prop::collection::vec(any_value(), 0..6)) {
        let forwards = Value::set(elements.clone());
        elements.reverse();
        prop_assert_eq!(forwards, Value::set(elements));
    }

    #[test]
    fn json_and_back_is_the_same(value in any_value().prop_filter("known", |value| !value.contains_unknown())) {
        prop_assert_eq!(Value::from_json(&value.to_json().unwrap()), value);
    }
}
