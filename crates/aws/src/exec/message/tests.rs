use proptest::prelude::*;

use super::*;

/// `00112233-4455-4677-8899-aabbccddeeff`
const ID: MessageId = MessageId(0x0011_2233_4455_4677_8899_aabb_ccdd_eeff);

/// Put together by hand from the table above.
const GOLDEN: &str = "\
    00000074\
    696e7075745f73747265616d5f64617461202020202020202020202020202020\
    00000001\
    0102030405060708\
    0000000000000005\
    0000000000000003\
    8899aabbccddeeff0011223344554677\
    8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4\
    00000001\
    00000002\
    6869";

fn golden() -> Message {
    Message {
        kind: INPUT.to_owned(),
        created: 0x0102_0304_0506_0708,
        sequence: 5,
        flags: 3,
        id: ID,
        payload_type: 1,
        payload: b"hi".to_vec(),
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn message() -> impl Strategy<Value = Message> {
    let numbers = (any::<u64>(), any::<i64>(), any::<u64>(), any::<u128>(), any::<u32>());
    let payload = prop::collection::vec(any::<u8>(), 0..300);
    ("[a-z_]{1,32}", numbers, payload).prop_map(|(kind, (created, sequence, flags, id, payload_type), payload)| {
        Message {
            kind,
            created,
            sequence,
            flags,
            id: MessageId(id),
            payload_type,
            payload,
        }
    })
}

#[test]
fn a_message_is_the_bytes_of_the_table() {
    assert_eq!(golden().encode(), bytes(GOLDEN));
    assert_eq!(Message::decode(&bytes(GOLDEN)), Ok(golden()));
}

#[test]
fn an_id_is_written_as_a_uuid() {
    assert_eq!(ID.to_string(), "00112233-4455-4677-8899-aabbccddeeff");
    let all_bits = MessageId::from_random(u128::MAX).to_string();
    assert_eq!(all_bits, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(
        MessageId::from_random(0).to_string(),
        "00000000-0000-4000-8000-000000000000"
    );
}

#[test]
fn a_longer_header_of_a_later_version_is_skipped() {
    let mut longer = bytes(GOLDEN);
    longer.splice(HEADER..HEADER, [1, 2, 3, 4]);
    longer[3] += 4;
    assert_eq!(Message::decode(&longer), Ok(golden()));
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Vec<u8>), why: NotAMessage) {
    let mut changed = bytes(GOLDEN);
    change(&mut changed);
    assert_eq!(Message::decode(&changed), Err(why));
}

#[test]
fn what_is_no_message_is_refused() {
    check_refused(Vec::clear, NotAMessage::TooShort(0));
    check_refused(|it| it.truncate(115), NotAMessage::TooShort(115));
    check_refused(|it| it.truncate(118), NotAMessage::TooShort(118));
    check_refused(|it| it[3] = 115, NotAMessage::Header(115));
    check_refused(|it| it[0] = 0xff, NotAMessage::Header(0xff00_0074));
    check_refused(|it| it[4] = 0xff, NotAMessage::Type);
    check_refused(|it| it.push(b'!'), NotAMessage::Length(2));
    check_refused(|it| it[121] = b'o', NotAMessage::Digest);
}

proptest! {
    #[test]
    fn what_was_sent_arrives(sent in message()) {
        prop_assert_eq!(Message::decode(&sent.encode()), Ok(sent));
    }

    #[test]
    fn garbage_is_refused_and_nothing_worse(garbage in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Message::decode(&garbage);
    }

    #[test]
    fn a_byte_that_changed_on_the_way_is_no_panic(sent in message(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sent.encode();
        *place.get_mut(&mut bytes) = byte;
        let _ = Message::decode(&bytes);
    }
}
