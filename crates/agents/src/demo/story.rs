//! The story: a stream's data is sold, people are profiled, and what was sold is checked.

use std::io;

use serde_json::{Value, json};

use super::DemoError;
use super::event::{Event, Holding};
use super::findings;
use super::reception::Present;
use super::visitor::{Answer, Question, Visitor};
use crate::chain::{Address, Amount};

const TITLE: &str = "Five agents at work: a stream's data is sold, people are profiled, and what was sold is checked.";

/// So many people are profiled.
const PEOPLE: usize = 3;

/// What the visitor is called where accounts are named.
const VISITOR: &str = "you";

/// A stream of which there is both, chat and transcript.
struct Stream {
    id: String,
    streamer: String,
}

/// What was bought of it.
struct Bought {
    streamer: String,
    chat: Answer,
    transcript: Answer,
}

/// Tells it from its beginning to its end.
pub(super) async fn tell<T>(visitor: &mut Visitor<'_, T>, agents: &[Present]) -> Result<(), DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    let accounts = accounts(visitor.account(), agents);
    let mut before = Vec::new();
    for (_, account) in &accounts {
        before.push(visitor.balance(*account).await?);
    }
    visitor.tell(&Event::Begin {
        title: TITLE.to_owned(),
        account: visitor.account().map(|account| account.to_string()),
        currency: visitor.currency(),
    })?;
    if let (Some((_, account)), Some(Amount(0))) = (accounts.first(), before.first()) {
        return Err(no_money(*account));
    }
    let bought = trade(visitor).await?;
    profile(visitor, &bought).await?;
    check(visitor, &bought).await?;
    for ((name, account), before) in accounts.into_iter().zip(before) {
        let after = visitor.balance(account).await?;
        visitor.tell(&Event::Account(Holding {
            name: name.to_owned(),
            account,
            before,
            after,
        }))?;
    }
    Ok(())
}

/// The visitor's first, where it has one; then the agents'.
fn accounts(visitor: Option<Address>, agents: &[Present]) -> Vec<(&'static str, Address)> {
    let own = visitor.map(|account| (VISITOR, account));
    let theirs = agents.iter().filter_map(|agent| Some((agent.name, agent.account?)));
    own.into_iter().chain(theirs).collect()
}

fn no_money(account: Address) -> DemoError {
    DemoError::refused(
        format!("the account {account}, which would pay, holds nothing"),
        "`karma down` and `karma up --chain` make accounts anew, each with tokens",
    )
}

async fn trade<T>(visitor: &mut Visitor<'_, T>) -> Result<Bought, DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    chapter(visitor, "A stream's data is sold", None)?;
    let stream = choose(visitor).await?;
    let of_stream = json!({ "stream_id": stream.id });
    let chat = Question {
        agent: "karma-hello",
        skill: "get_chat_logs",
        what: "the chat of that stream".to_owned(),
        input: of_stream.clone(),
        findings: findings::chat,
    };
    let chat = visitor.ask(chat).await?;
    let transcript = Question {
        agent: "abracadabra",
        skill: "get_transcription",
        what: "what was said in it".to_owned(),
        input: of_stream.clone(),
        findings: findings::transcript,
    };
    let transcript = visitor.ask(transcript).await?;
    let discussed = Question {
        agent: "abracadabra",
        skill: "get_stream_chat",
        what: "what the chat said about it".to_owned(),
        input: of_stream,
        findings: findings::discussed,
    };
    visitor.ask(discussed).await?;
    Ok(Bought {
        streamer: stream.streamer,
        chat,
        transcript,
    })
}

/// The last stream that both have.
async fn choose<T>(visitor: &mut Visitor<'_, T>) -> Result<Stream, DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    let list = |agent, skill, what: &str, findings| Question {
        agent,
        skill,
        what: what.to_owned(),
        input: Value::Null,
        findings,
    };
    let chats = list(
        "karma-hello",
        "list_streams",
        "which streams there are",
        findings::streams,
    );
    let chats = visitor.ask(chats).await?.body;
    let transcripts = list(
        "abracadabra",
        "list_transcripts",
        "which of them it has heard",
        findings::transcripts,
    );
    let transcripts = visitor.ask(transcripts).await?.body;
    common_stream(&chats, &transcripts).ok_or_else(|| {
        DemoError::refused(
            "karma-hello and abracadabra have no stream in common",
            "POST a chat log to /karma-hello/chat_logs and its transcript to /abracadabra/transcripts",
        )
    })
}

