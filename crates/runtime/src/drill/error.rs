//! Why a drill cannot be held.

use crate::control::ControlError;

/// A drill cannot be held, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The fleet cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It was not said which service is meant, and several can be.
    #[error("several services can be sent requests")]
    WhichService {
        /// Those.
        known: Vec<String>,
    },
    /// No service has this label or name.
    #[error("there is no service {service}")]
    UnknownService {
        /// What was asked for.
        service: String,
        /// The labels that there are.
        known: Vec<String>,
    },
    /// No load balancer leads to it, so that no requests can be sent.
    #[error("no load balancer leads to service {service}")]
    NotReachable {
        /// Its label.
        service: String,
        /// Those that one leads to.
        known: Vec<String>,
    },
    /// What is not steady before it breaks cannot become so again.
    #[error("service {service} is not steady: {running} of {desired} tasks serve")]
    NotSteady {
        /// Its label.
        service: String,
        /// So many tasks serve.
        running: usize,
        /// So many are wanted.
        desired: usize,
    },
    /// Nothing of the service can break in this way.
    #[error("service {service} has {what}")]
    NothingToBreak {
        /// Its label.
        service: String,
        /// What it lacks: `no task on Spot capacity`.
        what: &'static str,
        /// What can be done, one line.
        hint: &'static str,
    },
    /// Not a path of a URL.
    #[error("`{path}` is not a path")]
    NotAPath {
        /// What was given.
        path: String,
    },
    /// Before anything was broken, nothing answered with success.
    #[error("nothing answers there before anything is broken: {}", tried.join(", "))]
    NoAnswer {
        /// What was tried, and what came of it.
        tried: Vec<String>,
    },
    /// The service has left the stack meanwhile.
    #[error("service {service} is gone")]
    Gone {
        /// Its label.
        service: String,
    },
}

impl DrillError {
    /// What the user can do, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Control(error) => error.hint(),
            Self::WhichService { known } => Some(format!("--service with one of: {}", known.join(", "))),
            Self::UnknownService { known, .. } | Self::NotReachable { known, .. } => {
                (!known.is_empty()).then(|| format!("there is: {}", known.join(", ")))
            }
            Self::NotSteady { service, .. } => Some(format!("wait for it: karma wait {service}")),
            Self::NothingToBreak { hint, .. } => Some((*hint).to_owned()),
            Self::NotAPath { .. } => Some("give one such as `/health`".to_owned()),
            Self::NoAnswer { .. } => Some("say with --path what answers".to_owned()),
            Self::Gone { .. } => None,
        }
    }
}
