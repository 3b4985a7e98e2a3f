//! Which requests are traced, by X-Ray's sampling rules: an agent that sends its spans to X-Ray itself decides like one of AWS's own SDKs.
//!
//! Each rule has a reservoir, so many requests a second that all tasks share: X-Ray gives each task a quota of it for a while. A task
//! that has no quota takes one request a second on credit. What the reservoir leaves is traced at the rule's rate.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html>
//!
//! Nothing here waits or asks: see [`super::rules`] for that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most that X-Ray takes in one report.
const LONGEST_REPORT: usize = 25;

/// What X-Ray knows a task on ECS as.
const SERVICE_TYPE: &str = "AWS::ECS::Container";

/// What of a request rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) host: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

/// A rule, as X-Ray gives it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    rule_name: Option<String>,
    priority: i64,
    fixed_rate: f64,
    reservoir_size: u64,
    service_name: String,
    service_type: String,
    host: String,
    #[serde(rename = "HTTPMethod")]
    http_method: String,
    #[serde(rename = "URLPath")]
    url_path: String,
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

/// What X-Ray lets this task have of a rule's reservoir, and at what rate it traces beyond.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    rule_name: Option<String>,
    fixed_rate: Option<f64>,
    reservoir_quota: Option<u64>,
    /// In seconds since 1970, with a fraction.
    #[serde(rename = "ReservoirQuotaTTL")]
    reservoir_quota_ttl: Option<f64>,
}

/// Decides, and counts what it has decided.
#[derive(Debug)]
pub(super) struct Sampler {
    service: String,
    /// By priority, and by name where that is the same.
    rules: Vec<Followed>,
    /// X-Ray's own rule, for as long as it has told none.
    own: Followed,
}

/// A rule and how far it has come.
#[derive(Clone, Debug)]
struct Followed {
    rule: Rule,
    /// So many a second, until then.
    quota: Option<(u64, f64)>,
    second: i64,
    taken_this_second: u64,
    counts: Counts,
}

/// Since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    requests: u64,
    sampled: u64,
    borrowed: u64,
}

impl Sampler {
    /// One for the spans of this service, without rules.
    pub(super) fn new(service: String) -> Sampler {
        let own = Followed::new(Rule::own());
        Sampler {
            service,
            rules: Vec::new(),
            own,
        }
    }

    /// Whether a request is traced. The id of its trace is the dice: whoever throws for the same trace throws the same.
    pub(super) fn takes(&mut self, asked: Asked<'_>, trace: u128, now: Timestamp) -> bool {
        let service = &self.service;
        let found = self.rules.iter_mut().find(|it| it.rule.matches(service, asked));
        found.unwrap_or(&mut self.own).takes(trace, now)
    }

    /// Follows these rules from now on. What is known of those that stay is kept.
    pub(super) fn follow(&mut self, rules: Vec<Rule>) {
        let mut before: BTreeMap<Option<String>, Followed> = std::mem::take(&mut self.rules)
            .into_iter()
            .map(|followed| (followed.rule.rule_name.clone(), followed))
            .collect();
        let followed = |rule: Rule| match before.remove(&rule.rule_name) {
            Some(known) => Followed { rule, ..known },
            None => Followed::new(rule),
        };
        self.rules = rules.into_iter().map(followed).collect();
        self.rules
            .sort_by(|one, other| one.rule.order().cmp(&other.rule.order()));
    }

    /// What was decided since the last report, for X-Ray to share the reservoirs out by; nothing where nothing was.
    pub(super) fn report(&mut self, client: &str, now: Timestamp) -> Option<Value> {
        let active = self.rules.iter_mut().filter(|it| it.counts.requests > 0);
        let documents: Vec<Value> = active
            .take(LONGEST_REPORT)
            .map(|followed| followed.report(client, now))
            .collect();
        (!documents.is_empty()).then(|| json!({ "SamplingStatisticsDocuments": documents }))
    }

    /// Takes what X-Ray answers to a report.
    pub(super) fn aim(&mut self, targets: &[Target]) {
        for target in targets {
            let mut rules = self.rules.iter_mut();
            if let Some(followed) = rules.find(|it| it.rule.rule_name == target.rule_name) {
                followed.aim(target);
            }
        }
    }
}

impl Followed {
    fn new(rule: Rule) -> Followed {
        Followed {
            rule,
            quota: None,
            second: 0,
            taken_this_second: 0,
            counts: Counts::default(),
        }
    }

