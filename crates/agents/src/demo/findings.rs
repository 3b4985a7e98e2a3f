//! What an answer says, in sentences: nothing that does not stand in it.

use serde_json::Value;

/// So many of a list are named.
const NAMED: usize = 3;

/// karma-hello's list of streams.
pub(super) fn streams(answer: &Value) -> Vec<String> {
    let streams = list(&answer["streams"]);
    let messages: u64 = streams.iter().filter_map(|stream| stream["messages"].as_u64()).sum();
    vec![format!(
        "{}, {}",
        count(&streams.len(), "stream"),
        count(&messages, "message")
    )]
}

/// abracadabra's list of transcripts, with the title of the last.
pub(super) fn transcripts(answer: &Value) -> Vec<String> {
    let transcripts = list(&answer["transcripts"]);
    let last = transcripts.iter().max_by_key(|one| one["stream_date"].as_str());
    let last = last.and_then(|one| Some(format!("; the last is “{}”", one["stream_title"].as_str()?)));
    let transcripts = count(&transcripts.len(), "transcript");
    vec![transcripts + &last.unwrap_or_default()]
}

/// A chat log.
pub(super) fn chat(answer: &Value) -> Vec<String> {
    let statistics = &answer["statistics"];
    let active = list(&statistics["most_active_users"]).iter().take(NAMED);
    let active: Vec<String> = active
        .filter_map(|user| Some(format!("{} ({})", user["user"].as_str()?, user["messages"])))
        .collect();
    let mut said = vec![format!(
        "{} by {}, {} of them questions",
        count(&answer["total_messages"], "message"),
        people(&answer["unique_users"]),
        statistics["question_count"],
    )];
    if !active.is_empty() {
        said.push(format!("most by {}", active.join(", ")));
    }
    said
}

/// A transcript.
pub(super) fn transcript(answer: &Value) -> Vec<String> {
    let topics = list(&answer["key_topics"]).iter().take(NAMED);
    let topics: Vec<&str> = topics.filter_map(|topic| topic["phrase"].as_str()).collect();
    let mut said = vec![format!(
        "{}, {}; about {}",
        count(&answer["metadata"]["segments"], "segment"),
        count(&answer["metadata"]["words"], "word"),
        topics.join(", "),
    )];
    said.extend(quote(&answer["summary"][0]["text"]));
    said
}

/// What a chat said of the topics of a stream: the topic that most of it was about.
pub(super) fn discussed(answer: &Value) -> Vec<String> {
    let topics = list(&answer["topics"]);
    let mut said = vec![format!(
        "{} set beside {}",
        count(&answer["messages"], "message"),
        count(&topics.len(), "topic")
    )];
    // The first of equals.
    let Some(most) = topics.iter().rev().max_by_key(|topic| topic["messages"].as_u64()) else {
        return said;
    };
    let phrases: Vec<&str> = list(&most["phrases"]).iter().filter_map(Value::as_str).collect();
    said[0] += &format!("; most, {}, on {}", most["messages"], phrases.join(", "));
    said.extend(quote(&most["quotes"][0]["message"]));
    said
}

/// A skill profile: what is surest, and what proves it.
pub(super) fn skills(answer: &Value) -> Vec<String> {
    let mut traits: Vec<&Value> = ["skills", "tools_and_platforms", "interests"]
        .iter()
        .flat_map(|kind| list(&answer[kind]))
        .collect();
    traits.sort_by(|one, other| confidence(other).total_cmp(&confidence(one)));
    let named: Vec<String> = traits
        .iter()
        .take(NAMED)
        .filter_map(|it| Some(format!("{} {}", it["name"].as_str()?, it["confidence"])))
        .collect();
    let messages = count(&answer["computed_from"]["messages"], "message");
    let mut said = vec![if named.is_empty() {
        format!("nothing that {messages} would prove")
    } else {
        format!("{}, from {messages}", named.join(", "))
    }];
    said.extend(traits.first().and_then(|it| quote(&it["evidence"][0]["message"])));
    said
}

fn confidence(found: &Value) -> f64 {
    found["confidence"].as_f64().unwrap_or_default()
}

/// A voice profile, in four figures.
pub(super) fn voice(answer: &Value) -> Vec<String> {
    let categories = &answer["analysis"]["categories"];
    let mut said = Vec::new();
    if let Some(words) = categories["sentence_structure"]["mean_words"].as_f64() {
        said.push(format!("{words:.1} words a sentence"));
    }
    let mut share = |category: &str, figure: &str, what: &str| {
        if let Some(share) = categories[category][figure].as_f64() {
            said.push(format!("{:.0}% {what}", share * 100.0));
        }
    };
    share("questions", "question_share", "questions");
    share("formality", "score", "formal");
    share("expression", "emoji_share", "with emoji");
    vec![format!(
        "{}, from {}",
        said.join(", "),
        count(&answer["computed_from"]["messages"], "message")
    )]
}