fn common_stream(chats: &Value, transcripts: &Value) -> Option<Stream> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let chats = list(chats, "streams");
    let is_common = |stream: &&Value| chats.iter().any(|chat| chat["stream_id"] == stream["stream_id"]);
    let heard = list(transcripts, "transcripts");
    let newest = heard
        .iter()
        .filter(is_common)
        .max_by_key(|stream| stream["stream_date"].as_str())?;
    let text = |name: &str| newest[name].as_str().map(str::to_owned);
    Some(Stream {
        id: text("stream_id")?,
        streamer: text("streamer")?,
    })
}

async fn profile<T>(visitor: &mut Visitor<'_, T>, bought: &Bought) -> Result<(), DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    let people = people(&bought.chat.body, &bought.streamer);
    let about = "Each extractor buys what they wrote from karma-hello.";
    chapter(visitor, "Those who wrote most in it are profiled", Some(about))?;
    for person in people {
        let skills = Question {
            agent: "skill-extractor",
            skill: "extract_skill_profile",
            what: format!("what {person} can do"),
            input: json!({ "username": person }),
            findings: findings::skills,
        };
        visitor.ask(skills).await?;
        let voice = Question {
            agent: "voice-extractor",
            skill: "extract_voice_profile",
            what: format!("how {person} writes"),
            input: json!({ "username": person }),
            findings: findings::voice,
        };
        visitor.ask(voice).await?;
    }
    Ok(())
}

/// Who wrote most, but not the streamer: that is no guest.
fn people(chat: &Value, streamer: &str) -> Vec<String> {
    let active = chat["statistics"]["most_active_users"].as_array().into_iter().flatten();
    let names = active.filter(|user| user["user"] != streamer);
    let names = names.filter_map(|user| user["user"].as_str().map(str::to_owned));
    names.take(PEOPLE).collect()
}

async fn check<T>(visitor: &mut Visitor<'_, T>, bought: &Bought) -> Result<(), DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    chapter(visitor, "What was sold is checked", None)?;
    let units = visitor.currency().map(|currency| 10_f64.powi(currency.decimals.into()));
    let question = |what: &str, data_type: &str, data: Value, paid: Option<Amount>| Question {
        agent: "validator",
        skill: "validate",
        what: what.to_owned(),
        input: json!({
            "data_type": data_type,
            "data_content": data,
            "price_glue": paid.zip(units).map(|(Amount(amount), units)| amount as f64 / units),
        }),
        findings: findings::verdict,
    };
    let Bought { chat, transcript, .. } = bought;
    let sold = question("the chat that was bought", "chat_logs", chat.body.clone(), chat.paid);
    visitor.ask(sold).await?;
    let heard = question("the transcript", "transcript", transcript.body.clone(), transcript.paid);
    visitor.ask(heard).await?;
    let forged = question(
        "a forgery with half the messages",
        "chat_logs",
        forgery(&chat.body),
        chat.paid,
    );
    visitor.ask(forged).await.map(drop)
}

/// The same claims, and half of what they are about.
fn forgery(chat: &Value) -> Value {
    let mut forged = chat.clone();
    if let Some(messages) = forged["messages"].as_array_mut() {
        let kept = messages.iter().step_by(2).cloned().collect();
        *messages = kept;
    }
    forged
}

fn chapter<T>(visitor: &mut Visitor<'_, T>, title: &str, about: Option<&str>) -> Result<(), DemoError>
where
    T: FnMut(&Event) -> io::Result<()>,
{
    visitor.tell(&Event::Chapter {
        title: title.to_owned(),
        about: about.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_last_one_that_both_have() {
        let chats = json!({ "streams": [{ "stream_id": "a" }, { "stream_id": "b" }, { "stream_id": "d" }] });
        let heard = |id: &str, day: &str| json!({ "stream_id": id, "stream_date": day, "streamer": "s" });
        let check = |transcripts: Value, expected: Option<&str>| {
            let found = common_stream(&chats, &json!({ "transcripts": transcripts }));
            assert_eq!(found.map(|stream| stream.id).as_deref(), expected);
        };
        check(
            json!([
                heard("b", "2026-01-14"),
                heard("a", "2026-01-12"),
                heard("c", "2026-01-15")
            ]),
            Some("b"),
        );
        check(json!([heard("c", "2026-01-15")]), None);
        check(json!([]), None);
    }

    #[test]
    fn the_streamer_is_no_guest() {
        let user = |name: &str| json!({ "user": name, "messages": 3 });
        let active = json!([user("host"), user("a"), user("b"), user("c"), user("d")]);
        let chat = json!({ "statistics": { "most_active_users": active } });
        assert_eq!(people(&chat, "host"), ["a", "b", "c"]);
        assert!(people(&json!({}), "host").is_empty());
    }

    #[test]
    fn a_forgery_claims_what_it_no_longer_holds() {
        let forged = forgery(&json!({ "total_messages": 3, "messages": [1, 2, 3] }));
        assert_eq!(forged, json!({ "total_messages": 3, "messages": [1, 3] }));
    }
}
