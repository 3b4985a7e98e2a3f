//! Which request goes where: a listener's rules, in order of priority.
//!
//! The authority is [listener rules][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-rules

use std::str::FromStr;

use bytes::Bytes;
use http::StatusCode;

use crate::pattern::Pattern;
use crate::target_group::TargetGroup;

/// All rules of a listener, replaced as a whole.
#[derive(Debug, Clone)]
pub struct Rules {
    /// In any order: the priorities decide.
    pub rules: Vec<Rule>,
    /// What happens to a request that no rule matches.
    pub default_action: Action,
}

/// One rule: an action for the requests that meet all its conditions.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The lowest number is tried first; unique within a listener.
    pub priority: u32,
    /// All must hold; none at all matches every request.
    pub conditions: Vec<Condition>,
    /// What happens to a request that matches.
    pub action: Action,
}

/// A test of a request; it holds when one of its patterns fits.
#[derive(Debug, Clone)]
pub enum Condition {
    /// The path without the query, as the client wrote it: nothing is decoded or normalised first (AWS is silent on
    /// that). Letter case counts.
    PathPattern(Vec<Pattern>),
    /// The `Host` header without its port (AWS is silent on the port). Letter case does not count.
    HostHeader(Vec<Pattern>),
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sends it to a target of one of the groups, chosen in proportion to the weights. The choice does not look at
    /// health; if all weights are zero there is nowhere to go, and the answer is 503.
    Forward(Vec<(TargetGroup, u32)>),
    /// Answers it without asking any target.
    FixedResponse {
        /// Status of the answer.
        status: StatusCode,
        /// Media type of the answer.
        content_type: ContentType,
        /// Text of the answer; may be empty.
        body: Bytes,
    },
}

/// The media types a fixed response may have.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_FixedResponseActionConfig.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `text/plain`
    TextPlain,
    /// `text/css`
    TextCss,
    /// `text/html`
    TextHtml,
    /// `application/javascript`
    ApplicationJavascript,
    /// `application/json`
    ApplicationJson,
}

/// A media type that a fixed response cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fixed response cannot be of type `{0}`")]
pub struct UnknownContentType(String);

impl ContentType {
    const ALL: [Self; 5] = [
        Self::TextPlain,
        Self::TextCss,
        Self::TextHtml,
        Self::ApplicationJavascript,
        Self::ApplicationJson,
    ];

    /// The value of the `Content-Type` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TextPlain => "text/plain",
            Self::TextCss => "text/css",
            Self::TextHtml => "text/html",
            Self::ApplicationJavascript => "application/javascript",
            Self::ApplicationJson => "application/json",
        }
    }
}

impl FromStr for ContentType {
    type Err = UnknownContentType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == text);
        known.ok_or_else(|| UnknownContentType(text.to_owned()))
    }
}

impl Rules {
    /// The same rules, lowest priority first, so that [`Self::action_for`] takes the first that matches.
    pub(crate) fn in_order(mut self) -> Self {
        self.rules.sort_by_key(|rule| rule.priority);
        self
    }

    /// What to do with a request for `path` at `host`, and how many rules it took to find out; `host` comes without
    /// its port.
    pub(crate) fn action_for(&self, path: &str, host: &str) -> (&Action, u64) {
        let holds = |rule: &Rule| rule.conditions.iter().all(|condition| condition.holds(path, host));
        match self.rules.iter().position(holds) {
            Some(found) => (&self.rules[found].action, found as u64 + 1),
            None => (&self.default_action, self.rules.len() as u64),
        }
    }
}

impl Condition {
    fn holds(&self, path: &str, host: &str) -> bool {
        match self {
            Self::PathPattern(patterns) => patterns.iter().any(|pattern| pattern.matches(path)),
            Self::HostHeader(patterns) => patterns.iter().any(|pattern| pattern.matches_ignoring_case(host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(name: &'static str) -> Action {
        Action::FixedResponse {
            status: StatusCode::OK,
            content_type: ContentType::TextPlain,
            body: Bytes::from_static(name.as_bytes()),
        }
    }

    fn rule(priority: u32, name: &'static str, conditions: Vec<Condition>) -> Rule {
        Rule {
            priority,
            conditions,
            action: fixed(name),
        }
    }

    fn path(patterns: &[&str]) -> Condition {
        Condition::PathPattern(patterns.iter().map(|text| Pattern::new(text)).collect())
    }

    fn host(patterns: &[&str]) -> Condition {
        Condition::HostHeader(patterns.iter().map(|text| Pattern::new(text)).collect())
    }

    #[track_caller]
    fn check(request_path: &str, request_host: &str, expected: &str) {
        let rules = Rules {
            rules: vec![
                rule(300, "late", vec![path(&["/api/*"])]),
                rule(100, "both", vec![path(&["/api/*"]), host(&["api.example.com"])]),
                rule(200, "either", vec![path(&["/docs", "/docs/*"])]),
            ],
            default_action: fixed("default"),
        };
        let rules = rules.in_order();
        let (Action::FixedResponse { body, .. }, _) = rules.action_for(request_path, request_host) else {
            panic!("only fixed responses here");
        };
        assert_eq!(body, expected);
    }

    #[test]
    fn the_lowest_priority_that_matches_wins() {
        check("/api/x", "API.example.com", "both");
        check("/api/x", "www.example.com", "late");
    }

    #[test]
    fn values_are_alternatives_and_conditions_are_not() {
        check("/docs", "any", "either");
        check("/docs/a", "any", "either");
        check("/docs2", "api.example.com", "default");
    }

    #[test]
    fn content_types_are_read_by_name() {
        for known in ContentType::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        assert!("text/xml".parse::<ContentType>().is_err());
    }
}
