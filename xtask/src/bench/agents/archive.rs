//! A million messages, the same in every run, and questions about them.

use serde_json::{Value, json};

use super::super::{Result, http};

/// Who write them, about a hundred messages each.
pub(super) const USERS: usize = 10_000;

/// So many logs of so many messages are a million.
const LOGS: u64 = 50;
const MESSAGES: u64 = 20_000;

/// The most messages that karma-hello gives at once: whatever a user has written.
const PAGE: usize = 1000;

const WORDS: [&str; 16] = [
    "hola", "deploy", "rust", "agente", "contrato", "pago", "stream", "música", "gracias", "error", "testnet",
    "python", "wallet", "gas", "firma", "chat",
];

/// Sends them all to karma-hello.
pub(super) fn fill(port: u16) -> Result<()> {
    println!("filling karma-hello with 1,000,000 messages: a minute");
    let mut numbers = Numbers(7);
    for log in 0..LOGS {
        let receipt = http::post(port, "/chat_logs", &chat_log(log, &mut numbers))?;
        if receipt["added"] != MESSAGES {
            return Err(format!("karma-hello has taken {receipt} of {MESSAGES} messages").into());
        }
    }
    Ok(())
}

/// What one user has written.
pub(super) fn question(user: usize) -> String {
    format!("/get_chat_logs?users=user{user:05}&limit={PAGE}&include_stats=false")
}

/// A script for wrk: each request asks for another user.
pub(super) fn questions() -> String {
    let path = question(0).replace("user00000", "user%05d");
    format!(
        "request = function() return wrk.format(\"GET\", string.format(\"{path}\", math.random(0, {}))) end\n",
        USERS - 1
    )
}

fn chat_log(log: u64, numbers: &mut Numbers) -> Value {
    let day = format!("2026-{:02}-{:02}", 1 + log / 28, 1 + log % 28);
    let messages: Vec<Value> = (0..MESSAGES).map(|second| message(&day, second, numbers)).collect();
    json!({
        "stream_id": format!("stream{log:02}"), "stream_date": day, "stream_title": "A stream", "streamer": "streamer",
        "messages": messages,
    })
}

/// One message in each second of the evening.
fn message(day: &str, second: u64, numbers: &mut Numbers) -> Value {
    let (hour, minute, second) = (17 + second / 3600, second / 60 % 60, second % 60);
    let words: Vec<&str> = (0..3 + numbers.below(12)).map(|_| WORDS[numbers.below(16)]).collect();
    json!({
        "timestamp": format!("{day}T{hour:02}:{minute:02}:{second:02}Z"),
        "user": format!("user{:05}", numbers.below(USERS)),
        "message": words.join(" "),
    })
}

/// Numbers without a pattern: <https://prng.di.unimi.it/splitmix64.c>.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits are a usize") % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_the_same_in_every_run_and_of_many_users() {
        let log = chat_log(49, &mut Numbers(7));
        assert_eq!(log, chat_log(49, &mut Numbers(7)));
        let messages = log["messages"].as_array().unwrap();
        let users: std::collections::BTreeSet<_> =
            messages.iter().filter_map(|message| message["user"].as_str()).collect();
        assert_eq!(messages.len(), 20_000);
        assert!(users.len() > 8_000, "{}", users.len());
        assert_eq!(messages[19_999]["timestamp"], "2026-02-22T22:33:19Z");
    }

    #[test]
    fn every_user_is_asked_for() {
        assert!(questions().contains("users=user%05d&limit=1000"), "{}", questions());
        assert!(questions().contains("math.random(0, 9999)"), "{}", questions());
    }
}
