//! Keeping to X-Ray's sampling rules: asking for them, reporting what was decided, and taking new targets.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html>

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::interval;

use super::sampling::{Asked, Rule, Sampler, Target};
use super::xray::XRay;
use crate::trace::random;

/// How often X-Ray is told what was decided.
const REPORT: Duration = Duration::from_secs(10);

/// After so many reports the rules are asked for again: every five minutes.
const REPORTS_BETWEEN_RULES: u32 = 30;

/// The decisions of one agent. Clones decide together.
#[derive(Clone, Debug)]
pub(crate) struct Sampling(Arc<Mutex<Sampler>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Rules {
    #[serde(default)]
    sampling_rule_records: Vec<Record>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    sampling_rule: Rule,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    #[serde(default)]
    sampling_target_documents: Vec<Target>,
}

impl Sampling {
    /// By X-Ray's rules for this service, for as long as anybody decides by them.
    pub(super) fn start(xray: Arc<XRay>, service: String) -> Sampling {
        let sampler = Arc::new(Mutex::new(Sampler::new(service)));
        tokio::spawn(keep_up(xray, Arc::downgrade(&sampler)));
        Sampling(sampler)
    }

    /// Whether a request is traced.
    pub(crate) fn takes(&self, asked: Asked<'_>, trace: u128, now: Timestamp) -> bool {
        lock(&self.0).takes(asked, trace, now)
    }
}

/// Where X-Ray does not answer, what it said last holds, and its own rule where it has said nothing yet: losing spans is told elsewhere.
async fn keep_up(xray: Arc<XRay>, sampler: Weak<Mutex<Sampler>>) {
    let client = format!("{:024x}", u128::from(random()));
    let mut ticks = interval(REPORT);
    for tick in (0..REPORTS_BETWEEN_RULES).cycle() {
        ticks.tick().await;
        let Some(sampler) = sampler.upgrade() else {
            return;
        };
        let report = lock(&sampler).report(&client, Timestamp::now());
        if let Some(report) = report
            && let Some(targets) = ask::<Targets>(&xray, "/SamplingTargets", &report).await
        {
            lock(&sampler).aim(&targets.sampling_target_documents);
        }
        if tick == 0
            && let Some(rules) = all_rules(&xray).await
        {
            lock(&sampler).follow(rules);
        }
    }
}

/// All of them, or none: half of the rules would be other rules.
async fn all_rules(xray: &XRay) -> Option<Vec<Rule>> {
    let (mut rules, mut question) = (Vec::new(), json!({}));
    loop {
        let page: Rules = ask(xray, "/GetSamplingRules", &question).await?;
        let records = page.sampling_rule_records.into_iter();
        rules.extend(records.map(|record| record.sampling_rule));
        match page.next_token {
            Some(token) => question = json!({ "NextToken": token }),
            None => return Some(rules),
        }
    }
}

async fn ask<T: DeserializeOwned>(xray: &XRay, path: &str, question: &Value) -> Option<T> {
    let answer = xray.post(path, question.to_string().into_bytes()).await.ok()?;
    serde_json::from_slice(&answer).ok()
}

fn lock(sampler: &Mutex<Sampler>) -> MutexGuard<'_, Sampler> {
    sampler.lock().unwrap_or_else(PoisonError::into_inner)
}
