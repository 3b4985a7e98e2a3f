//! [`AlarmBoard`]: every alarm, its state and what it has done.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use karma_fleet::Address;
use karma_fleet::alarm::{AlarmAction, AlarmActions, CompositeAlarm, MetricAlarm, RuleState};
use karma_fleet::metric::MetricSource;
use karma_ops::{AlarmChange, AlarmObservation, AlarmOrigin, AlarmState, HISTORY_KEPT};

use super::reason::{UNCHECKED, reason};
use super::{Point, evaluate, evaluation_range, watched};

/// Every alarm. Names are those of CloudWatch, where there is one alarm of a name.
#[derive(Debug, Default)]
pub(crate) struct AlarmBoard {
    alarms: BTreeMap<String, Alarm>,
    composites: BTreeMap<String, Composite>,
    history: VecDeque<AlarmChange>,
}

/// An alarm that asks scaling policies, which it does each minute for as long as its state lasts.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html>
#[derive(Debug)]
pub(crate) struct Rung<'a> {
    pub(crate) alarm: &'a MetricAlarm,
    pub(crate) state: AlarmState,
    pub(crate) policy: &'a Address,
    /// Oldest first; one for each of its evaluation periods.
    pub(crate) points: &'a [Option<Point>],
}

#[derive(Debug)]
struct Alarm {
    definition: MetricAlarm,
    origin: AlarmOrigin,
    standing: Standing,
    points: Vec<Option<Point>>,
}

#[derive(Debug)]
struct Composite {
    definition: CompositeAlarm,
    standing: Standing,
}

/// What an alarm says, and since when.
#[derive(Debug, Clone)]
struct Standing {
    state: AlarmState,
    since: Timestamp,
    reason: String,
}

impl Standing {
    fn new(now: Timestamp) -> Self {
        Self {
            state: AlarmState::InsufficientData,
            since: now,
            reason: UNCHECKED.to_owned(),
        }
    }
}

impl AlarmBoard {
    /// A board that remembers this.
    pub(crate) fn new(history: VecDeque<AlarmChange>) -> Self {
        Self {
            history,
            ..Self::default()
        }
    }

    /// Takes these alarms in place of those it has. One that stays keeps its state; so does one that an earlier run has left.
    pub(crate) fn define(
        &mut self,
        alarms: impl IntoIterator<Item = (MetricAlarm, AlarmOrigin)>,
        composites: impl IntoIterator<Item = CompositeAlarm>,
        now: Timestamp,
    ) {
        let mut before: BTreeMap<String, Standing> = self.remembered();
        let mut standing = |name: &str| before.remove(name).unwrap_or_else(|| Standing::new(now));
        self.alarms = alarms
            .into_iter()
            .map(|(definition, origin)| {
                let (name, standing) = (definition.name.clone(), standing(&definition.name));
                let points = Vec::new();
                (
                    name,
                    Alarm {
                        definition,
                        origin,
                        standing,
                        points,
                    },
                )
            })
            .collect();
        self.composites = composites
            .into_iter()
            .map(|definition| {
                let (name, standing) = (definition.name.clone(), standing(&definition.name));
                (name, Composite { definition, standing })
            })
            .collect();
    }

    /// Judges every alarm by its datapoints, which `points` has for a source and a number of periods. Returns what has changed.
    pub(crate) fn judge(
        &mut self,
        points: impl Fn(&MetricSource, usize) -> Vec<Option<Point>>,
        now: Timestamp,
    ) -> Vec<AlarmChange> {
        let mut changes: Vec<AlarmChange> = self
            .alarms
            .values_mut()
            .filter_map(|alarm| alarm.judge(&points, now))
            .collect();
        // A rule may ask about other rules; so often it takes at most until all have heard.
        for _ in 0..self.composites.len() {
            changes.extend(self.judge_composites(now));
        }
        for change in &changes {
            remember(&mut self.history, change.clone());
        }
        changes
    }

