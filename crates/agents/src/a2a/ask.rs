//! What a message asks: which skill, with what input.

use ::a2a::{A2AError, Message, PartContent, SendMessageConfiguration};
use serde_json::{Map, Number, Value, json};

use super::error::bad_field;
use crate::agents::{Agent, Skill};

/// One question to one skill.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) skill: &'static Skill,
    pub(super) input: Value,
}

impl Ask {
    /// Reads a message: a data part `{skill, input}`, or a text for a skill that takes one. `metadata.skill` names the skill too; a text
    /// without a name is for the agent's first skill that takes text.
    pub(super) fn of(agent: &'static Agent, message: &Message) -> Result<Ask, A2AError> {
        let named = message.metadata.as_ref().and_then(|metadata| metadata.get("skill"));
        match parts(message)?.as_slice() {
            [Said::Data(data)] => from_data(agent, data, named),
            [Said::Text(text)] => from_text(agent, text, named),
            _ => Err(bad_field(
                "message.parts",
                "send one part: data {\"skill\": …, \"input\": {…}}, or a text for a skill that takes one",
            )),
        }
    }
}

/// Refuses a caller who would not take what we answer with.
pub(super) fn check_output_modes(configuration: Option<&SendMessageConfiguration>) -> Result<(), A2AError> {
    let accepted = configuration.and_then(|configuration| configuration.accepted_output_modes.as_ref());
    let takes_json = |mode: &String| matches!(mode.as_str(), "application/json" | "application/*" | "*/*");
    match accepted {
        Some(modes) if !modes.is_empty() && !modes.iter().any(takes_json) => {
            Err(A2AError::content_type_not_supported())
        }
        _ => Ok(()),
    }
}

enum Said<'m> {
    Text(&'m str),
    Data(&'m Map<String, Value>),
}

fn parts(message: &Message) -> Result<Vec<Said<'_>>, A2AError> {
    let said = message.parts.iter().map(|part| match &part.content {
        PartContent::Text(text) => Ok(Said::Text(text)),
        PartContent::Data(Value::Object(data)) => Ok(Said::Data(data)),
        PartContent::Data(_) => Err(bad_field("message.parts.data", "is no object")),
        PartContent::Raw(_) | PartContent::Url(_) => Err(A2AError::content_type_not_supported()),
    });
    said.collect()
}

fn from_data(agent: &'static Agent, data: &Map<String, Value>, named: Option<&Value>) -> Result<Ask, A2AError> {
    let unknown = data.keys().find(|key| !["skill", "input"].contains(&key.as_str()));
    if let Some(key) = unknown {
        return Err(bad_field(
            format!("message.parts.data.{key}"),
            "is neither skill nor input",
        ));
    }
    let skill = data.get("skill").or(named).ok_or_else(|| unnamed(agent))?;
    let input = data.get("input").cloned().unwrap_or_else(|| json!({}));
    if !input.is_object() {
        return Err(bad_field("message.parts.data.input", "is no object"));
    }
    Ok(Ask {
        skill: find(agent, skill)?,
        input: with_whole_numbers(input),
    })
}

/// Protocol buffers know one kind of number in data, so a client made with them sends 3 as 3.0.
/// <https://protobuf.dev/reference/protobuf/google.protobuf/#value>
fn with_whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => whole(&number).map_or(Value::Number(number), Value::from),
        Value::Array(values) => values.into_iter().map(with_whole_numbers).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, with_whole_numbers(value)))
            .collect(),
        other => other,
    }
}

/// The number as a whole one, where it is written as a fraction and is none. Beyond 2^53 a fraction does not say which number is meant.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = number.as_f64().filter(|_| number.is_f64())?;
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
    is_whole.then(|| format!("{number:.0}").parse().ok()).flatten()
}

fn from_text(agent: &'static Agent, text: &str, named: Option<&Value>) -> Result<Ask, A2AError> {
    let skill = match named {
        Some(name) => find(agent, name)?,
        None => agent
            .skills
            .iter()
            .find(|skill| skill.text_field.is_some())
            .ok_or_else(|| unnamed(agent))?,
    };
    let field = skill.text_field.ok_or_else(|| {
        bad_field(
            "message.parts",
            format!("`{}` takes no text: send data {{skill, input}}", skill.id),
        )
    })?;
    Ok(Ask {
        skill,
        input: json!({ field: text.trim() }),
    })
}

