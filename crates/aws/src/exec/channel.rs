//! [`Channel`]: our end of the data channel, without the socket: a machine that is told what came and when, and says what to send.
//!
//! Each side numbers its own stream. What arrives is acknowledged; what arrives early waits for what comes before it; what is not acknowledged in
//! time is sent again, the oldest first. AWS's own client does the same:
//! <https://github.com/aws/session-manager-plugin/blob/mainline/src/datachannel/streaming.go>

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::message::{self, Message, MessageId};
use super::payload::{self, Acknowledge, ChannelClosed, HandshakeComplete, HandshakeRequest, Refusal, Size};
use super::round_trip::RoundTrip;

/// So many messages wait for what comes before them; AWS's client has room for as many.
const MOST_EARLY: usize = 10_000;

/// So many messages of ours may be on their way; then the user waits.
const MOST_UNACKNOWLEDGED: usize = 64;

/// A message that nobody acknowledges for so long never will be.
const PATIENCE: Duration = Duration::from_mins(5);

/// Our end of a data channel.
#[derive(Debug)]
pub(crate) struct Channel {
    clock: Clock,
    random: fn() -> u128,
    /// The number of our next message.
    next: i64,
    unacknowledged: VecDeque<Sent>,
    round_trip: RoundTrip,
    /// The number of the message that is to come.
    expected: i64,
    early: BTreeMap<i64, Message>,
    is_ready: bool,
}

/// What an instant is in calendar time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    at: Instant,
    is: Timestamp,
}

/// A message of ours that is on its way.
#[derive(Debug)]
struct Sent {
    sequence: i64,
    bytes: Vec<u8>,
    first: Instant,
    last: Instant,
}

/// What follows from a frame that came.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// To be sent, in this order.
    pub(crate) send: Vec<Vec<u8>>,
    /// What the user has of it, in this order.
    pub(crate) events: Vec<Event>,
}

/// Something for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// From the command's terminal or standard output.
    Output(Vec<u8>),
    /// From its standard error.
    Errors(Vec<u8>),
    /// It has ended.
    Exit(i32),
    /// What the account's owner wants users to read first.
    Greeting(String),
    /// We do not enter this session.
    Refused(Refusal),
    /// Nothing more will come; why, where that is told.
    Closed(String),
}

/// Nobody acknowledges what we send.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lost;

impl Channel {
    /// A channel that has just been opened. Ids of messages are made of these random numbers.
    pub(crate) fn new(at: Instant, is: Timestamp, random: fn() -> u128) -> Self {
        Self {
            clock: Clock { at, is },
            random,
            next: 0,
            unacknowledged: VecDeque::new(),
            round_trip: RoundTrip::default(),
            expected: 0,
            early: BTreeMap::new(),
            is_ready: false,
        }
    }

    /// Whether the command takes input yet, and we do not wait for too much of it to arrive.
    pub(crate) fn takes_input(&self) -> bool {
        self.is_ready && self.unacknowledged.len() < MOST_UNACKNOWLEDGED
    }

    /// Whether the session was entered.
    pub(crate) fn has_begun(&self) -> bool {
        self.is_ready
    }

    /// Types.
    pub(crate) fn input(&mut self, bytes: &[u8], now: Instant) -> Vec<u8> {
        self.send(payload::OUTPUT, bytes.to_vec(), now)
    }

    /// Tells how large the terminal is now.
    pub(crate) fn resize(&mut self, size: Size, now: Instant) -> Vec<u8> {
        self.send(payload::SIZE, json(&size), now)
    }

    /// When [`Channel::resend`] will have something to do.
    pub(crate) fn resend_at(&self) -> Option<Instant> {
        Some(self.unacknowledged.front()?.last + self.round_trip.timeout())
    }

    /// The oldest message that is not acknowledged, if it is time to send it again.
    pub(crate) fn resend(&mut self, now: Instant) -> Result<Option<Vec<u8>>, Lost> {
        if self.resend_at().is_none_or(|at| now < at) {
            return Ok(None);
        }
        let Some(oldest) = self.unacknowledged.front_mut() else {
            return Ok(None);
        };
        if now.duration_since(oldest.first) > PATIENCE {
            return Err(Lost);
        }
        oldest.last = now;
        Ok(Some(oldest.bytes.clone()))
    }

    /// Takes a frame. What is no message is as good as lost: whoever sent it sends it again.
    pub(crate) fn receive(&mut self, frame: &[u8], now: Instant) -> Step {
        let mut step = Step::default();
        let Ok(message) = Message::decode(frame) else {
            return step;
        };
        match message.kind.as_str() {
            message::OUTPUT => self.take_in(message, now, &mut step),
            message::ACKNOWLEDGE => self.acknowledged(&message, now),
            message::CHANNEL_CLOSED => step.events.push(closed(&message)),
            // `start_publication` and `pause_publication` say whether the agent is connected; what is sent in vain is sent again anyway.
            _ => {}
        }
        step
    }

