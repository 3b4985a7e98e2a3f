use std::sync::Arc;

use karma_fleet::Fleet;
use karma_ops::{Outcomes, TraceQuery};
use tokio::sync::watch;

use super::*;

const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5833726236d228ad5d99923122bbe354","spanId":"0000000000000001",
    "name":"GET /","startTimeUnixNano":"1000000000","endTimeUnixNano":"2000000000"}, {"spanId":"1"}]}]}]}"#;

fn store(directory: &tempfile::TempDir) -> TraceStore {
    let fleet = watch::Sender::new(Arc::new(Fleet::default())).subscribe();
    TraceStore::open(directory.path(), fleet, Timestamp::now()).unwrap()
}

async fn ask(store: &TraceStore, method: &str, path: &str, kind: &str, body: impl Into<Bytes>) -> (u16, Bytes) {
    let request = Request::builder().method(method).uri(path).header("content-type", kind);
    let response = answer(request.body(Full::new(body.into())).unwrap(), store).await;
    (
        response.status().as_u16(),
        response.into_body().collect().await.unwrap().to_bytes(),
    )
}

#[tokio::test]
async fn spans_are_taken_and_those_that_are_none_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let answered = ask(&store, "POST", PATH, "application/json; charset=utf-8", SPAN).await;
    assert_eq!(answered, (200, r#"{"partialSuccess":{"rejectedSpans":"1"}}"#.into()));
    assert_eq!(
        ask(&store, "POST", PATH, "application/json", "{}").await,
        (200, "{}".into())
    );
    // resource_spans { scope_spans { spans {} } }: a span without an id.
    let one_bad = b"\x0a\x04\x12\x02\x12\x00".as_slice();
    assert_eq!(
        ask(&store, "POST", PATH, "application/x-protobuf", one_bad).await,
        (200, b"\x0a\x02\x08\x01".as_slice().into())
    );
    let query = TraceQuery {
        id: "1-58337262-36d228ad5d99923122bbe354".parse().ok(),
        service: None,
        since: Duration::ZERO,
        slow: Duration::ZERO,
        outcomes: Outcomes::All,
    };
    let answer = store.answer(&query, Timestamp::now());
    assert_eq!(answer.traces[0].services, ["unknown_service"]);
}

#[tokio::test]
async fn what_is_no_export_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let check = async |method: &str, path: &str, kind: &str, body: Vec<u8>, expected: u16| {
        let (status, told) = ask(&store, method, path, kind, body).await;
        assert_eq!(status, expected, "{method} {path} {kind}: {told:?}");
        assert!(!told.is_empty());
    };
    check("POST", "/v1/metrics", "application/json", vec![], 404).await;
    check("GET", PATH, "application/json", vec![], 405).await;
    check("POST", PATH, "text/plain", vec![], 415).await;
    check("POST", PATH, "application/json", b"{".to_vec(), 400).await;
    check("POST", PATH, "application/x-protobuf", b"\x0a\xff".to_vec(), 400).await;
    check("POST", PATH, "application/json", vec![b' '; MOST_BYTES + 1], 413).await;
}

#[test]
fn a_compressed_body_is_refused() {
    let headers = [(header::CONTENT_ENCODING, "gzip".parse().unwrap())]
        .into_iter()
        .collect();
    assert_eq!(encoding(&headers).unwrap_err().0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
