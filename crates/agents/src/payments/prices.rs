//! What an agent's skills cost: as its skills suggest, or as `PRICES` says.
//!
//! ```text
//! PRICES = entry , { "," , entry } ;
//! entry  = skill , [ "." , part ] , "=" , amount ;
//! part   = a level of the skill, or "base", or what it counts ;
//! amount = digits, in base units; 0 is free ;
//! ```

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Map, Value};
use thiserror::Error;

use super::price::{Price, Tariff};
use crate::agents::{Agent, Skill};
use crate::chain::Amount;

/// Prices of an agent's skills.
#[derive(Clone, Debug)]
pub(crate) struct Prices(Vec<(&'static Skill, Tariff)>);

/// One entry of `PRICES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    skill: String,
    part: Option<String>,
    amount: Amount,
}

/// `PRICES` does not fit the agent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PriceError {
    /// It names a skill that the agent does not have.
    #[error("PRICES: `{skill}` is none of the agent's skills: {skills}")]
    UnknownSkill {
        /// What it names.
        skill: String,
        /// The agent's.
        skills: String,
    },
    /// It names a part that the price of a skill does not have.
    #[error("PRICES: the price of `{skill}` has no part `{part}`: {parts}")]
    UnknownPart {
        /// The skill.
        skill: &'static str,
        /// What it names.
        part: String,
        /// What there is.
        parts: String,
    },
    /// It says the same twice, or all of a price and a part of it.
    #[error("PRICES: the price of `{skill}` is set twice")]
    Twice {
        /// The skill.
        skill: &'static str,
    },
}

impl Prices {
    /// The prices that are set: a skill that is not named, or with 0, is free, and where parts of a price are named the others are as suggested.
    /// Where nothing is set, all are.
    pub(crate) fn of(agent: &'static Agent, set: Option<&[Entry]>) -> Result<Prices, PriceError> {
        let Some(entries) = set else {
            let suggested = |skill: &'static Skill| (skill, Tariff::suggested(skill.price));
            return Ok(Prices(agent.skills.iter().map(suggested).collect()));
        };
        if let Some(entry) = entries
            .iter()
            .find(|entry| agent.skills.iter().all(|it| it.id != entry.skill))
        {
            let skills: Vec<&str> = agent.skills.iter().map(|it| it.id).collect();
            return Err(PriceError::UnknownSkill {
                skill: entry.skill.clone(),
                skills: skills.join(", "),
            });
        }
        let priced = |skill: &'static Skill| {
            let of_skill: Vec<&Entry> = entries.iter().filter(|entry| entry.skill == skill.id).collect();
            Ok((skill, tariff(skill, &of_skill)?))
        };
        agent.skills.iter().map(priced).collect::<Result<_, _>>().map(Prices)
    }

    /// What is asked for a route as it was matched, with the agent's prefix or without; `None` where it is free. Where two skills share a path, the
    /// method tells them apart.
    pub(crate) fn of_route(&self, method: &Method, matched: &str) -> Option<&Tariff> {
        let at_path = || self.0.iter().filter(|(skill, _)| matched.ends_with(skill.route.path()));
        let found = at_path().find(|(skill, _)| skill.route.is_of(method));
        let (_, tariff) = found.or_else(|| at_path().next())?;
        (!tariff.is_free()).then_some(tariff)
    }

    /// What costs something, by skill, as a card tells it.
    pub(crate) fn json(&self) -> Map<String, Value> {
        let paid = self.0.iter().filter(|(_, tariff)| !tariff.is_free());
        paid.map(|(skill, tariff)| (skill.id.to_owned(), tariff.json()))
            .collect()
    }
}

/// What these entries make of a skill's price.
fn tariff(skill: &'static Skill, entries: &[&Entry]) -> Result<Tariff, PriceError> {
    match entries {
        [] => Ok(Tariff::suggested(Price::Free)),
        [Entry { part: None, amount, .. }] => Ok(Tariff::suggested(Price::Flat(amount.0))),
        parts => by_parts(skill, parts),
    }
}

fn by_parts(skill: &'static Skill, entries: &[&Entry]) -> Result<Tariff, PriceError> {
    let mut tariff = Tariff::suggested(skill.price);
    let mut named = BTreeSet::new();
    for entry in entries {
        let part = entry.part.as_deref().filter(|part| named.insert(*part));
        let part = part.ok_or(PriceError::Twice { skill: skill.id })?;
        let unknown = || PriceError::UnknownPart {
            skill: skill.id,
            part: part.to_owned(),
            parts: parts_of(skill.price),
        };
        tariff = tariff.with(part, entry.amount).ok_or_else(unknown)?;
    }
    Ok(tariff)
}

fn parts_of(price: Price) -> String {
    let tariff = Tariff::suggested(price);
    let parts: Vec<&str> = tariff.parts().collect();
    match parts.as_slice() {
        [] => "it is one amount".to_owned(),
        parts => format!("it has {}", parts.join(", ")),
    }
}

/// Reads `PRICES`, or says what of it cannot be read.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    text.split(',').map(entry).collect()
}

