//! An OTLP export as JSON.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use serde::Deserialize;

use super::export::{Export, Service, SpanParts};

/// Reads an `ExportTraceServiceRequest`.
pub(super) fn read(message: &[u8]) -> Result<Export, serde_json::Error> {
    let request: Request = serde_json::from_slice(message)?;
    let mut export = Export::default();
    for ResourceSpans { resource, scope_spans } in request.resource_spans {
        let mut service = Service::default();
        for attribute in resource.attributes {
            service.note(attribute.read());
        }
        for span in scope_spans.into_iter().flat_map(|scope| scope.spans) {
            export.add(&service, span.read());
        }
    }
    Ok(export)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Request {
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ScopeSpans {
    spans: Vec<Span>,
}

#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Span {
    trace_id: String,
    span_id: String,
    parent_span_id: String,
    name: String,
    kind: u64,
    start_time_unix_nano: Number,
    end_time_unix_nano: Number,
    attributes: Vec<Attribute>,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attribute {
    key: String,
    value: Value,
}

/// What is no text, number or truth is passed over.
#[expect(clippy::struct_field_names, reason = "fields are named as in the JSON")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Value {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Number>,
    double_value: Option<f64>,
}

/// 64 bits are more than a number of JSON is sure to hold: they are written as text, and read as either.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Number(i64),
    Text(String),
}

impl Span {
    fn read(self) -> SpanParts {
        let mut parts = SpanParts {
            trace: digits(&self.trace_id, 32),
            id: digits(&self.span_id, 16).and_then(|id| id.try_into().ok()),
            parent: digits(&self.parent_span_id, 16).and_then(|id| id.try_into().ok()),
            name: self.name,
            kind: self.kind,
            start: self.start_time_unix_nano.unsigned(),
            end: self.end_time_unix_nano.unsigned(),
            status: self.status.code,
            ..SpanParts::default()
        };
        for attribute in self.attributes {
            parts.note(attribute.read());
        }
        parts
    }
}

impl Attribute {
    fn read(self) -> Option<(String, String)> {
        let Value {
            string_value,
            bool_value,
            int_value,
            double_value,
        } = self.value;
        let value = string_value
            .or_else(|| bool_value.map(|truth| truth.to_string()))
            .or_else(|| int_value.map(Number::text))
            .or_else(|| double_value.map(|number| number.to_string()));
        Some((self.key, value?))
    }
}

impl Default for Number {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Number {
    fn text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }

    /// What is none is zero, as if it had been left out.
    fn unsigned(self) -> u64 {
        self.text().parse().unwrap_or_default()
    }
}

/// A number of exactly so many hexadecimal digits.
fn digits(text: &str, count: usize) -> Option<u128> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn request(span: &serde_json::Value) -> Vec<u8> {
        let service = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "a" } }] });
        json!({ "resourceSpans": [{ "resource": service, "scopeSpans": [{ "scope": {}, "spans": [span] }] }] })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_request_is_read() {
        let export = read(&request(&json!({
            "traceId": "5833726236D228AD5D99923122BBE354", "spanId": "0000000000000002", "parentSpanId": "0000000000000003",
            "name": "GET\u{1b}[2J", "kind": 3, "startTimeUnixNano": "3000000000", "endTimeUnixNano": 1_000_000_000, "flags": 1,
            "attributes": [
                { "key": "text", "value": { "stringValue": "x" } }, { "key": "number", "value": { "intValue": "-7" } },
                { "key": "truth", "value": { "boolValue": true } }, { "key": "list", "value": { "arrayValue": { "values": [] } } },
            ],
            "status": { "code": 2, "message": "no" },
        })))
        .unwrap();
        assert_eq!(
            serde_json::to_value(&export.spans).unwrap(),
            json!([{
                "trace": "1-58337262-36d228ad5d99923122bbe354", "id": "0000000000000002", "parent": "0000000000000003", "service": "a",
                "name": "GET\u{fffd}[2J", "kind": "client", "start": "1970-01-01T00:00:03Z", "end": "1970-01-01T00:00:03Z",
                "status": "error", "attributes": { "text": "x", "number": "-7", "truth": "true" },
            }])
        );
    }

    #[test]
    fn a_span_without_a_proper_id_is_rejected_alone() {
        for (trace, id) in [("", "0000000000000001"), ("0".repeat(32).as_str(), "01"), ("xyz", "é")] {
            let export = read(&request(&json!({ "traceId": trace, "spanId": id }))).unwrap();
            assert_eq!((export.spans.len(), export.rejected), (0, 1), "{trace} {id}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = read(text.as_bytes());
            let _ = read(&request(&json!({ "traceId": text, "spanId": text, "startTimeUnixNano": text, "name": text })));
        }
    }
}
