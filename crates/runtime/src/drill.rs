//! Drills: a fleet is broken on purpose while requests come, to see what is lost.
//!
//! ```text
//! observe ─▶ target ─▶ load ───────────── shots ─────────────▶ report
//!               └────▶ rounds: break ─▶ observe until steady again ─▶ the next
//! ```
//! Who breaks what, and when a service has recovered, are pure functions of what was seen ([`rounds`]); so is what is made of the requests
//! ([`report`]).

mod error;
mod fault;
mod load;
mod report;
mod rounds;
mod target;

use std::time::Duration;

use karma_ops::{Observation, ServiceObservation};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use crate::control::{Control, ControlError};
pub use error::DrillError;
pub use fault::Fault;
use load::Load;
pub use report::{DrillReport, LoadSecond};
use rounds::{Act, Plan, Recovery, Round};
use target::Target;

/// Between two looks at the fleet.
const LOOK: Duration = Duration::from_millis(100);

/// So long is load sent before anything breaks, to have something to compare with.
const LEAD: Duration = Duration::from_secs(2);

/// A service that has not recovered after so long is not waited for any more.
const PATIENCE: Duration = Duration::from_mins(5);

/// What is to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// What breaks.
    pub scenario: Scenario,
    /// In which order.
    pub pace: Pace,
    /// Whose, by label or name; without it the only service that a load balancer leads to.
    pub service: Option<String>,
    /// What is asked for; without it what answers of the health check's path and the service's own.
    pub path: Option<String>,
    /// Requests a second.
    pub rate: u32,
    /// For so long at least; longer where the service has not recovered by then.
    pub duration: Duration,
    /// A request without its whole answer after so long is lost.
    pub time_out: Duration,
}

/// What breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// The Spot capacity of each task is taken back.
    Spot,
    /// The program of each task is killed.
    Crash,
    /// Each task runs out of memory.
    Oom,
    /// The availability zone that most tasks run in is lost, and given back when the service has recovered elsewhere.
    Az,
    /// Nothing: every task is replaced by a new deployment.
    Deploy,
}

/// In which order tasks break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pace {
    /// One after another, the next when the service has recovered.
    OneByOne,
    /// All of them at once.
    AtOnce,
}

/// Something that happened while the drill ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillEvent {
    /// Since the load began, in milliseconds.
    pub at_ms: u64,
    /// In one sentence.
    pub message: String,
}

/// Breaks a service of a running fleet under load, and tells what became of the requests.
///
/// When `interrupted` resolves, the drill is ended early, with what it has seen by then. A zone that was lost is given back in any case.
pub async fn drill(
    control: &Control,
    drill: &Drill,
    interrupted: impl Future<Output = ()>,
    tell: impl FnMut(&DrillEvent),
) -> Result<DrillReport, DrillError> {
    let observation = control.observe().await?;
    let service = target::choose(&observation, drill.service.as_deref())?;
    let plan = rounds::plan(drill.scenario, drill.pace, service)?;
    let target = Target::find(service, drill.path.as_deref(), drill.time_out).await?;
    let load = Load {
        target: target.clone(),
        rate: drill.rate,
        time_out: drill.time_out,
    };
    let (enough, stop) = oneshot::channel();
    let began = Instant::now();
    let shots = tokio::spawn(load.send(began, stop));
    let mut run = Run {
        control,
        label: service.label.clone(),
        began,
        seen: service.clone(),
        events: Vec::new(),
        recoveries: Vec::new(),
        broken: 0,
        tell,
    };
    let outcome = tokio::select! {
        outcome = run.play(drill, &plan) => outcome,
        () = interrupted => Ok(()),
    };
    let mended = run.mend(plan.mend).await;
    // A load that has ended by itself needs no order to.
    let _ = enough.send(Instant::now());
    let shots = shots.await.unwrap_or_default();
    outcome.and(mended)?;
    Ok(DrillReport::new(drill, &target, &shots, run))
}

/// A drill under way.
struct Run<'c, Tell> {
    control: &'c Control,
    label: String,
    began: Instant,
    /// The service as it was seen last.
    seen: ServiceObservation,
    events: Vec<DrillEvent>,
    /// For each round that was begun, how long it took to recover from.
    recoveries: Vec<Option<Duration>>,
    /// So many tasks were broken.
    broken: usize,
    tell: Tell,
}

impl<Tell: FnMut(&DrillEvent)> Run<'_, Tell> {
    /// Breaks what is planned, and waits until the load has lasted long enough.
    async fn play(&mut self, drill: &Drill, plan: &Plan) -> Result<(), DrillError> {
        sleep(LEAD.min(drill.duration / 5)).await;
        for round in &plan.rounds {
            if !self.play_round(round).await? {
                break;
            }
        }
        let end = self.began + drill.duration;
        while Instant::now() < end {
            sleep_until(end.min(Instant::now() + LOOK)).await;
            self.look().await?;
        }
        Ok(())
    }

    /// Breaks something and waits for the recovery. `false` where there is none.
    async fn play_round(&mut self, round: &Round) -> Result<bool, DrillError> {
        let broken_at = Instant::now();
        for act in &round.acts {
            self.act(act).await?;
        }
        self.broken += round.victims.len();
        self.recoveries.push(None);
        loop {
            self.look().await?;
            match round.recovery(&self.seen) {
                Recovery::Steady => {
                    let took = broken_at.elapsed();
                    *self.recoveries.last_mut().expect("it was pushed above") = Some(took);
                    self.note(format!("steady again after {:.1} s", took.as_secs_f64()));
                    return Ok(true);
                }
                Recovery::Failed(why) => {
                    self.note(format!("not steady again: {why}"));
                    return Ok(false);
                }
                Recovery::UnderWay if broken_at.elapsed() > PATIENCE => {
                    self.note(format!("not steady again after {} s", PATIENCE.as_secs()));
                    return Ok(false);
                }
                Recovery::UnderWay => sleep(LOOK).await,
            }
        }
    }

    async fn act(&mut self, act: &Act) -> Result<(), DrillError> {
        self.note(act.to_string());
        let done = match act {
            Act::Inject(fault) => self.control.inject(fault.clone()).await,
            Act::Restart => self.control.restart(&self.label).await.map(drop),
        };
        match done {
            // The task may have ended by itself in the meantime.
            Err(ControlError::Refused { reason, .. }) => {
                self.note(format!("that was refused: {reason}"));
                Ok(())
            }
            done => Ok(done?),
        }
    }

    /// Gives back what was taken from more than this service.
    async fn mend(&mut self, mend: Option<Fault>) -> Result<(), DrillError> {
        match mend {
            Some(fault) if !self.recoveries.is_empty() => self.act(&Act::Inject(fault)).await,
            _ => Ok(()),
        }
    }

    /// Looks at the service, and notes what it says has happened.
    async fn look(&mut self) -> Result<(), DrillError> {
        let observation: Observation = self.control.observe().await?;
        let Some(service) = observation.service(&self.label) else {
            return Err(DrillError::Gone {
                service: self.label.clone(),
            });
        };
        for message in report::news(&self.seen.events, &service.events) {
            self.note(message);
        }
        self.seen = service.clone();
        Ok(())
    }

    fn note(&mut self, message: String) {
        let at_ms = report::milliseconds(self.began.elapsed());
        let event = DrillEvent { at_ms, message };
        (self.tell)(&event);
        self.events.push(event);
    }
}

impl Scenario {
    /// `spot`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Crash => "crash",
            Self::Oom => "oom",
            Self::Az => "az",
            Self::Deploy => "deploy",
        }
    }
}
