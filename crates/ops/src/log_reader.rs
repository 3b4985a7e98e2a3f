//! What tasks wrote, and which of it is wanted.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::orchestrator::Answer;

/// A line that a container wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// The service's label.
    pub service: String,
    /// The id of the task.
    pub task: String,
    /// The container's name.
    pub container: String,
    /// The line, without its end.
    pub message: String,
}

/// Which lines are wanted. The default is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// The labels of services; none means all.
    pub services: Vec<String>,
    /// What the id of the task begins with.
    pub task: Option<String>,
    /// The container's name.
    pub container: Option<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Whose.
    pub selection: LogSelection,
}

/// Whose lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LogSelection {
    /// Every task's.
    #[default]
    All,
    /// The task of each service that stopped last.
    LastStopped,
}

/// Reads on and on.
pub trait LogReader: fmt::Debug + Send {
    /// What was written since the last call, in the order of time; at the first call, what there is.
    fn read(&mut self) -> Answer<'_, Vec<LogLine>>;

    /// How long to wait before there may be more.
    fn look_again(&self) -> Duration {
        Duration::from_millis(100)
    }
}

impl LogQuery {
    /// Whether a line is wanted, as far as the line itself can tell.
    pub fn wants(&self, line: &LogLine) -> bool {
        let begins = |beginning: &String| line.task.starts_with(beginning.as_str());
        (self.services.is_empty() || self.services.contains(&line.service))
            && self.task.as_ref().is_none_or(begins)
            && self
                .container
                .as_ref()
                .is_none_or(|container| *container == line.container)
            && self.since.is_none_or(|since| line.at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_leaves_lines_out() {
        let line = LogLine {
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            service: "validator".to_owned(),
            task: "0123abcd".to_owned(),
            container: "app".to_owned(),
            message: "hello".to_owned(),
        };
        let check = |wanted: bool, query: LogQuery| assert_eq!(query.wants(&line), wanted, "{query:?}");
        let all = LogQuery::default;
        check(true, all());
        for (wanted, word) in [(true, "validator"), (false, "hello")] {
            let services = vec!["other".to_owned(), word.to_owned()];
            check(wanted, LogQuery { services, ..all() });
        }
        for (wanted, word) in [(true, "0123"), (false, "123")] {
            let task = Some(word.to_owned());
            check(wanted, LogQuery { task, ..all() });
        }
        for (wanted, word) in [(true, "app"), (false, "ap")] {
            let container = Some(word.to_owned());
            check(wanted, LogQuery { container, ..all() });
        }
        for (wanted, word) in [(true, "2026-01-02T03:04:05Z"), (false, "2026-01-02T03:04:06Z")] {
            let since = Some(word.parse().unwrap());
            check(wanted, LogQuery { since, ..all() });
        }
    }
}