fn find(agent: &'static Agent, name: &Value) -> Result<&'static Skill, A2AError> {
    let known = agent.skills.iter().find(|skill| *name == skill.id);
    known.ok_or_else(|| bad_field("skill", format!("{name} is none of {}", names(agent))))
}

fn unnamed(agent: &Agent) -> A2AError {
    bad_field("skill", format!("is missing: name one of {}", names(agent)))
}

fn names(agent: &Agent) -> String {
    let names: Vec<&str> = agent.skills.iter().map(|skill| skill.id).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use ::a2a::{Part, Role, error_code};

    use super::*;
    use crate::agents::{AGENTS, find_agent};

    fn ask(agent: &str, parts: Vec<Part>, skill: Option<&str>) -> Result<(&'static str, Value), A2AError> {
        let mut message = Message::new(Role::User, parts);
        message.metadata = skill.map(|skill| [("skill".to_owned(), json!(skill))].into());
        Ask::of(find_agent(agent).unwrap(), &message).map(|ask| (ask.skill.id, ask.input))
    }

    #[test]
    fn data_and_text_name_a_skill_and_its_input() {
        let check = |agent, part, named, skill, input| {
            assert_eq!(ask(agent, vec![part], named).unwrap(), (skill, input), "{agent}");
        };
        let data = json!({ "skill": "search", "input": { "q": "rust" } });
        check("abracadabra", Part::data(data), None, "search", json!({ "q": "rust" }));
        let data = json!({ "skill": "list_streams" });
        check("karma-hello", Part::data(data), None, "list_streams", json!({}));
        check(
            "skill-extractor",
            Part::text(" ana "),
            None,
            "extract_skill_profile",
            json!({ "username": "ana" }),
        );
        check(
            "abracadabra",
            Part::text("rust"),
            Some("search"),
            "search",
            json!({ "q": "rust" }),
        );
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let check = |given: Value, expected: Value| assert_eq!(with_whole_numbers(given), expected);
        check(
            json!({ "limit": 3.0, "deep": [-1.0, { "x": 0.0 }] }),
            json!({ "limit": 3, "deep": [-1, { "x": 0 }] }),
        );
        check(json!([0.5, 3, 1e300, "3.0", null]), json!([0.5, 3, 1e300, "3.0", null]));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        let check = |agent, parts: Vec<Part>, code: i32, reason: &str| {
            let error = ask(agent, parts, None).unwrap_err();
            assert_eq!(error.code, code, "{error}");
            assert!(error.message.contains(reason), "{error}");
        };
        let params = error_code::INVALID_PARAMS;
        check("validator", vec![], params, "send one part");
        check(
            "validator",
            vec![Part::text("x")],
            params,
            "is missing: name one of validate",
        );
        check(
            "validator",
            vec![Part::data(json!({ "skill": "parrot" }))],
            params,
            "\"parrot\" is none of validate",
        );
        check(
            "validator",
            vec![Part::data(json!({ "skill": "validate", "input": 3 }))],
            params,
            "input: is no object",
        );
        check("validator", vec![Part::data(json!([1]))], params, "is no object");
        check(
            "validator",
            vec![Part::data(json!({ "skil": "validate" }))],
            params,
            "data.skil",
        );
        let content = error_code::CONTENT_TYPE_NOT_SUPPORTED;
        check("validator", vec![Part::raw(vec![1])], content, "content types");
        check("validator", vec![Part::url("http://x/")], content, "content types");
    }

    #[test]
    fn every_agent_can_be_asked_every_skill_of_its_card() {
        for agent in &AGENTS {
            for skill in agent.skills {
                let data = Part::data(json!({ "skill": skill.id, "input": {} }));
                assert_eq!(ask(agent.name, vec![data], None).unwrap().0, skill.id);
            }
        }
    }
}
