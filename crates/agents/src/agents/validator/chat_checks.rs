//! What can be wrong with a chat log.

use std::collections::{BTreeMap, BTreeSet};

use super::chat_data::{ChatData, Whole};
use super::chat_patterns::{machines, repetition};
use super::score::{Deduction, Dimension};
use crate::text::{count_emoji, count_links, fold, is_question, words};

/// A silence is a gap from so many seconds on, and when it is so many times the median one.
const GAP_SECONDS: f64 = 900.0;
const GAP_TIMES_MEDIAN: f64 = 20.0;
/// Nobody types so many messages within so many seconds.
const BURST_MESSAGES: usize = 6;
const BURST_SECONDS: f64 = 5.0;
/// From so many messages on their rhythm says something.
pub(super) const ENOUGH: usize = 20;
/// People are never more regular than this: the standard deviation of their pauses, divided by the mean.
pub(super) const MOST_REGULAR: f64 = 0.1;
/// The same words of so many users are a template; short ones ("gg") are not counted.
const TEMPLATE_USERS: usize = 3;
const TEMPLATE_WORDS: usize = 4;

type Check = fn(&ChatData) -> Vec<Deduction>;

const CHECKS: [Check; 14] = [
    empty,
    message_claim,
    user_claim,
    statistics_claims,
    unreadable,
    disorder,
    duplicates,
    wrong_day,
    gaps,
    bursts,
    clockwork,
    machines,
    templates,
    repetition,
];

/// Everything wrong with the log, in the order of the checks.
pub(super) fn deductions(data: &ChatData) -> Vec<Deduction> {
    CHECKS.iter().flat_map(|check| check(data)).collect()
}

fn empty(data: &ChatData) -> Vec<Deduction> {
    if !data.messages.is_empty() {
        return Vec::new();
    }
    vec![quality("empty", 1.0, "There is no message.".to_owned(), [])]
}

fn message_claim(data: &ChatData) -> Vec<Deduction> {
    claim(
        "declared_messages",
        "messages",
        data.claims.messages,
        data.messages.len(),
        0.4,
        0.8,
    )
}

fn user_claim(data: &ChatData) -> Vec<Deduction> {
    claim(
        "declared_users",
        "users",
        data.claims.users,
        data.users().len(),
        0.2,
        0.2,
    )
}

/// Any wrong claim makes the data worse; only claiming too much is suspicious.
pub(super) fn claim(
    code: &'static str,
    what: &str,
    claimed: Option<u64>,
    counted: usize,
    worst_quality: f64,
    worst_fraud: f64,
) -> Vec<Deduction> {
    let Some(claimed) = claimed.filter(|&claimed| claimed != counted as u64) else {
        return Vec::new();
    };
    let (claimed, counted) = (claimed as f64, counted as f64);
    let wrong = (claimed - counted).abs() / claimed.max(counted);
    let reason = format!("It claims {claimed} {what} and holds {counted}.");
    let evidence = || [format!("claimed {claimed}, counted {counted}")];
    let mut found = vec![quality(code, worst_quality * wrong, reason.clone(), evidence())];
    if claimed > counted {
        found.push(fraud(code, worst_fraud * wrong, reason, evidence()));
    }
    found
}

fn statistics_claims(data: &ChatData) -> Vec<Deduction> {
    let texts = || data.messages.iter().filter_map(|message| message.text);
    let counts = [
        ("emoji_count", data.claims.emoji, texts().map(count_emoji).sum()),
        ("link_count", data.claims.links, texts().map(count_links).sum()),
        (
            "question_count",
            data.claims.questions,
            texts().filter(|text| is_question(text)).count(),
        ),
    ];
    let wrong: Vec<String> = counts
        .into_iter()
        .filter_map(|(name, claimed, counted)| claimed.map(|claimed| (name, claimed, counted)))
        .filter(|&(_, claimed, counted)| claimed != counted as u64)
        .map(|(name, claimed, counted)| format!("statistics.{name}: claimed {claimed}, counted {counted}"))
        .collect();
    let reason = format!("{} of its statistics are not those of its messages.", wrong.len());
    found(wrong, |wrong| {
        quality("declared_statistics", 0.05 * wrong.len() as f64, reason, wrong)
    })
}

