//! What is expected here was rendered by hashicorp/aws 5.100.0.

use karma_terraform::{Object, Value};
use serde_json::{Value as Json, json};

use super::read;

fn document(arguments: &Json) -> Result<Object, String> {
    let arguments = Value::from_json(arguments).as_object().expect("an object").clone();
    read(&arguments).map(|answer| answer.expect("nothing is unknown"))
}

fn check(arguments: &Json, id: &str, minified: &str) {
    let answer = document(arguments).unwrap();
    assert_eq!(answer["minified_json"].as_str(), Some(minified));
    assert_eq!(answer["id"].as_str(), Some(id));
}

#[test]
fn renders_members_in_order_and_lists_backwards() {
    check(
        &json!({ "statement": [
            {
                "effect": "Deny",
                "sid": "",
                "actions": ["s3:b", "s3:a"],
                "not_resources": ["*", "b"],
                "principals": [
                    { "type": "AWS", "identifiers": ["arn:aws:iam::1:root", "arn:aws:iam::2:root"] },
                    { "type": "Service", "identifiers": ["x"] },
                    { "type": "AWS", "identifiers": ["z"] },
                ],
                "condition": [
                    { "test": "StringLike", "variable": "b", "values": ["&{aws:x}", "c", "a"] },
                    { "test": "StringLike", "variable": "a", "values": ["<b>"] },
                    { "test": "Bool", "variable": "a", "values": ["true"] },
                ],
            },
            {
                "sid": "x",
                "not_actions": ["s3:a"],
                "resources": ["b", "a"],
                "not_principals": [{ "type": "*", "identifiers": ["*"] }],
            },
            { "resources": ["a&{b}"], "actions": ["*"], "principals": [{ "type": "*", "identifiers": ["*"] }] },
            {
                "sid": "same",
                "resources": ["a"],
                "actions": ["*"],
                "condition": [
                    { "test": "StringLike", "variable": "a", "values": ["x"] },
                    { "test": "StringLike", "variable": "a", "values": ["y", "z"] },
                ],
            },
        ] }),
        "2687809911",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:b","s3:a"],"NotResource":["b","*"],"Principal":{"AWS":["arn:aws:iam::2:root","arn:aws:iam::1:root","z"],"Service":"x"},"Condition":{"Bool":{"a":"true"},"StringLike":{"a":"\u003cb\u003e","b":["${aws:x}","c","a"]}}},{"Sid":"x","Effect":"Allow","NotAction":"s3:a","Resource":["b","a"],"NotPrincipal":"*"},{"Effect":"Allow","Action":"*","Resource":"a${b}","Principal":"*"},{"Sid":"same","Effect":"Allow","Action":"*","Resource":"a","Condition":{"StringLike":{"a":["x","y","z"]}}}]}"#,
    );
}

#[test]
fn an_empty_document_has_a_version_only() {
    let answer = document(&json!({ "statement": [] })).unwrap();
    assert_eq!(answer["json"].as_str(), Some("{\n  \"Version\": \"2012-10-17\"\n}"));
    assert_eq!(answer["id"].as_str(), Some("1132004489"));
    assert!(answer["statement"].is_null());
}

#[test]
fn sources_come_first_and_overrides_replace_their_namesakes() {
    let source = r#"{"Version":"2008-10-17","Id":"id","Statement":[
        {"Sid":"x","Effect":"Allow","Action":"old","Resource":"r","Principal":{"AWS":["a","b"]}},
        {"Sid":"same","Effect":"Allow","Action":["a","b"],"Resource":"*","Condition":{"Bool":{"t":true}}}]}"#;
    let overriding = r#"{"Statement":[{"Sid":"same","Effect":"Deny","Action":["q","r"],"Resource":"*"},{"Effect":"Allow","Action":"n"}]}"#;
    let answer = document(&json!({
        "source_policy_documents": [source],
        "override_policy_documents": [overriding],
        "statement": [{ "sid": "x", "actions": ["over"], "resources": ["r"] }],
    }))
    .unwrap();
    assert_eq!(
        answer["minified_json"].as_str(),
        Some(
            r#"{"Version":"2012-10-17","Id":"id","Statement":[{"Sid":"x","Effect":"Allow","Action":"over","Resource":"r"},{"Sid":"same","Effect":"Deny","Action":["q","r"],"Resource":"*"},{"Effect":"Allow","Action":"n"}]}"#
        )
    );
}

#[test]
fn what_a_source_says_is_written_back() {
    let source = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":["a","b"],"Service":"s"},"Condition":{"Bool":{"t":true},"A":{"v":["1","2"]}}},{"Effect":"Deny","Principal":"*"}]}"#;
    let answer = document(&json!({ "source_policy_documents": [source], "version": "2008-10-17" })).unwrap();
    assert_eq!(
        answer["minified_json"].as_str(),
        Some(
            r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["b","a"],"Service":"s"},"Condition":{"A":{"v":["1","2"]},"Bool":{"t":"true"}}},{"Effect":"Deny","Principal":"*"}]}"#
        )
    );
}

#[test]
fn the_blocks_come_back_with_what_was_left_out() {
    let answer = document(&json!({ "statement": [{ "actions": ["a"], "resources": null }] })).unwrap();
    let statement = answer["statement"].as_elements().unwrap()[0].as_object().unwrap();
    assert_eq!(statement["effect"].as_str(), Some("Allow"));
    assert_eq!(statement["sid"].as_str(), Some(""));
    for absent in ["resources", "principals", "condition", "not_actions"] {
        assert_eq!(statement[absent], Value::Set(vec![]), "{absent}");
    }
}

#[test]
fn mistakes_are_sentences() {
    let twice = json!([{ "sid": "a", "actions": ["x"] }, { "sid": "a", "actions": ["y"] }]);
    for (arguments, part) in [
        (json!({ "statement": twice }), "sid \"a\""),
        (
            json!({ "source_policy_documents": ["{"] }),
            "source_policy_documents[0] is not a policy",
        ),
        (
            json!({ "override_policy_documents": ["{}", "[1]"] }),
            "override_policy_documents[1] is not a policy",
        ),
        (
            json!({ "version": "2008-10-17", "statement": [{ "resources": ["&{x}"] }] }),
            "2008-10-17",
        ),
    ] {
        let message = document(&arguments).unwrap_err();
        assert!(message.contains(part), "{message}");
    }
}
