//! [`plan`]: who breaks what, in which order; and [`Round::recovery`]: when that is over. Both are pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use karma_ops::{
    DeploymentId, DesiredStatus, RolloutState, ServiceObservation, TargetsHealth, TaskId, TaskObservation, TaskStatus,
};

use super::error::DrillError;
use super::{Pace, Scenario};
use crate::drill::Fault;

const ON_DEMAND: &str = "FARGATE";

/// What a drill does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) rounds: Vec<Round>,
    /// What is to be done in the end, whatever happened.
    pub(crate) mend: Option<Fault>,
}

/// What breaks together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) acts: Vec<Act>,
    /// The tasks that this takes away.
    pub(crate) victims: BTreeSet<TaskId>,
    /// Where it is a deployment: those that there were before.
    before: Option<BTreeSet<DeploymentId>>,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Inject(Fault),
    Restart,
}

/// How far a service has come after a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recovery {
    UnderWay,
    /// As many tasks as are wanted serve, and none of them is a victim.
    Steady,
    /// It will not come.
    Failed(String),
}

/// The tasks that serve requests.
pub(crate) fn serving(service: &ServiceObservation) -> impl Iterator<Item = &TaskObservation> {
    let serves = |task: &&TaskObservation| {
        task.last_status == TaskStatus::Running
            && task.desired_status == DesiredStatus::Running
            && matches!(task.target_health, None | Some(TargetsHealth::Healthy))
    };
    service.tasks.iter().filter(serves)
}

/// What a drill does to a service that is steady.
pub(crate) fn plan(scenario: Scenario, pace: Pace, service: &ServiceObservation) -> Result<Plan, DrillError> {
    let tasks = |fault: fn(TaskId) -> Fault| Plan {
        rounds: in_rounds(pace, serving(service), fault),
        mend: None,
    };
    let plan = match scenario {
        Scenario::Spot => Plan {
            rounds: in_rounds(pace, serving(service).filter(|task| is_on_spot(task)), |task| {
                Fault::Interrupt { task }
            }),
            mend: None,
        },
        Scenario::Crash => tasks(|task| Fault::Crash { task }),
        Scenario::Oom => tasks(|task| Fault::ExhaustMemory { task }),
        Scenario::Az => lose_zone(service)?,
        Scenario::Deploy => Plan {
            rounds: vec![deploy(service)],
            mend: None,
        },
    };
    if plan.rounds.is_empty() {
        return Err(DrillError::NothingToBreak {
            service: service.label.clone(),
            what: "no task on Spot capacity",
            hint: "give it some with a capacity provider strategy that has FARGATE_SPOT, or drill `crash`",
        });
    }
    Ok(plan)
}

/// Where the stack does not say what a service runs on, nothing speaks against Spot.
fn is_on_spot(task: &TaskObservation) -> bool {
    task.capacity_provider.as_deref() != Some(ON_DEMAND)
}

fn in_rounds<'t>(
    pace: Pace,
    tasks: impl Iterator<Item = &'t TaskObservation>,
    fault: impl Fn(TaskId) -> Fault,
) -> Vec<Round> {
    let round = |tasks: &[TaskId]| Round {
        acts: tasks.iter().cloned().map(&fault).map(Act::Inject).collect(),
        victims: tasks.iter().cloned().collect(),
        before: None,
    };
    let tasks: Vec<_> = tasks.map(|task| task.task_id.clone()).collect();
    match pace {
        Pace::OneByOne => tasks.chunks(1).map(round).collect(),
        Pace::AtOnce => tasks.chunks(tasks.len().max(1)).map(round).collect(),
    }
}

/// The zone with most of its tasks; of several the first.
fn lose_zone(service: &ServiceObservation) -> Result<Plan, DrillError> {
    let mut zones: BTreeMap<&str, BTreeSet<TaskId>> = BTreeMap::new();
    for task in serving(service) {
        if let Some(zone) = &task.availability_zone {
            zones.entry(zone).or_default().insert(task.task_id.clone());
        }
    }
    // Of equal ones `max_by_key` takes the last.
    let fullest = zones.into_iter().rev().max_by_key(|(_, tasks)| tasks.len());
    let (zone, victims) = fullest.ok_or_else(|| DrillError::NothingToBreak {
        service: service.label.clone(),
        what: "no task in an availability zone",
        hint: "its `network_configuration` names no subnet whose zone is known",
    })?;
    let zone = || zone.to_owned();
    Ok(Plan {
        rounds: vec![Round {
            acts: vec![Act::Inject(Fault::LoseZone { zone: zone() })],
            victims,
            before: None,
        }],
        mend: Some(Fault::RestoreZone { zone: zone() }),
    })
}

fn deploy(service: &ServiceObservation) -> Round {
    Round {
        acts: vec![Act::Restart],
        victims: serving(service).map(|task| task.task_id.clone()).collect(),
        before: Some(service.deployments.iter().map(|one| one.id.clone()).collect()),
    }
}

impl Round {
    /// How far the service has come since.
    pub(crate) fn recovery(&self, service: &ServiceObservation) -> Recovery {
        let others = serving(service).filter(|task| !self.victims.contains(&task.task_id));
        let all_there = others.count() >= service.desired_count;
        let Some(before) = &self.before else {
            return if all_there {
                Recovery::Steady
            } else {
                Recovery::UnderWay
            };
        };
        let mut new = service.deployments.iter().filter(|one| !before.contains(&one.id));
        match new.next_back() {
            Some(one) if one.rollout_state == RolloutState::Failed => {
                Recovery::Failed(one.rollout_state_reason.clone())
            }
            Some(one) if one.rollout_state == RolloutState::Completed && all_there => Recovery::Steady,
            _ => Recovery::UnderWay,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inject(Fault::Interrupt { task }) => {
                write!(f, "the Spot capacity of task {} is taken back", task.short())
            }
            Self::Inject(Fault::Crash { task }) => write!(f, "the program of task {} is killed", task.short()),
            Self::Inject(Fault::ExhaustMemory { task }) => write!(f, "task {} runs out of memory", task.short()),
            Self::Inject(Fault::LoseZone { zone }) => write!(f, "availability zone {zone} is lost"),
            Self::Inject(Fault::RestoreZone { zone }) => write!(f, "availability zone {zone} is back"),
            Self::Restart => f.write_str("every task is to be replaced"),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