fn unreadable(data: &ChatData) -> Vec<Deduction> {
    let lacks = |name, is_lacking: bool| is_lacking.then_some(name);
    let broken: Vec<String> = data
        .messages
        .iter()
        .filter_map(|message| {
            let lacking = [
                lacks("timestamp", message.timestamp.is_none()),
                lacks("user", message.user.is_none()),
                lacks("message", message.text.is_none()),
            ];
            let lacking: Vec<&str> = lacking.into_iter().flatten().collect();
            (!lacking.is_empty()).then(|| format!("messages[{}] lacks {}", message.index, lacking.join(", ")))
        })
        .collect();
    let reason = format!(
        "{} of {} messages cannot be read whole.",
        broken.len(),
        data.messages.len()
    );
    let points = share(broken.len(), data.messages.len()).min(0.5);
    found(broken, |broken| quality("unreadable", points, reason, broken))
}

fn disorder(data: &ChatData) -> Vec<Deduction> {
    let messages: Vec<Whole> = data.whole().collect();
    let backwards: Vec<String> = messages
        .windows(2)
        .filter(|pair| pair[1].timestamp < pair[0].timestamp)
        .map(|pair| pair[1].cite())
        .collect();
    let reason = format!("{} messages stand after later ones.", backwards.len());
    let points = (share(backwards.len(), messages.len()) / 2.0).clamp(0.02, 0.2);
    found(backwards, |backwards| quality("disorder", points, reason, backwards))
}

fn duplicates(data: &ChatData) -> Vec<Deduction> {
    let mut seen = BTreeSet::new();
    let again: Vec<String> = data
        .whole()
        .filter(|message| !seen.insert((message.timestamp, message.user, message.text)))
        .map(|message| message.cite())
        .collect();
    let part = share(again.len(), data.messages.len());
    let reason = format!("{} messages stand there twice.", again.len());
    let suspicious = found(again.clone(), |again| {
        fraud("duplicates", (part / 2.0).min(0.3), reason.clone(), again)
    });
    found(again, |again| quality("duplicates", part.min(0.4), reason, again))
        .into_iter()
        .chain(suspicious)
        .collect()
}

fn wrong_day(data: &ChatData) -> Vec<Deduction> {
    let Some(day) = data.stream_date else { return Vec::new() };
    // A stream may begin late and end the next day; and the log's clock may be of any zone.
    let hours = |message: &Whole| {
        let noon = day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(message.timestamp.duration_since(noon.timestamp()).as_hours().abs())
    };
    let outside: Vec<String> = data
        .whole()
        .filter(|message| hours(message).is_some_and(|hours| hours > 36))
        .map(|message| message.cite())
        .collect();
    let reason = format!(
        "{} messages are of another day than the stream's, {day}.",
        outside.len()
    );
    let points = (share(outside.len(), data.messages.len()) / 2.0).max(0.02);
    found(outside, |outside| quality("wrong_day", points, reason, outside))
}

fn gaps(data: &ChatData) -> Vec<Deduction> {
    let messages = data.in_order();
    let mut seconds = pauses(&messages);
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(0.0);
    let is_gap = |pause: f64| pause > GAP_SECONDS && pause > GAP_TIMES_MEDIAN * median;
    let holes: Vec<String> = messages
        .windows(2)
        .filter(|pair| is_gap(pause(pair)))
        .map(|pair| format!("{:.0} seconds before {}", pause(pair), pair[1].cite()))
        .collect();
    let reason = format!(
        "{} silences are much longer than the usual {median:.0} seconds.",
        holes.len()
    );
    let points = (0.03 * holes.len() as f64).min(0.15);
    found(holes, |holes| quality("gaps", points, reason, holes))
}

