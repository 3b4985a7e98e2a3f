//! Which request goes where: a listener's rules, in order of priority.
//!
//! The authority is [listener rules][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html

pub(crate) mod condition;
pub(crate) mod pattern;
pub(crate) mod redirect;
pub(crate) mod transform;
pub(crate) mod view;

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::random;
use crate::rule::condition::Condition;
use crate::rule::redirect::Redirect;
use crate::rule::transform::Transforms;
use crate::rule::view::RequestView;
use crate::stickiness;
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
    /// What is rewritten in a request that is forwarded.
    pub transforms: Transforms,
    /// What happens to a request that matches.
    pub action: Action,
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub enum Action {
    /// Sends it to a target.
    Forward(Forward),
    /// Sends the client elsewhere.
    Redirect(Redirect),
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

/// The groups a request may go to.
///
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#forward-actions>
#[derive(Debug, Clone)]
pub struct Forward {
    /// Each gets as many requests as its weight says. The choice does not look at health; if all weights are zero
    /// there is nowhere to go, and the answer is 503.
    pub groups: Vec<(TargetGroup, u32)>,
    /// For so long, from its latest request on, a client that keeps its cookies stays with the group it first got.
    pub stickiness: Option<Duration>,
}

/// What a listener has decided to do with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decision<'a> {
    pub(crate) action: &'a Action,
    pub(crate) transforms: Option<&'a Transforms>,
    /// Of the rule; zero for the default action.
    pub(crate) priority: u32,
    /// How many rules it took to find out; the default rule does not count.
    pub(crate) evaluated: u64,
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
    /// The rule that a request falls under; none if that is the default rule.
    pub fn rule_for(&self, request: &RequestView<'_>) -> Option<&Rule> {
        let matching = self.rules.iter().filter(|rule| rule.matches(request));
        matching.min_by_key(|rule| rule.priority)
    }

    /// The same rules, lowest priority first, so that [`Self::decide`] takes the first that matches.
    pub(crate) fn in_order(mut self) -> Self {
        self.rules.sort_by_key(|rule| rule.priority);
        self
    }

    /// What to do with a request, where the rules are in order.
    pub(crate) fn decide(&self, request: &RequestView<'_>) -> Decision<'_> {
        let found = self.rules.iter().position(|rule| rule.matches(request));
        let rule = found.map(|index| &self.rules[index]);
        Decision {
            action: rule.map_or(&self.default_action, |rule| &rule.action),
            transforms: rule.map(|rule| &rule.transforms),
            priority: rule.map_or(0, |rule| rule.priority),
            evaluated: found.map_or(self.rules.len(), |index| index + 1) as u64,
        }
    }
}

impl Rule {
    /// A rule that rewrites nothing.
    pub fn new(priority: u32, conditions: Vec<Condition>, action: Action) -> Self {
        Self {
            priority,
            conditions,
            transforms: Transforms::default(),
            action,
        }
    }

    fn matches(&self, request: &RequestView<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(request))
    }
}

impl Forward {
    /// The group a request goes to: the one its client belongs to if there is such a thing, or each as often as its
    /// weight says. None if all weights are zero.
    pub(crate) fn choose(&self, headers: &HeaderMap) -> Option<&TargetGroup> {
        let known = self.stickiness.and_then(|duration| self.group_of(headers, duration));
        known.or_else(|| self.draw())
    }

    /// A group whose weight has become zero gets nobody back (AWS is silent on that).
    fn group_of(&self, headers: &HeaderMap, duration: Duration) -> Option<&TargetGroup> {
        let now = SystemTime::now();
        let mut groups = self
            .groups
            .iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(group, _)| group);
        groups.find(|group| stickiness::is_with_group(group.name(), headers, duration, now))
    }

    fn draw(&self) -> Option<&TargetGroup> {
        if let [(only, 1..)] = &self.groups[..] {
            return Some(only);
        }
        let mut left = random::below(self.groups.iter().map(|(_, weight)| u64::from(*weight)).sum());
        let chosen = self.groups.iter().find(|(_, weight)| {
            let hit = left < u64::from(*weight);
            left = left.saturating_sub(u64::from(*weight));
            hit
        });
        chosen.map(|(group, _)| group)
    }
}

impl Action {
    /// The name by which access logs call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Forward(_) => "forward",
            Self::Redirect(_) => "redirect",
            Self::FixedResponse { .. } => "fixed-response",
        }
    }

    /// Sends every request to one group.
    pub fn forward_to(group: TargetGroup) -> Self {
        Self::forward([(group, 1)])
    }

    /// Sends requests to these groups by weight, each request anew.
    pub fn forward(groups: impl IntoIterator<Item = (TargetGroup, u32)>) -> Self {
        Self::Forward(Forward {
            groups: groups.into_iter().collect(),
            stickiness: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;
    use crate::rule::pattern::Pattern;

    fn fixed(name: &'static str) -> Action {
        Action::FixedResponse {
            status: StatusCode::OK,
            content_type: ContentType::TextPlain,
            body: Bytes::from_static(name.as_bytes()),
        }
    }

    fn path(patterns: &[&str]) -> Condition {
        Condition::PathPattern(patterns.iter().map(|text| Pattern::new(text)).collect())
    }

    fn host(patterns: &[&str]) -> Condition {
        Condition::HostHeader(patterns.iter().map(|text| Pattern::new(text)).collect())
    }

    /// Which rule a request falls under, and how many were tried.
    #[track_caller]
    fn check(request_path: &str, request_host: &str, expected: (&str, u64)) {
        let rules = Rules {
            rules: vec![
                Rule::new(300, vec![path(&["/api/*"])], fixed("late")),
                Rule::new(100, vec![path(&["/api/*"]), host(&["api.example.com"])], fixed("both")),
                Rule::new(200, vec![path(&["/docs", "/docs/*"])], fixed("either")),
            ],
            default_action: fixed("default"),
        };
        let request = Request::get(request_path)
            .header("host", request_host)
            .body(())
            .unwrap();
        let (head, ()) = request.into_parts();
        let request = RequestView::new(&head, [192, 0, 2, 7].into());
        let found = rules.rule_for(&request).map_or(0, |rule| rule.priority);
        let rules = rules.in_order();
        let decision = rules.decide(&request);
        let Action::FixedResponse { body, .. } = decision.action else {
            panic!("only fixed responses here");
        };
        assert_eq!((body.as_ref(), decision.evaluated), (expected.0.as_bytes(), expected.1));
        assert_eq!(found, decision.priority);
    }

    #[test]
    fn the_lowest_priority_that_matches_wins() {
        check("/api/x", "API.example.com", ("both", 1));
        check("/api/x", "www.example.com", ("late", 3));
    }

    #[test]
    fn values_are_alternatives_and_conditions_are_not() {
        check("/docs", "any", ("either", 2));
        check("/docs/a", "any", ("either", 2));
        check("/docs2", "api.example.com", ("default", 3));
    }

    #[test]
    fn content_types_are_read_by_name() {
        for known in ContentType::ALL {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        assert!("text/xml".parse::<ContentType>().is_err());
    }
}