    /// The alarms that ask scaling policies now, once for each policy.
    pub(crate) fn rung(&self) -> impl Iterator<Item = Rung<'_>> {
        self.alarms.values().flat_map(Alarm::rung)
    }

    /// The state of an alarm; one that is not there has no data.
    pub(crate) fn state(&self, name: &str) -> AlarmState {
        let alarm = self.alarms.get(name).map(|alarm| &alarm.standing);
        let standing = alarm.or_else(|| self.composites.get(name).map(|composite| &composite.standing));
        standing.map(|standing| standing.state).unwrap_or_default()
    }

    /// The datapoints that an alarm looked at last, oldest first: as many as it has evaluation periods.
    pub(crate) fn points(&self, name: &str) -> &[Option<Point>] {
        self.alarms.get(name).map_or(&[], Alarm::evaluated)
    }

    /// Every alarm, those of the stack first.
    pub(crate) fn observe(&self) -> Vec<AlarmObservation> {
        let mut all: Vec<_> = self.alarms.values().map(Alarm::observe).collect();
        all.extend(self.composites.values().map(Composite::observe));
        all.sort_by(|one, other| {
            let key = |alarm: &AlarmObservation| (alarm.origin != AlarmOrigin::Stack, alarm.name.clone());
            key(one).cmp(&key(other))
        });
        all
    }

    /// What has changed, oldest first.
    pub(crate) fn history(&self) -> &VecDeque<AlarmChange> {
        &self.history
    }

    /// How the alarms stood last: those that are here, and before them those that the history tells of.
    fn remembered(&self) -> BTreeMap<String, Standing> {
        let told = self.history.iter().map(|change| {
            let standing = Standing {
                state: change.to,
                since: change.at,
                reason: change.reason.clone(),
            };
            (change.alarm.clone(), standing)
        });
        let alarms = self
            .alarms
            .iter()
            .map(|(name, alarm)| (name.clone(), alarm.standing.clone()));
        let composites = self.composites.iter();
        let composites = composites.map(|(name, composite)| (name.clone(), composite.standing.clone()));
        told.chain(alarms).chain(composites).collect()
    }

    fn judge_composites(&mut self, now: Timestamp) -> Vec<AlarmChange> {
        let states: BTreeMap<String, AlarmState> = self
            .alarms
            .keys()
            .chain(self.composites.keys())
            .map(|name| (name.clone(), self.state(name)))
            .collect();
        let composites = self.composites.values_mut();
        composites
            .filter_map(|composite| composite.judge(&states, now))
            .collect()
    }
}

impl Alarm {
    fn judge(
        &mut self,
        points: &impl Fn(&MetricSource, usize) -> Vec<Option<Point>>,
        now: Timestamp,
    ) -> Option<AlarmChange> {
        let alarm = &self.definition;
        self.points = points(&alarm.source, evaluation_range(alarm));
        let evaluation = evaluate(alarm, &self.points, self.standing.state);
        let reason = reason(alarm, &evaluation, self.standing.state);
        self.standing
            .turn(&alarm.name, &alarm.actions, evaluation.state, reason, now)
    }

    fn evaluated(&self) -> &[Option<Point>] {
        let skipped = self.points.len().saturating_sub(self.definition.evaluation_periods);
        &self.points[skipped..]
    }

    fn rung(&self) -> impl Iterator<Item = Rung<'_>> {
        let state = self.standing.state;
        let policies = actions_of(&self.definition.actions, state)
            .iter()
            .filter_map(|action| match action {
                AlarmAction::ScalingPolicy(policy) => Some(policy),
                AlarmAction::Other(_) => None,
            });
        policies.map(move |policy| Rung {
            alarm: &self.definition,
            state,
            policy,
            points: self.evaluated(),
        })
    }

    fn observe(&self) -> AlarmObservation {
        let definition = &self.definition;
        let watches = watched(&definition.source);
        self.standing
            .observe(&definition.name, definition.description.as_ref(), watches, self.origin)
    }
}

impl Composite {
    fn judge(&mut self, states: &BTreeMap<String, AlarmState>, now: Timestamp) -> Option<AlarmChange> {
        let definition = &self.definition;
        let is_in = |name: &str, asked: RuleState| {
            let state = states.get(name).copied().unwrap_or_default();
            asked == as_rule_state(state)
        };
        let state = if definition.rule.holds(&is_in) {
            AlarmState::Alarm
        } else {
            AlarmState::Ok
        };
        let told = |name: &&str| format!("{name} is in {}", states.get(*name).copied().unwrap_or_default());
        let reason: Vec<String> = definition.rule.alarms().iter().map(told).collect();
        let reason = format!("Rule {}: {}.", definition.rule, reason.join(", "));
        self.standing
            .turn(&definition.name, &definition.actions, state, reason, now)
    }

    fn observe(&self) -> AlarmObservation {
        let definition = &self.definition;
        let (description, watches) = (definition.description.as_ref(), definition.rule.to_string());
        self.standing
            .observe(&definition.name, description, watches, AlarmOrigin::Stack)
    }
}

impl Standing {
    /// Goes over to a state. `None` where it is in it already.
    fn turn(
        &mut self,
        name: &str,
        actions: &AlarmActions,
        state: AlarmState,
        reason: String,
        now: Timestamp,
    ) -> Option<AlarmChange> {
        if state == self.state {
            return None;
        }
        let before = std::mem::replace(&mut self.state, state);
        (self.since, self.reason) = (now, reason.clone());
        Some(AlarmChange {
            at: now,
            alarm: name.to_owned(),
            from: before,
            to: state,
            reason,
            actions: told_actions(actions, state),
        })
    }

    fn observe(
        &self,
        name: &str,
        description: Option<&String>,
        watches: String,
        origin: AlarmOrigin,
    ) -> AlarmObservation {
        AlarmObservation {
            name: name.to_owned(),
            description: description.cloned(),
            state: self.state,
            since: self.since,
            reason: self.reason.clone(),
            watches,
            origin,
        }
    }
}