/// A verdict, with every reason against the data.
pub(super) fn verdict(answer: &Value) -> Vec<String> {
    let recommendation = answer["recommendation"].as_str().unwrap_or_default();
    let score = |name: &str| {
        answer[name]
            .as_f64()
            .map_or_else(|| "?".to_owned(), |score| score.to_string())
    };
    let mut said = vec![format!(
        "{recommendation}: {} of 1, quality {}, fraud {}",
        score("overall_score"),
        score("quality_score"),
        score("fraud_score")
    )];
    let mut reasons: Vec<&str> = list(&answer["deductions"])
        .iter()
        .filter_map(|deduction| deduction["reason"].as_str())
        .collect();
    // One flaw may touch both scores.
    reasons.dedup();
    said.extend(reasons.into_iter().map(str::to_owned));
    let signer = answer["attestation"]["signer"].as_str();
    said.extend(signer.map(|signer| format!("signed by {signer}")));
    said
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `1 message`, `2 messages`
fn count(number: &impl ToString, what: &str) -> String {
    let number = number.to_string();
    let ending = if number == "1" { "" } else { "s" };
    format!("{number} {what}{ending}")
}

fn people(number: &Value) -> String {
    count(number, "person").replace("persons", "people")
}

fn quote(text: &Value) -> Option<String> {
    text.as_str().map(|text| format!("“{text}”"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(findings: fn(&Value) -> Vec<String>, answer: &Value, expected: &[&str]) {
        assert_eq!(findings(answer), expected, "{answer}");
    }

    #[test]
    fn data_that_was_bought() {
        let streams_held = json!({ "streams": [{ "messages": 52 }, { "messages": 1 }] });
        check(streams, &streams_held, &["2 streams, 53 messages"]);
        let heard = json!({ "transcripts": [{ "stream_date": "2026-01-14", "stream_title": "Ops" }] });
        check(transcripts, &heard, &["1 transcript; the last is “Ops”"]);
        let log = json!({
            "total_messages": 2, "unique_users": 1,
            "statistics": { "question_count": 1, "most_active_users": [{ "user": "ana", "messages": 2 }] },
        });
        check(
            chat,
            &log,
            &["2 messages by 1 person, 1 of them questions", "most by ana (2)"],
        );
        let said = json!({
            "metadata": { "segments": 2, "words": 9 },
            "key_topics": [{ "phrase": "draining" }, { "phrase": "logs" }],
            "summary": [{ "text": "We drain first." }],
        });
        check(
            transcript,
            &said,
            &["2 segments, 9 words; about draining, logs", "“We drain first.”"],
        );
        let topics = json!({ "messages": 3, "topics": [
            { "messages": 2, "phrases": ["draining"], "quotes": [{ "message": "gg" }] },
            { "messages": 2, "phrases": ["logs"], "quotes": [] },
        ] });
        check(
            discussed,
            &topics,
            &["3 messages set beside 2 topics; most, 2, on draining", "“gg”"],
        );
    }

    #[test]
    fn profiles() {
        let found = json!({
            "skills": [{ "name": "Go", "confidence": 0.25, "evidence": [] }],
            "tools_and_platforms": [{ "name": "C++", "confidence": 0.4, "evidence": [{ "message": "I built it in C++" }] }],
            "computed_from": { "messages": 4 },
        });
        check(
            skills,
            &found,
            &["C++ 0.4, Go 0.25, from 4 messages", "“I built it in C++”"],
        );
        let nothing = json!({ "skills": [], "computed_from": { "messages": 1 } });
        check(skills, &nothing, &["nothing that 1 message would prove"]);
        let measured = json!({
            "analysis": { "categories": {
                "sentence_structure": { "mean_words": 9.44 },
                "questions": { "question_share": 0.31 },
                "formality": { "score": null },
            } },
            "computed_from": { "messages": 16 },
        });
        check(
            voice,
            &measured,
            &["9.4 words a sentence, 31% questions, from 16 messages"],
        );
    }

    #[test]
    fn verdicts() {
        let reason = "The log claims 52 messages and holds 26.";
        let bad = json!({
            "recommendation": "reject", "overall_score": 0.4, "quality_score": 0.6, "fraud_score": 0.8,
            "deductions": [{ "reason": reason }, { "reason": reason }],
        });
        let good = json!({
            "recommendation": "approve", "overall_score": 1.0, "quality_score": 1.0, "fraud_score": 0.0,
            "attestation": { "signer": "0xa" },
        });
        check(
            verdict,
            &good,
            &["approve: 1 of 1, quality 1, fraud 0", "signed by 0xa"],
        );
        check(verdict, &bad, &["reject: 0.4 of 1, quality 0.6, fraud 0.8", reason]);
    }

    #[test]
    fn an_answer_that_says_nothing_breaks_nothing() {
        for findings in [
            streams,
            transcripts,
            chat,
            transcript,
            discussed,
            skills,
            voice,
            verdict,
        ] {
            assert!(!findings(&Value::Null).is_empty());
        }
    }
}
