//! Which traces are sampled: X-Ray's rules.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use karma_fleet::SamplingRule;
use karma_ops::{TraceId, TraceSpan};

/// Decides by rules, and remembers how many requests the rules have let through in this second.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    second: i64,
    /// By the names of the rules.
    taken: BTreeMap<String, u32>,
}

/// Whether a trace is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Sampled,
    NotSampled,
}

impl Sampler {
    /// Decides on a trace by its first span. The rule is the first one that matches, lowest priority first; at last comes X-Ray's own.
    ///
    /// What the reservoir does not take is sampled at the rule's rate: the ids of traces are random, so that they are the dice. A trace that
    /// was thrown keeps its number, wherever and however often it is asked.
    pub(super) fn decide<'a>(
        &mut self,
        rules: impl IntoIterator<Item = &'a SamplingRule>,
        span: &TraceSpan,
        now: Timestamp,
    ) -> Decision {
        let default = SamplingRule::default();
        let matching = rules.into_iter().filter(|rule| matches(rule, span));
        let rule = matching
            .min_by(|one, other| (one.priority, &one.name).cmp(&(other.priority, &other.name)))
            .unwrap_or(&default);
        if self.takes(rule, now) || share(span.trace) < rule.fixed_rate {
            Decision::Sampled
        } else {
            Decision::NotSampled
        }
    }

    /// Whether a rule's reservoir has something left for this second.
    fn takes(&mut self, rule: &SamplingRule, now: Timestamp) -> bool {
        if self.second != now.as_second() {
            self.second = now.as_second();
            self.taken.clear();
        }
        let taken = self.taken.entry(rule.name.clone()).or_default();
        let has_room = *taken < rule.reservoir_size;
        *taken += u32::from(has_room);
        has_room
    }
}

/// Where a trace stands between 0 and 1, without 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits are as many as the number can have")]
fn share(trace: TraceId) -> f64 {
    (trace.low_bits() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether a rule is for a request. What a span does not tell is empty, which `*` matches.
fn matches(rule: &SamplingRule, span: &TraceSpan) -> bool {
    let told = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| span.attributes.get(*name));
        found.next().map_or("", String::as_str)
    };
    wildcard(&rule.service_name, &span.service)
        && wildcard(&rule.service_type, SERVICE_TYPE)
        && wildcard(&rule.host, told(&["server.address", "http.host"]))
        && wildcard(&rule.http_method, told(&["http.request.method", "http.method"]))
        && wildcard(&rule.url_path, told(&["url.path", "http.target", "http.route"]))
        // Nothing that runs here has an ARN.
        && wildcard(&rule.resource_arn, "")
        && rule.attributes.iter().all(|(name, pattern)| wildcard(pattern, told(&[name])))
}

/// The origin that X-Ray knows tasks by.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>
const SERVICE_TYPE: &str = "AWS::ECS::Container";

/// Whether a text is as a pattern says: `*` is any characters, `?` is one. Capitals and small letters are the same, which AWS does not
/// document; its SDKs hold them to be so.
fn wildcard(pattern: &str, text: &str) -> bool {
    let same = |one: char, other: char| one == '?' || one.to_lowercase().eq(other.to_lowercase());
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The last star, and how much of the text it stands for.
    let mut star = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&wanted) if same(wanted, text[read]) => (at, read) = (at + 1, read + 1),
            _ => {
                let Some((position, covered)) = star else { return false };
                star = Some((position, covered + 1));
                (at, read) = (position + 1, covered + 1);
            }
        }
    }
    pattern[at..].iter().all(|&character| character == '*')
}

#[cfg(test)]
mod tests {
    use karma_ops::SpanId;
    use proptest::prelude::*;

    use super::super::gate::tests::span;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A trace whose number is below every rate but zero, or above every one but one.
    fn trace(high: u64, is_low: bool) -> TraceSpan {
        let low = if is_low { 0 } else { u64::MAX };
        let id = TraceId::new(u128::from(high) << 64 | u128::from(low)).unwrap();
        TraceSpan {
            trace: id,
            parent: None,
            id: SpanId::new(1).unwrap(),
            ..span(1, 1, 0)
        }
    }

    #[test]
    fn the_reservoir_is_of_each_second_and_of_all_services() {
        let mut sampler = Sampler::default();
        let rule = SamplingRule {
            reservoir_size: 2,
            fixed_rate: 0.0,
            ..SamplingRule::default()
        };
        let mut check = |second, expected: &[bool]| {
            for (number, &expected) in (1..).zip(expected) {
                let span = TraceSpan {
                    service: format!("service {number}"),
                    ..trace(number, true)
                };
                let decision = sampler.decide([&rule], &span, at(second));
                assert_eq!(decision == Decision::Sampled, expected, "{second} {number}");
            }
        };
        check(1, &[true, true, false, false]);
        check(2, &[true, true, false]);
    }

