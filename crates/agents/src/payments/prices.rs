//! What each skill costs, in base units of the token.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::agents::{Agent, Route};
use crate::chain::Amount;

/// What is asked where `PRICES` does not say otherwise: for a token of six decimals, from a tenth of a cent to two cents. What is not here is free.
const SUGGESTED: [(&str, u128); 5] = [
    ("validate", 1_000),
    ("get_chat_logs", 10_000),
    ("get_transcription", 20_000),
    ("extract_skill_profile", 20_000),
    ("extract_voice_profile", 20_000),
];

/// Prices of an agent's routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prices(BTreeMap<&'static str, Amount>);

/// `PRICES` names a skill that the agent does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("PRICES: `{skill}` is none of the agent's skills: {skills}")]
pub struct PriceError {
    skill: String,
    skills: String,
}

impl Prices {
    /// The prices that are set, by skill: a skill without one, or with 0, is free. Where none is set, what is suggested.
    pub(crate) fn of(agent: &'static Agent, set: Option<&[(String, Amount)]>) -> Result<Prices, PriceError> {
        let suggested = || suggested_for(agent);
        Prices::all(agent, &set.map_or_else(suggested, <[_]>::to_vec))
    }

    fn all(agent: &'static Agent, set: &[(String, Amount)]) -> Result<Prices, PriceError> {
        let price = |(skill, amount): &(String, Amount)| {
            let found = agent.skills.iter().find(|it| it.id == skill);
            let found = found.ok_or_else(|| PriceError {
                skill: skill.clone(),
                skills: agent.skills.iter().map(|it| it.id).collect::<Vec<_>>().join(", "),
            })?;
            let (Route::Get(path) | Route::Post(path)) = found.route;
            Ok((path, *amount))
        };
        let prices: Result<BTreeMap<_, _>, PriceError> = set.iter().map(price).collect();
        Ok(Prices(prices?.into_iter().filter(|(_, amount)| amount.0 > 0).collect()))
    }

    /// What is asked for a route, as it was matched: with the agent's prefix or without.
    pub(crate) fn of_route(&self, matched: &str) -> Option<Amount> {
        let by_path = |(path, amount): (&&str, &Amount)| matched.ends_with(*path).then_some(*amount);
        self.0.iter().find_map(by_path)
    }
}

fn suggested_for(agent: &Agent) -> Vec<(String, Amount)> {
    let is_its = |(skill, _): &&(&str, u128)| agent.skills.iter().any(|it| it.id == *skill);
    let priced = SUGGESTED.iter().filter(is_its);
    priced
        .map(|(skill, amount)| ((*skill).to_owned(), Amount(*amount)))
        .collect()
}

/// `skill=amount,skill=amount`
pub(crate) fn parse(text: &str) -> Result<Vec<(String, Amount)>, String> {
    text.split(',').map(one).collect()
}

fn one(text: &str) -> Result<(String, Amount), String> {
    let (skill, amount) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` is not of the form skill=amount"))?;
    let amount = amount
        .parse()
        .map_err(|error| format!("the price of `{skill}` {error}"))?;
    Ok((skill.to_owned(), amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::{AGENTS, find_agent};
    use crate::fuzz::fuzz_text;

    fn prices(text: &str) -> Result<Prices, String> {
        let agent = find_agent("karma-hello").unwrap();
        Prices::of(agent, Some(&parse(text)?)).map_err(|error| error.to_string())
    }

    #[test]
    fn routes_have_the_prices_of_their_skills() {
        let prices = prices("get_chat_logs=10000,list_streams=0").unwrap();
        assert_eq!(prices.of_route("/get_chat_logs"), Some(Amount(10_000)));
        assert_eq!(prices.of_route("/karma-hello/get_chat_logs"), Some(Amount(10_000)));
        assert_eq!(prices.of_route("/streams"), None);
        assert_eq!(prices.of_route("/health"), None);
    }

    #[test]
    fn every_suggestion_is_for_a_skill_and_every_agent_sells_one() {
        let skills = |agent: &'static Agent| agent.skills.iter().map(|skill| skill.id);
        let all: Vec<&str> = AGENTS.iter().flat_map(skills).collect();
        assert!(SUGGESTED.iter().all(|(skill, _)| all.contains(skill)));
        for agent in &AGENTS {
            assert_eq!(Prices::of(agent, None).unwrap().0.len(), 1, "{}", agent.name);
            assert_eq!(Prices::of(agent, Some(&[])).unwrap(), Prices::default());
        }
    }

    #[test]
    fn what_is_no_price_is_refused() {
        let check = |text: &str, reason: &str| {
            let error = prices(text).unwrap_err();
            assert!(error.contains(reason), "{error}");
        };
        check("get_chat_logs", "is not of the form skill=amount");
        check("get_chat_logs=0.01", "is not a whole number of base units");
        check("get_chat_logs=-1", "is not a whole number of base units");
        check(
            "get_chatlogs=1",
            "`get_chatlogs` is none of the agent's skills: get_chat_logs,",
        );
    }

    #[test]
    fn no_changed_text_breaks_it_and_what_is_read_can_be_written() {
        fuzz_text(&["get_chat_logs=10000,list_streams=0"], |text| {
            if let Ok(read) = parse(text) {
                let entries: Vec<String> = read.iter().map(|(skill, amount)| format!("{skill}={amount}")).collect();
                assert_eq!(parse(&entries.join(",")), Ok(read));
            }
        });
    }
}