    fn takes(&mut self, trace: u128, now: Timestamp) -> bool {
        if self.second != now.as_second() {
            (self.second, self.taken_this_second) = (now.as_second(), 0);
        }
        let quota = self.quota.filter(|(_, until)| seconds(now) < *until);
        let room = quota.map_or(self.rule.reservoir_size.min(1), |(quota, _)| quota);
        let has_room = self.taken_this_second < room;
        let sampled = has_room || share(trace) < self.rule.fixed_rate;
        self.taken_this_second += u64::from(has_room);
        self.counts.requests += 1;
        self.counts.sampled += u64::from(sampled);
        self.counts.borrowed += u64::from(has_room && quota.is_none());
        sampled
    }

    fn report(&mut self, client: &str, now: Timestamp) -> Value {
        let counts = std::mem::take(&mut self.counts);
        json!({
            "RuleName": self.rule.rule_name, "ClientID": client, "Timestamp": now.as_second(),
            "RequestCount": counts.requests, "SampledCount": counts.sampled, "BorrowCount": counts.borrowed,
        })
    }

    fn aim(&mut self, target: &Target) {
        if let Some(rate) = target.fixed_rate {
            self.rule.fixed_rate = rate;
        }
        self.quota = target.reservoir_quota.zip(target.reservoir_quota_ttl).or(self.quota);
    }
}

impl Rule {
    /// One request a second, and five in a hundred of the others.
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html>
    fn own() -> Rule {
        let any = || "*".to_owned();
        Rule {
            rule_name: None,
            priority: i64::MAX,
            fixed_rate: 0.05,
            reservoir_size: 1,
            service_name: any(),
            service_type: any(),
            host: any(),
            http_method: any(),
            url_path: any(),
            resource_arn: any(),
            attributes: BTreeMap::new(),
        }
    }

    fn order(&self) -> (i64, &Option<String>) {
        (self.priority, &self.rule_name)
    }

    /// A rule that names a resource or attributes is none of ours: at this point a request has none.
    fn matches(&self, service: &str, asked: Asked<'_>) -> bool {
        wildcard(&self.service_name, service)
            && wildcard(&self.service_type, SERVICE_TYPE)
            && wildcard(&self.host, asked.host)
            && wildcard(&self.http_method, asked.method)
            && wildcard(&self.url_path, asked.path)
            && wildcard(&self.resource_arn, "")
            && self.attributes.is_empty()
    }
}

/// Where a trace stands between 0 and 1, without 1.
fn share(trace: u128) -> f64 {
    let low = u64::try_from(trace & u128::from(u64::MAX)).unwrap_or_default();
    (low >> 11) as f64 / (1_u64 << 53) as f64
}

fn seconds(now: Timestamp) -> f64 {
    now.as_millisecond() as f64 / 1000.0
}

