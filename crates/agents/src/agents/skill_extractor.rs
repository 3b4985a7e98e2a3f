//! skill-extractor: what a user can do, works with and cares for, as told by the messages karma-hello has of them.

mod claims;
mod dictionary;
mod evidence;
mod monetization;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use self::claims::ask;
use self::dictionary::{Dictionary, Kind};
use self::evidence::{Evidence, Trait};
use self::monetization::{Offer, offers};
use super::{Agent, Route, Service, Skill, Start};
use crate::compute::compute;
use crate::data::{invalid, read_versioned};
use crate::error::ApiError;
use crate::input::Input;
use crate::karma_hello_client::{KarmaHello, UserMessages};
use crate::llm::{Llm, LlmNote};
use crate::payments::Price;
use crate::profile::{ComputedFrom, DataCoverage, DateRange, Detail, messages_for_profile};
use crate::server::StartError;
use crate::text::{Keyphrase, keyphrases};
use crate::trace::Trace;

pub(super) const AGENT: Agent = Agent {
    name: "skill-extractor",
    description: "Tells a user's skills, tools and interests from what they wrote, each with the messages that show it.",
    skills: &[Skill {
        id: "extract_skill_profile",
        name: "Extract a skill profile",
        description: "POST /extract_skill_profile {username, profile_level? (basic, standard, complete), date_range? \
                      {start_date?, end_date?}, include_monetization?}: skills, tools and interests with evidence and \
                      confidence, from a dictionary and, where one is configured, a language model.",
        tags: &["profile", "skills", "interests"],
        route: Route::Post("/extract_skill_profile"),
        text_field: Some("username"),
        price: Price::Levels {
            field: "profile_level",
            levels: &[("basic", 20_000), ("standard", 30_000), ("complete", 50_000)],
        },
    }],
    start,
};

/// How many keyphrases a profile has.
const KEYPHRASES: usize = 10;

#[derive(Debug)]
struct Extractor {
    karma_hello: KarmaHello,
    dictionary: Dictionary,
    llm: Option<Llm>,
}

fn start(
    Start {
        settings,
        llm,
        payments,
        ..
    }: &Start<'_>,
) -> Result<Service, StartError> {
    let path = settings.data_dir.join(AGENT.name).join("terms.json");
    let (file, version) = read_versioned(&path)?;
    let dictionary = Dictionary::new(file, version).map_err(|reason| invalid(&path, reason))?;
    let karma_hello = KarmaHello::new(settings, payments.as_ref())?;
    let dependencies = vec![karma_hello.dependency()];
    let routes = Router::new()
        .route("/extract_skill_profile", post(extract))
        .with_state(Arc::new(Extractor {
            karma_hello,
            dictionary,
            llm: llm.clone(),
        }));
    Ok(Service {
        routes,
        dependencies,
        views: Vec::new(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    username: String,
    #[serde(default)]
    profile_level: Detail,
    #[serde(default)]
    date_range: DateRange,
    include_monetization: Option<bool>,
}

#[derive(Serialize)]
struct Profile {
    username: String,
    profile_level: Detail,
    data_coverage: Option<DataCoverage>,
    skills: Vec<Trait>,
    tools_and_platforms: Vec<Trait>,
    interests: Vec<Trait>,
    /// Phrases that stand out in what the user wrote, known to the dictionary or not.
    keyphrases: Vec<Keyphrase>,
    /// What the user could be paid for, as far as the messages tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    monetization: Option<Vec<Offer>>,
    computed_from: ComputedFrom,
    language_model: LlmNote,
}

async fn extract(
    State(extractor): State<Arc<Extractor>>,
    trace: Trace,
    Input(question): Input<Question>,
) -> Result<Json<Profile>, ApiError> {
    let range = question.date_range;
    let found = messages_for_profile(&extractor.karma_hello, &question.username, range, &trace).await?;
    let claims = ask(extractor.llm.as_ref(), &found.messages).await;
    let work = move || {
        let dictionary = &extractor.dictionary;
        let mut evidence = Evidence::of(dictionary, &found.messages);
        let note = claims.add_to(&mut evidence, dictionary, &found.messages);
        profile(dictionary, question, &found, &evidence, note)
    };
    Ok(Json(compute(work).await))
}

fn profile(
    dictionary: &Dictionary,
    question: Question,
    found: &UserMessages,
    evidence: &Evidence<'_>,
    note: LlmNote,
) -> Profile {
    let most = Most::of(question.profile_level);
    let top = |kind, most| {
        let mut traits = evidence.traits(kind);
        traits.truncate(most);
        traits
    };
    let texts = found.messages.iter().map(|message| message.message.message.as_str());
    Profile {
        data_coverage: DataCoverage::of(found),
        skills: top(Kind::Skill, most.skills),
        tools_and_platforms: top(Kind::Tool, most.tools),
        interests: top(Kind::Interest, most.interests),
        keyphrases: keyphrases(texts, KEYPHRASES),
        monetization: question
            .include_monetization
            .unwrap_or(true)
            .then(|| offers(dictionary, evidence)),
        computed_from: ComputedFrom::of(&found.messages, dictionary.version()),
        language_model: note,
        username: question.username,
        profile_level: question.profile_level,
    }
}

/// How much each level shows.
struct Most {
    skills: usize,
    tools: usize,
    interests: usize,
}

impl Most {
    fn of(level: Detail) -> Most {
        match level {
            Detail::Basic => Most {
                skills: 2,
                tools: 2,
                interests: 3,
            },
            Detail::Standard => Most {
                skills: 3,
                tools: 3,
                interests: 5,
            },
            Detail::Complete => Most {
                skills: usize::MAX,
                tools: usize::MAX,
                interests: usize::MAX,
            },
        }
    }
}
