//! What each skill costs, in base units of the token.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::agents::{Agent, Route};
use crate::chain::Amount;

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
    /// The prices that are set, by skill. A skill without one, or with 0, is free.
    pub(crate) fn of(agent: &'static Agent, set: &[(String, Amount)]) -> Result<Prices, PriceError> {
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
    use crate::agents::find_agent;

    fn prices(text: &str) -> Result<Prices, String> {
        let agent = find_agent("karma-hello").unwrap();
        Prices::of(agent, &parse(text)?).map_err(|error| error.to_string())
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
}