    #[test]
    fn what_the_reservoir_leaves_is_sampled_at_the_rate() {
        let check = |fixed_rate, is_low, expected| {
            let rule = SamplingRule {
                reservoir_size: 0,
                fixed_rate,
                ..SamplingRule::default()
            };
            assert_eq!(
                Sampler::default().decide([&rule], &trace(1, is_low), at(1)),
                expected,
                "{fixed_rate}"
            );
        };
        check(0.0, true, Decision::NotSampled);
        check(0.1, true, Decision::Sampled);
        check(0.9, false, Decision::NotSampled);
        check(1.0, false, Decision::Sampled);
    }

    #[test]
    fn without_a_rule_xrays_own_holds() {
        let mut sampler = Sampler::default();
        let mut decide = |is_low| sampler.decide([], &trace(1, is_low), at(1));
        assert_eq!(decide(false), Decision::Sampled, "one a second");
        assert_eq!(decide(false), Decision::NotSampled, "and then");
        assert_eq!(decide(true), Decision::Sampled, "five in a hundred");
    }

    #[test]
    fn the_matching_rule_of_lowest_priority_counts() {
        let rule = |name: &str, priority, path: &str, fixed_rate| SamplingRule {
            name: name.to_owned(),
            priority,
            url_path: path.to_owned(),
            reservoir_size: 0,
            fixed_rate,
            ..SamplingRule::default()
        };
        let rules = [
            rule("all", 20, "*", 0.0),
            rule("health", 10, "/*/health", 1.0),
            rule("later", 30, "*", 1.0),
        ];
        let check = |path: &str, expected| {
            let mut span = trace(1, false);
            span.attributes.insert("url.path".to_owned(), path.to_owned());
            assert_eq!(Sampler::default().decide(&rules, &span, at(1)), expected, "{path}");
        };
        check("/hello/health", Decision::Sampled);
        check("/hello/chat", Decision::NotSampled);
    }

    #[test]
    fn everything_that_a_rule_names_must_match() {
        let check = |change: fn(&mut SamplingRule), expected| {
            let mut rule = SamplingRule::default();
            change(&mut rule);
            let mut span = trace(1, false);
            for (name, value) in [
                ("server.address", "example.org"),
                ("http.request.method", "GET"),
                ("color", "red"),
            ] {
                span.attributes.insert(name.to_owned(), value.to_owned());
            }
            assert_eq!(matches(&rule, &span), expected, "{rule:?}");
        };
        check(|_| {}, true);
        check(|rule| rule.service_name = "ser*".to_owned(), true);
        check(|rule| rule.service_name = "other".to_owned(), false);
        check(|rule| rule.host = "*.ORG".to_owned(), true);
        check(|rule| rule.http_method = "P??T".to_owned(), false);
        check(|rule| rule.service_type = "AWS::ECS::*".to_owned(), true);
        check(|rule| rule.service_type = "AWS::EC2::Instance".to_owned(), false);
        check(|rule| rule.resource_arn = "arn:*".to_owned(), false);
        check(
            |rule| drop(rule.attributes.insert("color".to_owned(), "r?d".to_owned())),
            true,
        );
        check(
            |rule| drop(rule.attributes.insert("size".to_owned(), "1".to_owned())),
            false,
        );
    }

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        let check = |pattern, text, expected| assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        check("", "", true);
        check("*", "", true);
        check("?", "", false);
        check("a*b*c", "aXbYbZc", true);
        check("a*b", "aXbY", false);
        check("a?c", "aéc", true);
        check("**?", "x", true);
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_it_was_made_of(text in "[ab?é]{0,12}", from in 0_usize..12, to in 0_usize..12) {
            let characters: Vec<char> = text.chars().collect();
            let (from, to) = (from.min(to).min(characters.len()), from.max(to).min(characters.len()));
            let starred: String = characters[..from].iter().chain(&['*']).chain(&characters[to..]).collect();
            prop_assert!(wildcard(&starred, &text));
        }

        /// Of random ids as many are sampled as the rate says: within six standard deviations, which no run will see.
        #[test]
        fn the_rate_is_kept(ids in proptest::collection::vec(1..u128::MAX, 2_000), rate in 0.0..1.0_f64) {
            let rule = SamplingRule { reservoir_size: 0, fixed_rate: rate, ..SamplingRule::default() };
            let mut sampler = Sampler::default();
            let sampled = ids.iter().filter(|&&id| {
                let span = TraceSpan { trace: TraceId::new(id).unwrap(), ..span(1, 1, 0) };
                sampler.decide([&rule], &span, at(1)) == Decision::Sampled
            });
            let (count, expected) = (f64::from(u32::try_from(sampled.count()).unwrap()), 2_000.0 * rate);
            prop_assert!((count - expected).abs() <= 6.0 * (expected * (1.0 - rate)).sqrt() + 1.0, "{count} of {expected}");
        }
    }
}