/// One user types faster than a person can.
fn bursts(data: &ChatData) -> Vec<Deduction> {
    let mut by_user: BTreeMap<&str, Vec<Whole>> = BTreeMap::new();
    for message in data.in_order() {
        by_user.entry(message.user).or_default().push(message);
    }
    let is_burst = |run: &&[Whole]| {
        run[BURST_MESSAGES - 1]
            .timestamp
            .duration_since(run[0].timestamp)
            .as_secs_f64()
            <= BURST_SECONDS
    };
    let first_of_user =
        |messages: &Vec<Whole>| messages.windows(BURST_MESSAGES).find(is_burst).map(|run| run[0].cite());
    let users: Vec<String> = by_user.values().filter_map(first_of_user).collect();
    let reason = format!(
        "{} users write {BURST_MESSAGES} messages within {BURST_SECONDS} seconds or less.",
        users.len()
    );
    let points = (0.1 * users.len() as f64).min(0.3);
    found(users, |users| fraud("bursts", points, reason, users))
}

/// The pauses are all alike, as a machine makes them.
fn clockwork(data: &ChatData) -> Vec<Deduction> {
    let messages = data.in_order();
    let seconds = pauses(&messages);
    let Some(varies) = regularity(&seconds).filter(|&varies| messages.len() >= ENOUGH && varies < MOST_REGULAR) else {
        return Vec::new();
    };
    let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
    let reason = format!("The messages come every {mean:.1} seconds like clockwork.");
    let evidence = [format!("the pauses vary by {:.1} % only", varies * 100.0)];
    vec![fraud("clockwork", 0.4, reason, evidence)]
}

/// Several users write the same sentence.
fn templates(data: &ChatData) -> Vec<Deduction> {
    let mut by_text: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for message in data
        .whole()
        .filter(|message| words(message.text).len() >= TEMPLATE_WORDS)
    {
        by_text.entry(fold(message.text)).or_default().insert(message.user);
    }
    let reused: Vec<String> = by_text
        .into_iter()
        .filter(|(_, users)| users.len() >= TEMPLATE_USERS)
        .map(|(text, users)| format!("{} users: {text}", users.len()))
        .collect();
    let reason = format!(
        "{} sentences are written word for word by {TEMPLATE_USERS} users or more.",
        reused.len()
    );
    let points = (0.15 * reused.len() as f64).min(0.5);
    found(reused, |reused| fraud("templates", points, reason, reused))
}

/// By how much of their mean the pauses vary; none where there is no pause.
pub(super) fn regularity(pauses: &[f64]) -> Option<f64> {
    let count = pauses.len() as f64;
    let mean = pauses.iter().sum::<f64>() / count;
    let variance = pauses.iter().map(|pause| (pause - mean).powi(2)).sum::<f64>() / count;
    (mean > 0.0).then(|| variance.sqrt() / mean)
}

pub(super) fn pauses(messages: &[Whole]) -> Vec<f64> {
    messages.windows(2).map(pause).collect()
}

fn pause(pair: &[Whole]) -> f64 {
    pair[1].timestamp.duration_since(pair[0].timestamp).as_secs_f64()
}

pub(super) fn quality(
    code: &'static str,
    points: f64,
    reason: String,
    evidence: impl IntoIterator<Item = String>,
) -> Deduction {
    Deduction::new(Dimension::Quality, code, points, reason, evidence)
}

pub(super) fn fraud(
    code: &'static str,
    points: f64,
    reason: String,
    evidence: impl IntoIterator<Item = String>,
) -> Deduction {
    Deduction::new(Dimension::Fraud, code, points, reason, evidence)
}

/// The deduction for some evidence; none for none.
pub(super) fn found(evidence: Vec<String>, deduction: impl FnOnce(Vec<String>) -> Deduction) -> Vec<Deduction> {
    if evidence.is_empty() {
        Vec::new()
    } else {
        vec![deduction(evidence)]
    }
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
