//! Every line of `cases.txt` is an expression and what the real Terraform makes of it; see the top of that file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey, UnaryOperator};
use hcl_edit::template::Element;

use super::{Environment, all, call, names};
use crate::value::Number;
use crate::{Object, Sources, Unknown, Value};

const CASES: &str = include_str!("cases.txt");

#[test]
fn agree_with_terraform() {
    let sources = sources();
    let environment = Environment {
        sources: &sources,
        now: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        template: &|_, text, variables| {
            let name = &variables["name"];
            Ok(name
                .as_str()
                .map_or_else(|| name.clone(), |name| Value::String(text.replace("${name}", name))))
        },
    };
    let mut differences = String::new();
    for (expression, expected) in cases() {
        let ours = match evaluate(&parse(expression), &environment) {
            Ok(value) => rendered(&value),
            Err(message) => format!("error: {message}"),
        };
        let theirs = match expected.strip_prefix("error: ") {
            Some(_) => expected.to_owned(),
            None => rendered(&evaluate(&parse(expected), &environment).unwrap()),
        };
        if ours != theirs {
            writeln!(differences, "{expression}\n    ours:   {ours}\n    theirs: {theirs}").unwrap();
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn every_function_has_a_case() {
    let without: Vec<&str> = names().filter(|name| !CASES.contains(&format!("{name}("))).collect();
    assert!(without.is_empty(), "no case for {without:?}");
}

#[test]
fn no_function_is_there_twice() {
    let mut seen = BTreeSet::new();
    let twice: Vec<&str> = names().filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// No arguments, whatever their types and number, bring a function down.
#[test]
fn nothing_panics() {
    let sources = sources();
    let environment = Environment {
        sources: &sources,
        now: None,
        template: &|_, _, _| Err("no templates here".into()),
    };
    let samples = samples();
    for function in all() {
        for a in &samples {
            for b in &samples {
                for arguments in [
                    vec![a.clone()],
                    vec![a.clone(), b.clone()],
                    vec![a.clone(), b.clone(), a.clone()],
                ] {
                    drop(call(function.name, arguments, &environment));
                }
            }
        }
    }
}

#[test]
fn unknown_calls_remember_their_arguments() {
    let unknown = evaluate(&parse("unknown"), &environment(&sources())).unwrap();
    let list = Value::List(vec![unknown, Value::String("a".into())]);
    let result = call("jsonencode", vec![list.clone()], &environment(&sources())).unwrap();
    let Some(Unknown::Call { function, arguments }) = result.as_unknown() else {
        panic!("{result:?}")
    };
    assert_eq!((*function, arguments.as_slice()), ("jsonencode", [list].as_slice()));
}

#[test]
fn errors_do_not_tell_secrets() {
    for secret in [
        "tonumber(sensitive(\"hunter2\"))",
        "base64decode(sensitive(\"hunter2\"))",
        "lookup({}, sensitive(\"hunter2\"))",
    ] {
        let message = evaluate(&parse(secret), &environment(&sources())).unwrap_err();
        assert!(
            !message.contains("hunter2") && message.contains("sensitive"),
            "{message}"
        );
    }
}

#[test]
fn what_we_do_not_evaluate_is_refused_by_name() {
    let error = call("provider::aws::arn_parse", vec![], &environment(&sources())).unwrap_err();
    assert_eq!(error.summary, "Function not evaluated offline");
    assert!(error.message.contains("belongs to a provider"), "{}", error.message);
    let error = call(
        "yamldecode",
        vec![Value::String("a: 1".into())],
        &environment(&sources()),
    )
    .unwrap_err();
    assert_eq!(error.message, "The function \"yamldecode\" is not evaluated offline.");
    let error = call("yamldecod", vec![], &environment(&sources())).unwrap_err();
    assert_eq!(error.summary, "Call to unknown function");
}

fn environment(sources: &Sources) -> Environment<'_> {
    Environment {
        sources,
        now: None,
        template: &|_, _, _| Err("no templates here".into()),
    }
}

fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(" => ").unwrap())
}

fn sources() -> Sources {
    Sources::from_iter([
        ("files/a.txt", "hello\n"),
        ("files/t.tftpl", "Hi ${name}!\n"),
        ("files/sub/b.json", "b"),
    ])
}

/// One value of each kind, and some that are at an edge.
fn samples() -> Vec<Value> {
    let texts = [
        "",
        "a",
        "-1",
        "10.0.0.0/8",
        "::/0",
        "2020-01-01T00:00:00Z",
        "%s%d%[9]v",
        "[a-",
        "/x(/",
        "é{,",
    ];
    let numbers = [
        "0",
        "-1",
        "2",
        "1.5",
        "1e30",
        "-9223372036854775808",
        "170141183460469231731687303715884105727",
    ];
    let mut samples: Vec<Value> = texts.iter().map(|text| Value::String((*text).into())).collect();
    samples.extend(
        numbers
            .iter()
            .map(|number| Value::Number(Number::parse(number).unwrap())),
    );
    samples.extend([
        Value::Null,
        Value::Bool(true),
        Value::List(vec![]),
        Value::Object(Object::new()),
    ]);
    samples.push(Value::Unknown(Box::new(Unknown::Variable("x".into()))));
    let inside = samples.clone();
    samples.extend([
        Value::List(inside.clone()),
        Value::set(inside.clone()),
        Value::List(inside).sensitive(),
    ]);
    samples.push(Value::Object(Object::from([("a".into(), Value::Null)])));
    samples
}

fn parse(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// As much of the language as the cases need.
fn evaluate(expression: &Expression, environment: &Environment<'_>) -> Result<Value, String> {
    Ok(match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(truth) => Value::Bool(*truth.value()),
        Expression::Number(number) => {
            let written = number
                .as_repr()
                .map_or_else(|| number.to_string(), |written| (**written).to_owned());
            Value::Number(Number::parse(written.trim()).unwrap())
        }
        Expression::String(text) => Value::String(text.to_string()),
        Expression::StringTemplate(template) => {
            let part = |element: &Element| match element {
                Element::Literal(text) => Ok(Value::String(text.to_string())),
                Element::Interpolation(inner) => evaluate(&inner.expr, environment),
                Element::Directive(_) => panic!("no directives in the cases"),
            };
            Value::Unknown(Box::new(Unknown::Template(
                template.iter().map(part).collect::<Result<_, _>>()?,
            )))
        }
        Expression::Array(elements) => Value::List(
            elements
                .iter()
                .map(|element| evaluate(element, environment))
                .collect::<Result<_, _>>()?,
        ),
        Expression::Object(members) => {
            let member = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                Ok::<_, String>((member_name(key), evaluate(value.expr(), environment)?))
            };
            Value::Object(members.iter().map(member).collect::<Result<_, _>>()?)
        }
        Expression::Variable(name) if name.as_str() == "greeting" => Value::String("Hi ${name}!".into()),
        Expression::Variable(name) => Value::Unknown(Box::new(Unknown::Variable(name.to_string()))),
        Expression::UnaryOp(operation) if *operation.operator.value() == UnaryOperator::Neg => {
            let operand = evaluate(&operation.expr, environment)?;
            Value::Number(operand.as_number().unwrap().neg())
        }
        Expression::FuncCall(function) => evaluate_call(function, environment)?,
        other => panic!("no {other:?} in the cases"),
    })
}

