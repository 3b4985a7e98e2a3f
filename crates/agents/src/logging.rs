//! Logs: one JSON object per line on the standard output, where a container's log driver picks them up.
//!
//! A line holds no text of a user and no secret: counts, names of ours, durations and trace ids only.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// How grave a line is, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed that someone should look at.
    Error,
    /// Something is odd, and was coped with.
    Warn,
    /// What happened.
    Info,
    /// What happened, in detail: health checks, for one.
    Debug,
}

impl Level {
    const ALL: [Level; 4] = [Level::Error, Level::Warn, Level::Info, Level::Debug];

    /// The level of this name, or why there is none.
    pub(crate) fn parse(text: &str) -> Result<Level, String> {
        let named = Level::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text));
        named.ok_or_else(|| format!("`{text}` is not one of {}", Level::ALL.map(Level::name).join(", ")))
    }

    fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

/// The log of one agent.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    agent: &'static str,
    level: Level,
}

impl Log {
    /// A log that writes lines of `agent` down to `level`.
    pub fn new(agent: &'static str, level: Level) -> Log {
        Log { agent, level }
    }

    /// Writes one line. `fields` is an object whose entries stand beside the standard ones.
    pub fn write(&self, level: Level, message: &str, fields: Value) {
        if level > self.level {
            return;
        }
        let line = self.line(Timestamp::now(), level, message, fields);
        // A closed standard output must not stop an agent from answering.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }

    fn line(&self, now: Timestamp, level: Level, message: &str, fields: Value) -> Value {
        let mut line = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        line.insert("timestamp".to_owned(), json!(now));
        line.insert("level".to_owned(), json!(level.name()));
        line.insert("agent".to_owned(), json!(self.agent));
        line.insert("message".to_owned(), json!(message));
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object_whatever_it_holds() {
        let log = Log::new("validator", Level::Info);
        let now = "2026-01-12T18:00:00Z".parse().unwrap();
        let line = log
            .line(
                now,
                Level::Warn,
                "two\nlines",
                json!({ "count": 3, "agent": "impostor" }),
            )
            .to_string();
        assert!(!line.contains('\n'));
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            read,
            json!({ "timestamp": "2026-01-12T18:00:00Z", "level": "warn", "agent": "validator",
                    "message": "two\nlines", "count": 3 })
        );
    }

    #[test]
    fn levels_are_read_by_name() {
        assert_eq!(Level::parse("DEBUG"), Ok(Level::Debug));
        assert!(Level::Debug > Level::Error);
    }
}
