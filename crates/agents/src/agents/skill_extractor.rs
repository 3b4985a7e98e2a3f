//! skill-extractor: what a user can do, works with and cares for, as told by the messages karma-hello has of them.

mod dictionary;
mod evidence;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::{Deserialize, Serialize};

use self::dictionary::{Dictionary, Kind};
use self::evidence::{Trait, traits};
use super::{Agent, Route, Service, Skill, Start};
use crate::data::{invalid, read_file};
use crate::error::ApiError;
use crate::input::Input;
use crate::karma_hello_client::{KarmaHello, UserMessages};
use crate::profile::{DataCoverage, DateRange, Detail, messages_for_profile};
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
                      {start_date?, end_date?}}: skills, tools and interests with evidence and confidence.",
        tags: &["profile", "skills", "interests"],
        route: Route::Post("/extract_skill_profile"),
        text_field: Some("username"),
    }],
    start,
};

/// How many keyphrases a profile has.
const KEYPHRASES: usize = 10;

#[derive(Debug)]
struct Extractor {
    karma_hello: KarmaHello,
    dictionary: Dictionary,
}

fn start(Start { settings, payments, .. }: &Start<'_>) -> Result<Service, StartError> {
    let path = settings.data_dir.join(AGENT.name).join("terms.json");
    let dictionary = Dictionary::new(read_file(&path)?).map_err(|reason| invalid(&path, reason))?;
    let karma_hello = KarmaHello::new(settings, payments.as_ref())?;
    let dependencies = vec![karma_hello.dependency()];
    let routes = Router::new()
        .route("/extract_skill_profile", post(extract))
        .with_state(Arc::new(Extractor {
            karma_hello,
            dictionary,
        }));
    Ok(Service { routes, dependencies })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    username: String,
    #[serde(default)]
    profile_level: Detail,
    #[serde(default)]
    date_range: DateRange,
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
}

async fn extract(
    State(extractor): State<Arc<Extractor>>,
    trace: Trace,
    Input(question): Input<Question>,
) -> Result<Json<Profile>, ApiError> {
    let Question {
        username,
        profile_level,
        date_range,
    } = question;
    let found = messages_for_profile(&extractor.karma_hello, &username, date_range, &trace).await?;
    Ok(Json(profile(&extractor.dictionary, username, profile_level, &found)))
}

fn profile(dictionary: &Dictionary, username: String, profile_level: Detail, found: &UserMessages) -> Profile {
    let most = Most::of(profile_level);
    let top = |kind, most| {
        let mut traits = traits(dictionary, kind, &found.messages);
        traits.truncate(most);
        traits
    };
    Profile {
        data_coverage: DataCoverage::of(found),
        skills: top(Kind::Skill, most.skills),
        tools_and_platforms: top(Kind::Tool, most.tools),
        interests: top(Kind::Interest, most.interests),
        keyphrases: keyphrases(
            found.messages.iter().map(|message| message.message.message.as_str()),
            KEYPHRASES,
        ),
        username,
        profile_level,
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
