//! When and how fast a user writes.

use serde::Serialize;

use super::ratio;
use crate::chat::StreamMessage;
use crate::profile::round;

/// A message so soon after the same user's last one belongs to one breath.
const BREATH_SECONDS: f64 = 10.0;

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Rhythm {
    /// Between two messages of the user in one stream; none of a single message.
    median_gap_seconds: Option<f64>,
    /// The share of messages within ten seconds of the user's last.
    burst_share: Option<f64>,
    messages_per_stream: Option<f64>,
    /// The hour of the day, in UTC, with most messages; the first of equals.
    busiest_hour_utc: Option<usize>,
}

impl Rhythm {
    /// Of messages in order of time.
    pub(super) fn of(messages: &[StreamMessage]) -> Rhythm {
        let mut gaps = gaps(messages);
        gaps.sort_by(f64::total_cmp);
        let bursts = gaps.iter().filter(|&&gap| gap <= BREATH_SECONDS).count();
        Rhythm {
            median_gap_seconds: median(&gaps),
            burst_share: ratio(bursts, messages.len()),
            messages_per_stream: ratio(messages.len(), messages.len() - gaps.len()),
            busiest_hour_utc: busiest_hour(messages),
        }
    }
}

/// The seconds between neighbours of the same stream: one less than the messages, for each stream.
fn gaps(messages: &[StreamMessage]) -> Vec<f64> {
    let mut last_of = std::collections::HashMap::new();
    let gap = |message: &StreamMessage| {
        let now = message.message.timestamp;
        let last = last_of.insert(message.stream_id.clone(), now)?;
        Some(now.duration_since(last).as_secs_f64())
    };
    messages.iter().filter_map(gap).collect()
}

fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        count if count % 2 == 0 => Some(round(f64::midpoint(sorted[middle - 1], sorted[middle]))),
        _ => Some(round(sorted[middle])),
    }
}

fn busiest_hour(messages: &[StreamMessage]) -> Option<usize> {
    let mut hours = [0_usize; 24];
    for message in messages {
        let hour = message.message.timestamp.as_second().div_euclid(3600).rem_euclid(24);
        hours[usize::try_from(hour).expect("a remainder by 24 is not negative")] += 1;
    }
    // The reverse makes the first of equals the last maximum.
    let busiest = hours.iter().enumerate().rev().max_by_key(|&(_, count)| count);
    busiest.filter(|&(_, &count)| count > 0).map(|(hour, _)| hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Message;

    fn message(stream_id: &str, timestamp: &str) -> StreamMessage {
        let timestamp = timestamp.parse().unwrap();
        let message = Message {
            timestamp,
            user: "ana".into(),
            message: "hola".into(),
            user_badges: Vec::new(),
        };
        StreamMessage {
            stream_id: stream_id.into(),
            message,
        }
    }

    #[test]
    fn worked_out_by_hand() {
        let messages = [
            message("a", "2026-01-12T17:00:00Z"),
            message("a", "2026-01-12T17:00:05Z"),
            message("a", "2026-01-12T17:01:05Z"),
            message("b", "2026-01-14T18:30:00Z"),
        ];
        let expected = Rhythm {
            median_gap_seconds: Some(32.5),
            burst_share: Some(0.25),
            messages_per_stream: Some(2.0),
            busiest_hour_utc: Some(17),
        };
        assert_eq!(Rhythm::of(&messages), expected);
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(Rhythm::of(&[]).busiest_hour_utc, None);
    }
}