/// Whether a text is as a pattern says: `*` is any characters, `?` is one, and capitals are as small letters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // By how much of the pattern is used up: whether the text so far can be what it says.
    let mut fits: Vec<bool> = std::iter::once(true)
        .chain(pattern.iter().scan(true, |all, &wanted| {
            *all &= wanted == '*';
            Some(*all)
        }))
        .collect();
    for &character in &text {
        let before = std::mem::replace(&mut fits, vec![false; pattern.len() + 1]);
        for (at, &wanted) in pattern.iter().enumerate() {
            fits[at + 1] = match wanted {
                '*' => fits[at] || before[at] || before[at + 1],
                '?' => before[at],
                wanted => before[at] && wanted == character,
            };
        }
    }
    fits.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASKED: Asked<'static> = Asked {
        host: "agents.example.org",
        method: "POST",
        path: "/validator/validate",
    };
    /// The dice's lowest and highest throw.
    const LOW: u128 = 1 << 64;
    const HIGH: u128 = u128::MAX;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A rule as X-Ray writes it, with some fields changed.
    fn rule(name: &str, changes: &Value) -> Rule {
        let mut rule = json!({
            "RuleName": name, "RuleARN": "arn:aws:xray:eu-west-1:123456789012:sampling-rule/x", "Priority": 1000, "FixedRate": 0.0,
            "ReservoirSize": 0, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*",
            "ResourceARN": "*", "Version": 1, "Attributes": {},
        });
        let changes = changes.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(changes);
        serde_json::from_value(rule).unwrap()
    }

    fn sampler(rules: &[Rule]) -> Sampler {
        let mut sampler = Sampler::new("karmacadabra-validator".to_owned());
        sampler.follow(rules.to_vec());
        sampler
    }

    #[test]
    fn without_rules_xrays_own_holds() {
        let mut sampler = sampler(&[]);
        assert!(sampler.takes(ASKED, HIGH, at(1)), "one a second");
        assert!(!sampler.takes(ASKED, HIGH, at(1)), "and then");
        assert!(sampler.takes(ASKED, LOW, at(1)), "five in a hundred");
        assert!(sampler.takes(ASKED, HIGH, at(2)));
        assert_eq!(sampler.report("c", at(2)), None, "X-Ray knows nothing of it");
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let check = |changes: Value, expected: bool| {
            let all = json!({ "FixedRate": 0.0, "Priority": 9999 });
            let mut changes = changes;
            changes["FixedRate"] = json!(1.0);
            let mut sampler = sampler(&[rule("all", &all), rule("a", &changes)]);
            assert_eq!(sampler.takes(ASKED, HIGH, at(1)), expected, "{changes}");
        };
        check(json!({}), true);
        check(json!({ "Priority": 9999 }), true);
        check(json!({ "ServiceName": "karmacadabra-*" }), true);
        check(json!({ "ServiceName": "karmacadabra" }), false);
        check(json!({ "ServiceType": "AWS::ECS::Container" }), true);
        check(json!({ "ServiceType": "AWS::EC2::Instance" }), false);
        check(json!({ "Host": "AGENTS.*" }), true);
        check(json!({ "HTTPMethod": "GET" }), false);
        check(json!({ "URLPath": "/validator/*" }), true);
        check(json!({ "URLPath": "/validator/?" }), false);
        check(json!({ "ResourceARN": "arn:aws:*" }), false);
        check(json!({ "Attributes": { "colour": "red" } }), false);
    }

    #[test]
    fn a_task_borrows_until_it_has_a_quota_and_again_when_it_is_over() {
        let mut sampler = sampler(&[rule("all", &json!({ "ReservoirSize": 50 }))]);
        let mut taken = |second: i64, targets: Value| {
            let targets: Vec<Target> = serde_json::from_value(targets).unwrap();
            sampler.aim(&targets);
            (0..5).filter(|_| sampler.takes(ASKED, HIGH, at(second))).count()
        };
        assert_eq!(taken(1, json!([])), 1);
        let target = json!([{ "RuleName": "all", "FixedRate": 0.0, "ReservoirQuota": 3, "ReservoirQuotaTTL": 12.5, "Interval": 10 }]);
        assert_eq!(taken(2, target), 3);
        assert_eq!(taken(12, json!([{ "RuleName": "another" }])), 3);
        assert_eq!(taken(13, json!([])), 1);
        assert_eq!(taken(14, json!([{ "RuleName": "all", "FixedRate": 1.0 }])), 5);
    }

    #[test]
    fn a_report_counts_since_the_last_one() {
        let mut sampler = sampler(&[rule("all", &json!({ "ReservoirSize": 1, "FixedRate": 0.5 }))]);
        for trace in [HIGH, HIGH, LOW] {
            sampler.takes(ASKED, trace, at(7));
        }
        let expected = json!({ "SamplingStatisticsDocuments": [{
            "RuleName": "all", "ClientID": "c", "Timestamp": 8, "RequestCount": 3, "SampledCount": 2, "BorrowCount": 1,
        }] });
        assert_eq!(sampler.report("c", at(8)), Some(expected));
        assert_eq!(sampler.report("c", at(9)), None);
    }

    #[test]
    fn what_is_known_of_a_rule_outlives_its_renewal() {
        let mut sampler = sampler(&[rule("all", &json!({ "ReservoirSize": 1 }))]);
        assert!(sampler.takes(ASKED, HIGH, at(1)));
        sampler.follow(vec![
            rule("all", &json!({ "ReservoirSize": 1 })),
            rule("new", &json!({})),
        ]);
        assert!(!sampler.takes(ASKED, HIGH, at(1)), "the second's one is gone");
        assert_eq!(
            sampler.report("c", at(2)).unwrap()["SamplingStatisticsDocuments"][0]["RequestCount"],
            2
        );
    }

    #[test]
    fn patterns() {
        let check = |pattern, text, expected| assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        check("", "", true);
        check("*", "", true);
        check("**", "x", true);
        check("?", "", false);
        check("a*b*c", "aXbYbZc", true);
        check("a*b", "aXbY", false);
        check("A?C", "aéc", true);
        check("ab", "abc", false);
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_it_was_made_of(text in "[ab?é]{0,12}", from in 0_usize..12, to in 0_usize..12) {
            let characters: Vec<char> = text.chars().collect();
            let (from, to) = (from.min(to).min(characters.len()), from.max(to).min(characters.len()));
            let starred: String = characters[..from].iter().chain(&['*']).chain(&characters[to..]).collect();
            prop_assert!(wildcard(&starred, &text));
        }

        #[test]
        fn the_dice_stay_below_one(trace: u128) {
            prop_assert!((0.0..1.0).contains(&share(trace)));
        }
    }
}