fn entry(text: &str) -> Result<Entry, String> {
    let malformed = || format!("`{text}` is not of the form skill=amount or skill.part=amount");
    let (named, amount) = text.split_once('=').ok_or_else(malformed)?;
    let (skill, part) = match named.split_once('.') {
        None => (named, None),
        Some((skill, part)) => (skill, Some(part.to_owned())),
    };
    if skill.is_empty() || part.as_ref().is_some_and(String::is_empty) {
        return Err(malformed());
    }
    let amount = amount
        .parse()
        .map_err(|error| format!("the price of `{named}` {error}"))?;
    Ok(Entry {
        skill: skill.to_owned(),
        part,
        amount,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::agents::{AGENTS, find_agent};
    use crate::fuzz::fuzz_text;

    fn prices(agent: &str, text: &str) -> Result<Prices, String> {
        let agent = find_agent(agent).unwrap();
        Prices::of(agent, Some(&parse(text)?)).map_err(|error| error.to_string())
    }

    fn asked(prices: &Prices, method: &Method, path: &str, input: &Value) -> Option<u128> {
        prices.of_route(method, path).map(|tariff| tariff.of(input).0)
    }

    #[test]
    fn routes_have_the_prices_of_their_skills() {
        let prices = prices("karma-hello", "get_chat_logs=10000,list_streams=0").unwrap();
        let check = |method, path, expected| assert_eq!(asked(&prices, &method, path, &json!({})), expected, "{path}");
        check(Method::POST, "/get_chat_logs", Some(10_000));
        check(Method::GET, "/get_chat_logs", Some(10_000));
        check(Method::HEAD, "/karma-hello/get_chat_logs", Some(10_000));
        check(Method::GET, "/streams", None);
        check(Method::POST, "/chat_logs", None);
        check(Method::GET, "/health", None);
    }

    #[test]
    fn skills_that_share_a_path_have_their_own_prices() {
        let prices = prices("abracadabra", "list_transcripts=5").unwrap();
        assert_eq!(asked(&prices, &Method::GET, "/transcripts", &json!({})), Some(5));
        assert_eq!(asked(&prices, &Method::POST, "/transcripts", &json!({})), None);
    }

    #[test]
    fn a_part_that_is_set_leaves_the_others() {
        let check = |agent, text, path, input: Value, expected| {
            let prices = prices(agent, text).unwrap();
            assert_eq!(
                asked(&prices, &Method::POST, path, &input),
                Some(expected),
                "{text} {input}"
            );
        };
        let (agent, path) = ("skill-extractor", "/extract_skill_profile");
        let set = "extract_skill_profile.basic=7";
        check(agent, set, path, json!({ "profile_level": "basic" }), 7);
        check(agent, set, path, json!({ "profile_level": "standard" }), 30_000);
        check(agent, set, path, json!({}), 50_000);
        let (agent, path) = ("karma-hello", "/get_chat_logs");
        let set = "get_chat_logs.message=3,get_chat_logs.base=0";
        check(agent, set, path, json!({ "limit": 100 }), 300);
    }

    #[test]
    fn every_agent_sells_one_skill_and_nothing_is_paid_where_none_is_named() {
        for agent in &AGENTS {
            assert_eq!(Prices::of(agent, None).unwrap().json().len(), 1, "{}", agent.name);
            assert!(Prices::of(agent, Some(&[])).unwrap().json().is_empty());
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let check = |text: &str, reason: &str| {
            let error = prices("karma-hello", text).unwrap_err();
            assert!(error.contains(reason), "{error}");
        };
        let form = "is not of the form skill=amount or skill.part=amount";
        check("get_chat_logs", form);
        check("=1", form);
        check(".base=1", form);
        check("get_chat_logs.=1", form);
        check("get_chat_logs=1,", form);
        check("get_chat_logs=0.01", "is not a whole number of base units");
        check("get_chat_logs=-1", "is not a whole number of base units");
        check(
            "get_chat_logs.base=",
            "the price of `get_chat_logs.base` is not a whole",
        );
        check(
            "get_chatlogs=1",
            "`get_chatlogs` is none of the agent's skills: get_chat_logs,",
        );
        check(
            "get_chat_logs.basic=1",
            "the price of `get_chat_logs` has no part `basic`: it has base, message",
        );
        check("list_streams.base=1", "has no part `base`: it is one amount");
        check("get_chat_logs=1,get_chat_logs=2", "is set twice");
        check("get_chat_logs=1,get_chat_logs.base=2", "is set twice");
        check("get_chat_logs.base=1,get_chat_logs.base=2", "is set twice");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z_.=,0-9]{0,40}|.*") {
            let _ = prices("karma-hello", &text);
        }
    }

    fn written(entry: &Entry) -> String {
        let part = entry.part.as_ref().map_or_else(String::new, |part| format!(".{part}"));
        format!("{}{part}={}", entry.skill, entry.amount)
    }

    #[test]
    fn no_changed_text_breaks_it_and_what_is_read_can_be_written() {
        fuzz_text(&["get_chat_logs=10000,list_streams=0"], |text| {
            if let Ok(read) = parse(text) {
                let entries: Vec<String> = read.iter().map(written).collect();
                assert_eq!(parse(&entries.join(",")), Ok(read));
            }
        });
    }
}
