//! [`wait_until`]: looking again until the answer is there.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::judge::{NotStable, Stable, UnderWay, Until, Verdict, judge};
use crate::observation::ServiceObservation;
use crate::orchestrator::{Orchestrator, OrchestratorError};

/// What was waited for did not come.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// It cannot come any more.
    #[error(transparent)]
    NotStable(#[from] NotStable),
    /// It has not come yet.
    #[error("not there after {} s: {}", patience.as_secs(), progress.tasks)]
    OutOfPatience {
        /// So long was waited.
        patience: Duration,
        /// How far it had come.
        progress: UnderWay,
        /// The service as it was seen last.
        service: Box<ServiceObservation>,
    },
    /// The orchestrator did not answer in all that time.
    #[error("no answer after {} s", patience.as_secs())]
    NoAnswer {
        /// So long was waited.
        patience: Duration,
    },
    /// The orchestrator cannot be asked.
    #[error(transparent)]
    Orchestrator(#[from] OrchestratorError),
}

/// Waits until a service is what is waited for, or cannot become it. A change on the way is told to `on_progress`.
///
/// Of the deployment that is followed, the first look decides which that is, so that one that comes later is not taken for it.
pub async fn wait_until(
    on: &dyn Orchestrator,
    service: &str,
    until: Until,
    patience: Duration,
    mut on_progress: impl FnMut(&UnderWay),
) -> Result<Stable, WaitError> {
    let deadline = Instant::now() + patience;
    let mut until = until;
    let mut last: Option<(UnderWay, ServiceObservation)> = None;
    loop {
        let Ok(observation) = timeout_at(deadline, on.observe()).await else {
            return Err(out_of_patience(patience, last));
        };
        let observation = observation?;
        let progress = match judge(&observation, service, &until) {
            Verdict::Stable(stable) => return Ok(stable),
            Verdict::NotStable(why) => return Err(why.into()),
            Verdict::UnderWay(progress) => progress,
        };
        let seen = observation.service(service).expect("one that is under way is there");
        until = settled(until, seen);
        if last.as_ref().is_none_or(|(known, _)| *known != progress) {
            on_progress(&progress);
        }
        last = Some((progress, seen.clone()));
        if timeout_at(deadline, sleep(on.look_again())).await.is_err() {
            return Err(out_of_patience(patience, last));
        }
    }
}

/// The same with the deployment named.
fn settled(until: Until, service: &ServiceObservation) -> Until {
    match until {
        Until::Stable { deployment: None } => Until::Stable {
            deployment: service.primary_deployment().map(|primary| primary.id.clone()),
        },
        other => other,
    }
}

fn out_of_patience(patience: Duration, last: Option<(UnderWay, ServiceObservation)>) -> WaitError {
    match last {
        None => WaitError::NoAnswer { patience },
        Some((progress, service)) => WaitError::OutOfPatience {
            patience,
            progress,
            service: Box::new(service),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ScriptedOrchestrator, observation_of};

    async fn wait(script: &[&str], patience: u64) -> (Result<Stable, WaitError>, Vec<String>) {
        let scripted = ScriptedOrchestrator::new(script.iter().map(|step| observation_of(step)));
        let mut told = Vec::new();
        let patience = Duration::from_secs(patience);
        let tell = |progress: &UnderWay| told.push(progress.tasks.clone());
        let outcome = wait_until(&scripted, "api", Until::stable(), patience, tell).await;
        (outcome, told)
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_told_once_and_the_end_is_the_answer() {
        let script = [
            "1 PRIMARY IN_PROGRESS 0/2",
            "1 PRIMARY IN_PROGRESS 0/2",
            "1 PRIMARY IN_PROGRESS 1/2",
            "1 PRIMARY COMPLETED 2/2",
        ];
        let (outcome, told) = wait(&script, 60).await;
        assert_eq!(outcome.unwrap().running_count, 2);
        assert_eq!(told, ["0/2 running", "1/2 running"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deployment_that_comes_later_is_not_taken_for_the_one_that_is_followed() {
        let script = [
            "1 PRIMARY IN_PROGRESS 0/2",
            "2 PRIMARY COMPLETED 2/2\n1 INACTIVE IN_PROGRESS 0/0",
        ];
        let (outcome, _) = wait(&script, 60).await;
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "a deployment of api:2 has taken its place"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end() {
        let (outcome, _) = wait(&["1 PRIMARY IN_PROGRESS 1/2"], 10).await;
        assert_eq!(outcome.unwrap_err().to_string(), "not there after 10 s: 1/2 running");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_asked_is_an_error() {
        let (outcome, _) = wait(&[], 10).await;
        assert!(matches!(
            outcome,
            Err(WaitError::Orchestrator(OrchestratorError::NothingRunning))
        ));
    }
}
