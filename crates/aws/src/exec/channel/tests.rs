use proptest::prelude::*;
use serde_json::json;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn channel(now: Instant) -> Channel {
    Channel::new(now, Timestamp::UNIX_EPOCH, || 7)
}

fn from_the_agent(kind: &str, sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    let message = Message {
        kind: kind.to_owned(),
        created: 1,
        sequence,
        flags: 0,
        id: MessageId::from_random(u128::from(sequence.unsigned_abs())),
        payload_type,
        payload: payload.to_vec(),
    };
    message.encode()
}

fn output(sequence: i64, text: &str) -> Vec<u8> {
    from_the_agent(message::OUTPUT, sequence, payload::OUTPUT, text.as_bytes())
}

fn acknowledgement(sequence: i64) -> Vec<u8> {
    let of = Acknowledge::of(message::INPUT, MessageId::from_random(7), sequence);
    from_the_agent(message::ACKNOWLEDGE, 0, 0, &json(&of))
}

/// The sequence numbers that a step acknowledges.
fn acknowledged(step: &Step) -> Vec<i64> {
    let sent = step.send.iter().map(|bytes| Message::decode(bytes).unwrap());
    let acknowledging = sent.filter(|message| message.kind == message::ACKNOWLEDGE);
    acknowledging
        .map(|message| {
            serde_json::from_slice::<Acknowledge>(&message.payload)
                .unwrap()
                .sequence
        })
        .collect()
}

fn text(steps: &[Step]) -> String {
    let events = steps.iter().flat_map(|step| &step.events);
    let bytes = events.filter_map(|event| match event {
        Event::Output(bytes) => Some(bytes.clone()),
        _ => None,
    });
    String::from_utf8(bytes.flatten().collect()).unwrap()
}

#[track_caller]
fn check(frames: &[Vec<u8>], expected_text: &str, expected_acknowledged: &[i64]) {
    let now = Instant::now();
    let mut channel = channel(now);
    let steps: Vec<_> = frames.iter().map(|frame| channel.receive(frame, now)).collect();
    assert_eq!(text(&steps), expected_text);
    assert_eq!(
        steps.iter().flat_map(acknowledged).collect::<Vec<_>>(),
        expected_acknowledged
    );
}

#[test]
fn what_comes_is_acknowledged_and_shown_in_order() {
    check(&[output(0, "a"), output(1, "b")], "ab", &[0, 1]);
    check(&[output(1, "b"), output(2, "c"), output(0, "a")], "abc", &[1, 2, 0]);
}

#[test]
fn what_comes_again_is_acknowledged_again_and_shown_once() {
    check(&[output(0, "a"), output(0, "a"), output(1, "b")], "ab", &[0, 0, 1]);
    check(&[output(1, "b"), output(1, "b"), output(0, "a")], "ab", &[1, 1, 0]);
}

#[test]
fn a_damaged_frame_is_not_acknowledged() {
    let mut damaged = output(0, "a");
    *damaged.last_mut().unwrap() = b'z';
    check(&[damaged, vec![1, 2, 3], output(0, "a")], "a", &[0]);
}

#[test]
fn the_handshake_is_answered_before_the_command_takes_input() {
    let now = Instant::now();
    let mut channel = channel(now);
    let request = json!({
        "AgentVersion": "3.3.0.0",
        "RequestedClientActions":
            [{ "ActionType": "SessionType", "ActionParameters": { "SessionType": "InteractiveCommands" } }],
    });
    let frame = from_the_agent(
        message::OUTPUT,
        0,
        payload::HANDSHAKE_REQUEST,
        request.to_string().as_bytes(),
    );
    let step = channel.receive(&frame, now);
    assert_eq!(acknowledged(&step), [0]);
    let response = Message::decode(&step.send[1]).unwrap();
    assert_eq!(
        (response.payload_type, response.sequence),
        (payload::HANDSHAKE_RESPONSE, 0)
    );
    assert!(!channel.takes_input());
    let complete = json!({ "HandshakeTimeToComplete": 1, "CustomerMessage": "be careful" }).to_string();
    let step = channel.receive(
        &from_the_agent(message::OUTPUT, 1, payload::HANDSHAKE_COMPLETE, complete.as_bytes()),
        now,
    );
    assert_eq!(step.events, [Event::Greeting("be careful".to_owned())]);
    assert!(channel.takes_input());
}

#[test]
fn the_end_is_told_with_its_reason_and_the_exit_code() {
    let now = Instant::now();
    let mut channel = channel(now);
    let exit = from_the_agent(message::OUTPUT, 0, payload::EXIT_CODE, b"EXIT_CODE: 3");
    assert_eq!(channel.receive(&exit, now).events, [Event::Exit(3)]);
    let reason = json!({ "Output": "Access denied" }).to_string();
    let closed = from_the_agent(message::CHANNEL_CLOSED, 0, 0, reason.as_bytes());
    assert_eq!(
        channel.receive(&closed, now).events,
        [Event::Closed("Access denied".to_owned())]
    );
    let closed = from_the_agent(message::CHANNEL_CLOSED, 0, 0, b"not json");
    assert_eq!(channel.receive(&closed, now).events, [Event::Closed(String::new())]);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_until_it_is() {
    let start = Instant::now();
    let mut channel = channel(start);
    let first = channel.input(b"a", start);
    channel.input(b"b", start);
    assert_eq!(channel.resend(start + 199 * MILLISECOND), Ok(None));
    let later = start + 200 * MILLISECOND;
    assert_eq!(channel.resend(later), Ok(Some(first)));
    assert_eq!(channel.resend(later), Ok(None), "once is enough");
    channel.receive(&acknowledgement(0), later + MILLISECOND);
    let again = channel.resend(later + Duration::from_secs(2)).unwrap().unwrap();
    assert_eq!(Message::decode(&again).unwrap().sequence, 1);
    channel.receive(&acknowledgement(1), later + Duration::from_secs(3));
    assert_eq!(channel.resend_at(), None);
}

#[test]
fn nobody_waits_for_ever() {
    let start = Instant::now();
    let mut channel = channel(start);
    channel.input(b"a", start);
    assert!(channel.resend(start + PATIENCE).is_ok());
    assert_eq!(channel.resend(start + PATIENCE + Duration::from_secs(2)), Err(Lost));
}

#[test]
fn the_user_waits_while_too_much_is_on_its_way() {
    let now = Instant::now();
    let mut channel = channel(now);
    channel.receive(&output(0, "$ "), now);
    for _ in 0..MOST_UNACKNOWLEDGED {
        assert!(channel.takes_input());
        channel.input(b"x", now);
    }
    assert!(!channel.takes_input());
    channel.receive(&acknowledgement(5), now);
    assert!(channel.takes_input());
}

proptest! {
    #[test]
    fn any_order_with_repeats_is_read_as_it_was_written(
        order in Just((0..12_i64).collect::<Vec<_>>()).prop_shuffle(),
        again in prop::collection::vec(0..12_i64, 0..12),
    ) {
        let now = Instant::now();
        let mut channel = channel(now);
        let steps: Vec<_> = again
            .into_iter()
            .chain(order)
            .map(|sequence| channel.receive(&output(sequence, &format!("{sequence:02}")), now))
            .collect();
        let expected = "000102030405060708091011";
        prop_assert_eq!(text(&steps), expected);
    }

    #[test]
    fn garbage_says_nothing(frame in prop::collection::vec(any::<u8>(), 0..300)) {
        let now = Instant::now();
        prop_assert_eq!(channel(now).receive(&frame, now), Step::default());
    }
}