/// Adds an entry; the oldest goes where there are too many.
pub(crate) fn remember<T>(kept: &mut VecDeque<T>, entry: T) {
    kept.push_back(entry);
    while kept.len() > HISTORY_KEPT {
        kept.pop_front();
    }
}

fn actions_of(actions: &AlarmActions, state: AlarmState) -> &[AlarmAction] {
    match state {
        AlarmState::Alarm => &actions.alarm,
        AlarmState::Ok => &actions.ok,
        AlarmState::InsufficientData => &actions.insufficient_data,
    }
}

fn told_actions(actions: &AlarmActions, state: AlarmState) -> Vec<String> {
    let tell = |action: &AlarmAction| match action {
        AlarmAction::ScalingPolicy(policy) => format!("{policy} is asked each minute"),
        AlarmAction::Other(other) => format!("{other} would be told: nothing is sent from this machine"),
    };
    actions_of(actions, state).iter().map(tell).collect()
}

fn as_rule_state(state: AlarmState) -> RuleState {
    match state {
        AlarmState::Ok => RuleState::Ok,
        AlarmState::Alarm => RuleState::Alarm,
        AlarmState::InsufficientData => RuleState::InsufficientData,
    }
}

#[cfg(test)]
mod tests {
    use karma_fleet::alarm::TreatMissingData;

    use super::*;
    use crate::alarms::evaluate::tests::{alarm, range};

    fn composite(name: &str, rule: &str) -> CompositeAlarm {
        let alarm = alarm(1, 1, TreatMissingData::Missing);
        CompositeAlarm {
            name: name.to_owned(),
            description: None,
            rule: rule.parse().unwrap(),
            actions: AlarmActions::default(),
            declared_at: alarm.declared_at,
        }
    }

    fn policy() -> Address {
        Address {
            module: Vec::new(),
            mode: karma_fleet::Mode::Managed,
            kind: "aws_appautoscaling_policy".to_owned(),
            name: "out".to_owned(),
            key: None,
        }
    }

    fn now() -> Timestamp {
        "2026-11-23T15:05:00Z".parse().unwrap()
    }

    fn board(history: VecDeque<AlarmChange>) -> AlarmBoard {
        let mut board = AlarmBoard::new(history);
        let errors = MetricAlarm {
            actions: AlarmActions {
                alarm: vec![
                    AlarmAction::Other("aws_sns_topic.alarms.arn".to_owned()),
                    AlarmAction::ScalingPolicy(policy()),
                ],
                ..AlarmActions::default()
            },
            ..alarm(1, 3, TreatMissingData::Missing)
        };
        // The first by name asks about the second.
        let composites = [
            composite("a", "ALARM(b)"),
            composite("b", "ALARM(errors) AND NOT OK(unknown)"),
        ];
        board.define([(errors, AlarmOrigin::Stack)], composites, now());
        board
    }

    fn turns(changes: &[AlarmChange]) -> Vec<String> {
        let turn = |change: &AlarmChange| format!("{} {} -> {}", change.alarm, change.from, change.to);
        changes.iter().map(turn).collect()
    }

    #[test]
    fn alarms_ring_and_those_that_watch_them_follow() {
        let mut board = board(VecDeque::new());
        assert!(board.observe().iter().all(|alarm| alarm.reason == UNCHECKED));
        let changes = board.judge(|_, count| range("0 0 0 0 X").split_off(5 - count), now());
        let expected = [
            "errors INSUFFICIENT_DATA -> ALARM",
            "a INSUFFICIENT_DATA -> OK",
            "b INSUFFICIENT_DATA -> ALARM",
            "a OK -> ALARM",
        ];
        assert_eq!(turns(&changes), expected);
        let expected = [
            "aws_sns_topic.alarms.arn would be told: nothing is sent from this machine",
            "aws_appautoscaling_policy.out is asked each minute",
        ];
        assert_eq!(changes[0].actions, expected);
        assert_eq!(board.points("errors").len(), 3);
        let asked: Vec<_> = board
            .rung()
            .map(|rung| (rung.state, rung.points.len(), rung.policy.clone()))
            .collect();
        assert_eq!(asked, [(AlarmState::Alarm, 3, policy())]);
        assert!(board.judge(|_, _| range("0 0 0 0 X"), now()).is_empty());
    }

    #[test]
    fn an_alarm_that_stays_keeps_its_state_also_over_runs() {
        let mut first = board(VecDeque::new());
        first.judge(|_, _| range("0 0 0 0 X"), now());
        let second = board(first.history().clone());
        assert_eq!(second.observe(), first.observe());
    }

    #[test]
    fn the_history_ends_somewhere() {
        let mut board = board(VecDeque::new());
        for _ in 0..HISTORY_KEPT {
            board.judge(|_, _| range("0 0 0 0 X"), now());
            board.judge(|_, _| range("0 0 0 0 0"), now());
        }
        assert_eq!(board.history().len(), HISTORY_KEPT);
    }
}