    fn take_in(&mut self, message: Message, now: Instant, step: &mut Step) {
        if message.sequence > self.expected && self.early.len() >= MOST_EARLY {
            return;
        }
        step.send.push(self.acknowledge(&message, now));
        if message.sequence < self.expected {
            return;
        }
        self.early.insert(message.sequence, message);
        while let Some(next) = self.early.remove(&self.expected) {
            self.expected += 1;
            self.process(&next, now, step);
        }
    }

    fn process(&mut self, message: &Message, now: Instant, step: &mut Step) {
        let bytes = || message.payload.clone();
        let event = match message.payload_type {
            payload::HANDSHAKE_REQUEST => return self.shake_hands(message, now, step),
            payload::HANDSHAKE_COMPLETE => {
                self.is_ready = true;
                greeting(message)
            }
            payload::OUTPUT => Some(Event::Output(bytes())),
            payload::ERRORS => Some(Event::Errors(bytes())),
            payload::EXIT_CODE => payload::exit_code(&message.payload).map(Event::Exit),
            _ => None,
        };
        // An agent that does not shake hands begins with output.
        self.is_ready |= matches!(event, Some(Event::Output(_) | Event::Errors(_)));
        step.events.extend(event);
    }

    fn shake_hands(&mut self, message: &Message, now: Instant, step: &mut Step) {
        let request: Result<HandshakeRequest, _> = serde_json::from_slice(&message.payload);
        let Ok(request) = request else {
            let unknown = Refusal::Unknown("a handshake of another sort".to_owned());
            return step.events.push(Event::Refused(unknown));
        };
        let (response, refusal) = request.answer();
        step.send
            .push(self.send(payload::HANDSHAKE_RESPONSE, json(&response), now));
        step.events.extend(refusal.map(Event::Refused));
    }

    fn acknowledged(&mut self, message: &Message, now: Instant) {
        let Ok(acknowledge) = serde_json::from_slice::<Acknowledge>(&message.payload) else {
            return;
        };
        let is_meant = |sent: &Sent| sent.sequence == acknowledge.sequence;
        if let Some(place) = self.unacknowledged.iter().position(is_meant)
            && let Some(sent) = self.unacknowledged.remove(place)
        {
            self.round_trip = self.round_trip.measured(now.duration_since(sent.last));
        }
    }

    fn send(&mut self, payload_type: u32, payload: Vec<u8>, now: Instant) -> Vec<u8> {
        let sequence = self.next;
        self.next += 1;
        let bytes = self.message(message::INPUT, payload, now, |message| {
            message.sequence = sequence;
            message.payload_type = payload_type;
        });
        self.unacknowledged.push_back(Sent {
            sequence,
            bytes: bytes.clone(),
            first: now,
            last: now,
        });
        bytes
    }

    fn acknowledge(&self, arrived: &Message, now: Instant) -> Vec<u8> {
        let acknowledge = Acknowledge::of(&arrived.kind, arrived.id, arrived.sequence);
        // An acknowledgement is a stream of its own: its first message and its last.
        self.message(message::ACKNOWLEDGE, json(&acknowledge), now, |message| {
            message.flags = 3;
        })
    }

    fn message(&self, kind: &str, payload: Vec<u8>, now: Instant, set: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message {
            kind: kind.to_owned(),
            created: self.clock.milliseconds(now),
            sequence: 0,
            flags: 0,
            id: MessageId::from_random((self.random)()),
            payload_type: 0,
            payload,
        };
        set(&mut message);
        message.encode()
    }
}

impl Clock {
    /// Since 1970.
    fn milliseconds(&self, now: Instant) -> u64 {
        let opened = u64::try_from(self.is.as_millisecond()).unwrap_or_default();
        let since = u64::try_from(now.duration_since(self.at).as_millis()).unwrap_or_default();
        opened.saturating_add(since)
    }
}

fn greeting(message: &Message) -> Option<Event> {
    let complete: HandshakeComplete = serde_json::from_slice(&message.payload).unwrap_or_default();
    Some(complete.customer_message)
        .filter(|text| !text.is_empty())
        .map(Event::Greeting)
}

fn closed(message: &Message) -> Event {
    let closed: ChannelClosed = serde_json::from_slice(&message.payload).unwrap_or_default();
    Event::Closed(closed.output)
}

fn json(payload: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(payload).expect("plain data can be written as JSON")
}

#[cfg(test)]
mod tests;
