//! [`Event`]: what happens, a JSON object on a line of standard output each, for pipelines.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use crate::doctor::Check;

/// The version of the events. A new member or a new event does not change it.
const SCHEMA: u32 = 1;

/// What the help says about them.
pub(crate) const EVENTS: &str = "\
With --json standard output has one JSON object a line, each with its `event`:
  started        schema (1), command, stack
  identity       account, arn, region
  check          name, verdict, finding, mend: what the doctor says
  step_started   step, number, of
  step_finished  step, number, of, seconds, what
  bill           monthly_usd, deployed_monthly_usd, budget_usd; null where there is none
  plan           add, change, destroy, changes: [{address, action}]
  image          repository, digest, bytes, pushed
  service        service, outcome, task_definition, running_count; or reason, stopped
  health         service, url, healthy, reason
  outputs        values, sensitive: the names of those that are not shown
  left           what: what destroy has not taken away
  failed         reason, hints, exit_code
  finished       outcome, seconds, exit_code";

/// Something that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    Started {
        schema: u32,
        command: &'a str,
        stack: String,
    },
    Identity {
        account: &'a str,
        arn: &'a str,
        region: &'a str,
    },
    Check(&'a Check),
    StepStarted {
        #[serde(flatten)]
        step: Step<'a>,
    },
    StepFinished {
        #[serde(flatten)]
        step: Step<'a>,
        seconds: f64,
        what: &'a str,
    },
    Bill {
        monthly_usd: String,
        deployed_monthly_usd: Option<String>,
        budget_usd: Option<String>,
    },
    Plan {
        add: usize,
        change: usize,
        destroy: usize,
        changes: Vec<Json>,
    },
    Image {
        repository: &'a str,
        digest: &'a str,
        bytes: u64,
        pushed: bool,
    },
    Service(Json),
    Health {
        service: &'a str,
        url: &'a str,
        healthy: bool,
        reason: Option<&'a str>,
    },
    Outputs {
        values: BTreeMap<&'a str, &'a Json>,
        sensitive: Vec<&'a str>,
    },
    Left {
        what: &'a [String],
    },
    Failed {
        reason: &'a str,
        hints: &'a [String],
        exit_code: u8,
    },
    Finished {
        outcome: &'a str,
        seconds: f64,
        exit_code: u8,
    },
}

/// Which step, and how many there are.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Step<'a> {
    #[serde(rename = "step")]
    pub(crate) name: &'a str,
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl Event<'_> {
    /// The first one.
    pub(super) fn started(command: &str, stack: String) -> Event<'_> {
        Event::Started {
            schema: SCHEMA,
            command,
            stack,
        }
    }

    /// Its line.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("an event is plain data")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(event: &Event<'_>, expected: &str) {
        assert_eq!(event.line(), expected);
    }

    #[test]
    fn an_event_is_one_object_with_its_name() {
        let step = Step {
            name: "images",
            number: 3,
            of: 9,
        };
        check(
            &Event::StepStarted { step },
            r#"{"event":"step_started","step":"images","number":3,"of":9}"#,
        );
        check(
            &Event::Service(json!({ "service": "validator", "outcome": "stable" })),
            r#"{"event":"service","service":"validator","outcome":"stable"}"#,
        );
        check(
            &Event::started("deploy", "terraform".to_owned()),
            r#"{"event":"started","schema":1,"command":"deploy","stack":"terraform"}"#,
        );
    }

    #[test]
    fn every_event_is_in_the_help() {
        let listed: Vec<&str> = EVENTS
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        let events = [
            "started",
            "identity",
            "check",
            "step_started",
            "step_finished",
            "bill",
            "plan",
            "image",
            "service",
            "health",
            "outputs",
            "left",
            "failed",
            "finished",
        ];
        assert_eq!(listed, events);
    }
}
