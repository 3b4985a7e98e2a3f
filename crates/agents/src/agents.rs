//! The table of the agents. Each is one module: its skills for the card, and a function that starts it.

mod abracadabra;
mod karma_hello;
mod skill_extractor;
mod validator;
mod voice_extractor;

pub use self::karma_hello::IrcSettings;

use axum::Router;
use axum::http::Method;
use serde_json::{Value, json};

use crate::health::Dependency;
use crate::llm::Llm;
use crate::metrics::Metrics;
use crate::payments::{Payments, Price};
use crate::rate::Rates;
use crate::server::StartError;
use crate::settings::Settings;
use crate::store::{Store, View};

/// Every agent. A sixth is a module and a line here.
pub static AGENTS: [Agent; 5] = [
    validator::AGENT,
    karma_hello::AGENT,
    abracadabra::AGENT,
    skill_extractor::AGENT,
    voice_extractor::AGENT,
];

/// The agent of this name.
pub fn find_agent(name: &str) -> Option<&'static Agent> {
    AGENTS.iter().find(|agent| agent.name == name)
}

/// One of the services.
#[derive(Debug)]
pub struct Agent {
    /// Its name: the program's argument, the first part of its public path, its directory of data.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub description: &'static str,
    /// What one can ask of it.
    pub skills: &'static [Skill],
    /// Reads its data and makes its routes.
    pub start: fn(&Start<'_>) -> Result<Service, StartError>,
}

/// What an agent starts from.
#[derive(Debug)]
pub struct Start<'s> {
    /// How it is to run.
    pub settings: &'s Settings,
    /// What it shares with the other tasks of its name.
    pub store: Store,
    /// How it pays and is paid, if it does.
    pub(crate) payments: Option<Payments>,
    /// Where it shows what it counts.
    pub metrics: Metrics,
    /// How often each of its callers may ask.
    pub rates: Rates,
    /// The language model to ask, if one is configured.
    pub(crate) llm: Option<Llm>,
}

/// One thing an agent can do, as its card tells it.
#[derive(Debug)]
pub struct Skill {
    /// Its name for programs.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it answers, and the route and fields to ask with.
    pub description: &'static str,
    /// Words to find it by.
    pub tags: &'static [&'static str],
    /// What answers it, whichever way it is asked.
    pub route: Route,
    /// The field of its input that a text alone fills, if a text alone can ask it.
    pub text_field: Option<&'static str>,
    /// What it costs where payments are on and `PRICES` says nothing else.
    pub price: Price,
}

/// A route of an agent, without the prefix of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// It takes no input.
    Get(&'static str),
    /// It takes its input as a JSON body.
    Post(&'static str),
}

impl Route {
    /// Its path.
    pub(crate) fn path(self) -> &'static str {
        let (Route::Get(path) | Route::Post(path)) = self;
        path
    }

    /// Whether it is asked by this method. Whoever asks for the head of an answer asks for the answer.
    pub(crate) fn is_of(self, method: &Method) -> bool {
        match self {
            Route::Get(_) => method == Method::GET || method == Method::HEAD,
            Route::Post(_) => method == Method::POST,
        }
    }
}

/// A started agent.
#[derive(Debug)]
pub struct Service {
    /// Its own routes, without prefix.
    pub routes: Router,
    /// What it asks in order to answer.
    pub dependencies: Vec<Dependency>,
    /// What it answers from: read from the store before it is said to be healthy.
    pub views: Vec<View>,
}

impl Skill {
    pub(crate) fn json(&self) -> Value {
        let mut input_modes = vec!["application/json"];
        input_modes.extend(self.text_field.map(|_| "text/plain"));
        json!({
            "id": self.id, "name": self.name, "description": self.description, "tags": self.tags, "inputModes": input_modes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_skill_is_described() {
        for (index, agent) in AGENTS.iter().enumerate() {
            assert!(
                AGENTS[..index].iter().all(|other| other.name != agent.name),
                "{}",
                agent.name
            );
            assert!(!agent.skills.is_empty(), "{}", agent.name);
            for skill in agent.skills {
                assert!(
                    !skill.tags.is_empty() && skill.description.contains('/'),
                    "{}: {}",
                    agent.name,
                    skill.id
                );
            }
        }
    }
}