fn evaluate_call(function: &FuncCall, environment: &Environment<'_>) -> Result<Value, String> {
    let mut arguments: Vec<Value> = function
        .args
        .iter()
        .map(|argument| evaluate(argument, environment))
        .collect::<Result<_, _>>()?;
    if function.args.expand_final() {
        let Some(Value::List(last)) = arguments.pop() else {
            panic!("only lists are expanded")
        };
        arguments.extend(last);
    }
    call(function.name.name.as_str(), arguments, environment).map_err(|error| error.message)
}

fn member_name(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(name) | ObjectKey::Expression(Expression::Variable(name)) => name.to_string(),
        ObjectKey::Expression(Expression::String(name)) => name.to_string(),
        ObjectKey::Expression(other) => panic!("no {other:?} in the cases"),
    }
}

/// Marks shown, lists and sets alike. What is below a mark has none of its own, as in a plan.
fn rendered(value: &Value) -> String {
    match value {
        Value::Sensitive(inner) => format!("sensitive({})", rendered(&inner.clone().revealed())),
        Value::Unknown(_) => "unknown".into(),
        Value::List(elements) | Value::Set(elements) => {
            format!("[{}]", elements.iter().map(rendered).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member = |(name, member): (&String, &Value)| format!("{name:?} = {}", rendered(member));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        plain => format!("{plain:?}"),
    }
}
