//! The agents as other agents call them: A2A 1.0, JSON-RPC over HTTP.
//!
//! A message names a skill and gives its input; it becomes a task, the skill's own route answers it, and the answer becomes the task's
//! artifact. So there is one handler for a skill, whichever way it is asked. Tasks live in the store: every task of the agent's service
//! knows them, and one that died in the middle of a task is replaced by another.
//!
//! Nobody logs in here. A task is known to whoever knows its id, or the id of its context, which nobody guesses.
//! <https://a2a-protocol.org/latest/specification/>

mod address;
mod ask;
mod error;
mod push;
mod record;
mod rpc;
mod run;
mod stream;
mod tasks;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

use self::push::Push;
use self::run::Runs;
use self::tasks::Tasks;
use crate::agents::Agent;
use crate::logging::Log;
use crate::settings::Settings;
use crate::shutdown::Activity;
use crate::store::{Store, StoreError};

pub use self::address::Reach;

/// What a request needs.
#[derive(Clone, Debug)]
pub(crate) struct A2a(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    agent: &'static Agent,
    /// The agent's own routes, which answer the skills.
    skills: Router,
    tasks: Tasks,
    push: Push,
    runs: Runs,
    activity: Activity,
    log: Log,
}

impl A2a {
    /// A2A for an agent with these routes.
    pub(crate) fn new(
        agent: &'static Agent,
        skills: Router,
        store: Store,
        settings: &Settings,
        activity: Activity,
        log: Log,
    ) -> Result<A2a, StoreError> {
        Ok(A2a(Arc::new(Parts {
            agent,
            skills,
            tasks: Tasks::open(store)?,
            push: Push::new(settings.push_reach),
            runs: Runs::default(),
            activity,
            log,
        })))
    }

    /// The route.
    pub(crate) fn routes(&self) -> Router {
        Router::new().route("/", post(rpc::answer)).with_state(self.clone())
    }

    /// Takes over, now and then and for as long as the agent runs, the tasks of those that died, and forgets the oldest.
    pub(crate) async fn keep_house(self) {
        loop {
            self.take_over().await;
            self.forget().await;
            tokio::time::sleep(run::HOUSEKEEPING).await;
        }
    }
}
