//! An OTLP export as protocol buffers: the few fields that a trace is made of, everything else is passed over.
//! <https://protobuf.dev/programming-guides/encoding/>,
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto>

use super::export::{Export, Service, SpanParts};

/// The bytes are no such message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is no ExportTraceServiceRequest in protocol buffers")]
pub(super) struct Malformed;

/// A value of a field, as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

/// Reads an `ExportTraceServiceRequest`.
pub(super) fn read(message: &[u8]) -> Result<Export, Malformed> {
    let mut export = Export::default();
    for field in Fields(message) {
        if let (1, Value::Bytes(resource_spans)) = field? {
            read_resource_spans(resource_spans, &mut export)?;
        }
    }
    Ok(export)
}

/// Writes an `ExportTraceServiceResponse`, with the number of spans that were rejected.
pub(super) fn response(rejected: u64) -> Vec<u8> {
    if rejected == 0 {
        return Vec::new();
    }
    let mut partial_success = vec![1 << 3];
    write_varint(&mut partial_success, rejected);
    let mut response = vec![1 << 3 | 2];
    write_varint(&mut response, partial_success.len() as u64);
    response.append(&mut partial_success);
    response
}

fn write_varint(message: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        message.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    message.push(value.to_le_bytes()[0]);
}

fn read_resource_spans(message: &[u8], export: &mut Export) -> Result<(), Malformed> {
    let (mut service, mut scopes) = (Service::default(), Vec::new());
    for field in Fields(message) {
        match field? {
            (1, Value::Bytes(resource)) => service = read_resource(resource)?,
            (2, Value::Bytes(scope_spans)) => scopes.push(scope_spans),
            _ => {}
        }
    }
    for scope_spans in scopes {
        for field in Fields(scope_spans) {
            if let (2, Value::Bytes(span)) = field? {
                export.add(&service, read_span(span)?);
            }
        }
    }
    Ok(())
}

fn read_resource(message: &[u8]) -> Result<Service, Malformed> {
    let mut service = Service::default();
    for field in Fields(message) {
        if let (1, Value::Bytes(attribute)) = field? {
            service.note(read_attribute(attribute)?);
        }
    }
    Ok(service)
}

fn read_span(message: &[u8]) -> Result<SpanParts, Malformed> {
    let mut span = SpanParts::default();
    for field in Fields(message) {
        match field? {
            (1, Value::Bytes(id)) => span.trace = id.try_into().ok().map(u128::from_be_bytes),
            (2, Value::Bytes(id)) => span.id = id.try_into().ok().map(u64::from_be_bytes),
            (4, Value::Bytes(id)) => span.parent = id.try_into().ok().map(u64::from_be_bytes),
            (5, Value::Bytes(name)) => span.name = text(name)?,
            (6, Value::Number(kind)) => span.kind = kind,
            (7, Value::Number(start)) => span.start = start,
            (8, Value::Number(end)) => span.end = end,
            (9, Value::Bytes(attribute)) => span.note(read_attribute(attribute)?),
            (15, Value::Bytes(status)) => span.status = read_status(status)?,
            _ => {}
        }
    }
    Ok(span)
}

fn read_status(message: &[u8]) -> Result<u64, Malformed> {
    let mut status = 0;
    for field in Fields(message) {
        if let (3, Value::Number(code)) = field? {
            status = code;
        }
    }
    Ok(status)
}

/// A name and its value; `None` for a value that is no text, number or truth.
fn read_attribute(message: &[u8]) -> Result<Option<(String, String)>, Malformed> {
    let (mut name, mut value) = (String::new(), None);
    for field in Fields(message) {
        match field? {
            (1, Value::Bytes(key)) => name = text(key)?,
            (2, Value::Bytes(any)) => value = read_value(any)?,
            _ => {}
        }
    }
    Ok(value.map(|value| (name, value)))
}

fn read_value(message: &[u8]) -> Result<Option<String>, Malformed> {
    let mut value = None;
    for field in Fields(message) {
        match field? {
            (1, Value::Bytes(bytes)) => value = Some(text(bytes)?),
            (2, Value::Number(truth)) => value = Some((truth != 0).to_string()),
            (3, Value::Number(number)) => value = Some(number.cast_signed().to_string()),
            (4, Value::Number(bits)) => value = Some(f64::from_bits(bits).to_string()),
            _ => {}
        }
    }
    Ok(value)
}

fn text(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => Value::Number(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?).into()),
            // Groups have not been in use since before there was OTLP.
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Seven bits a byte, the lowest first; the highest bit says that there are more.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand: `GET /` of trace `…01`, 1 s to 3 s, an integer attribute, an error, and fields that are passed over.
    fn span() -> Vec<u8> {
        let mut span = Vec::new();
        span.extend(b"\x0a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
        span.extend(b"\x12\x08\0\0\0\0\0\0\0\x02\x1a\x01t\x22\x08\0\0\0\0\0\0\0\x03");
        span.extend(b"\x2a\x05GET /\x30\x02");
        span.extend([0x39].iter().chain(&1_000_000_000_u64.to_le_bytes()));
        span.extend([0x41].iter().chain(&3_000_000_000_u64.to_le_bytes()));
        span.extend(b"\x4a\x0b\x0a\x04code\x12\x03\x18\xf7\x03\x7a\x02\x18\x02\x85\x01\x01\0\0\0");
        span
    }

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).unwrap();
        let mut field = vec![number << 3 | 2];
        // Two bytes are one too many for a short length, and right all the same.
        field.extend([length & 0x7f | 0x80, length >> 7]);
        field.extend(bytes);
        field
    }

    fn request() -> Vec<u8> {
        let service = field(1, &field(1, b"\x0a\x0cservice.name\x12\x03\x0a\x01a"));
        let scope = field(2, &[field(1, b"\x0a\x01s"), field(2, &span())].concat());
        field(1, &[service, scope].concat())
    }

    #[test]
    fn a_request_is_read() {
        let export = read(&request()).unwrap();
        let [span] = &*export.spans else { panic!("{export:?}") };
        assert_eq!(
            serde_json::to_value(span).unwrap(),
            serde_json::json!({
                "trace": "1-00000000-000000000000000000000001", "id": "0000000000000002", "parent": "0000000000000003", "service": "a",
                "name": "GET /", "kind": "server", "start": "1970-01-01T00:00:01Z", "end": "1970-01-01T00:00:03Z", "status": "error",
                "attributes": { "code": "503" },
            })
        );
    }

    #[test]
    fn what_is_cut_off_or_foreign_is_refused() {
        let request = request();
        for length in 1..request.len() {
            assert_eq!(read(&request[..length]).err(), Some(Malformed), "{length}");
        }
        assert_eq!(read(b"\x0b").err(), Some(Malformed), "a group");
        assert_eq!(read(&[0xff; 12]).err(), Some(Malformed), "a number without end");
        assert!(read(b"").unwrap().spans.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, at in 0_usize..100, other: u8) {
            let _ = read(&bytes);
            let mut request = request();
            request[at] = other;
            let _ = read(&request);
        }
    }
}
