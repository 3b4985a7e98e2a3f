//! Spans on their way to X-Ray: signed as the task's role, by the real program.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::Process;
use crate::sigv4::Signed;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "a-session";
const PATIENCE: Duration = Duration::from_secs(40);

/// What stands for X-Ray: it shows what it is sent, and answers each path as it is told to.
struct XRay {
    url: String,
    requests: mpsc::Receiver<Signed>,
}

impl XRay {
    fn start(answer: fn(path: &str) -> (&'static str, String)) -> XRay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let sender = sender.clone();
                std::thread::spawn(move || converse(stream, answer, &sender));
            }
        });
        XRay { url, requests }
    }

    /// The next request, which is signed as it should be.
    fn next(&self) -> Signed {
        let request = self.requests.recv_timeout(PATIENCE).unwrap();
        let scope = request.scope(KEY, SECRET).unwrap_or_else(|| panic!("{request:?}"));
        assert!(scope.ends_with("/eu-west-1/xray"), "{scope}");
        assert_eq!(request.headers["x-amz-security-token"], TOKEN);
        request
    }

    /// The next one with this path.
    fn next_for(&self, path: &str) -> Signed {
        loop {
            let request = self.next();
            if request.path == path {
                return request;
            }
        }
    }

    fn agent(&self) -> Process {
        Process::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://xray.eu-west-1.amazonaws.com"),
            ("OTEL_SERVICE_NAME", "karmacadabra-karma-hello"),
            ("AWS_ENDPOINT_URL_XRAY", &self.url),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_SESSION_TOKEN", TOKEN),
        ])
    }
}

/// Requests of one connection, until it ends.
fn converse(stream: TcpStream, answer: fn(&str) -> (&'static str, String), requests: &mpsc::Sender<Signed>) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let (status, body) = answer(&request.path);
        // The test may have seen enough.
        let _ = requests.send(request);
        let length = body.len();
        let _ = write!(writer, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Signed> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let header = |line: &String| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
    };
    let headers: BTreeMap<String, String> = lines[1..].iter().filter_map(header).collect();
    let mut body = vec![0; headers["content-length"].parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Signed {
        method,
        path,
        headers,
        body,
    })
}

fn content(request: &Signed) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn spans_go_to_xray_signed_as_the_task() {
    let xray = XRay::start(|_| ("200 OK", "{}".to_owned()));
    let agent = xray.agent();
    assert_eq!(agent.ask("/karma-hello/streams"), "200");
    let request = xray.next_for("/v1/traces");
    assert_eq!(
        (request.method.as_str(), request.headers["content-type"].as_str()),
        ("POST", "application/json")
    );
    let sent = &content(&request)["resourceSpans"][0];
    let service = &sent["resource"]["attributes"][0]["value"]["stringValue"];
    assert_eq!(service, "karmacadabra-karma-hello");
    assert_eq!(sent["scopeSpans"][0]["spans"][0]["name"], "GET /karma-hello/streams");
}

#[test]
fn what_xray_refuses_is_told_once_and_with_the_reason() {
    const REFUSAL: &str = "400 Bad Request\r\nx-amzn-errortype: InvalidRequestException:http://internal.amazon.com/";
    let xray = XRay::start(|path| match path {
        "/v1/traces" => (REFUSAL, String::new()),
        _ => ("200 OK", "{}".to_owned()),
    });
    let agent = xray.agent();
    assert_eq!(agent.ask("/karma-hello/streams"), "200");
    let line = agent.wait_for("spans are not taken");
    assert_eq!(line["reason"], "it answered 400 Bad Request (InvalidRequestException)");
    assert!(line["help"].as_str().unwrap().contains("Transaction Search"), "{line}");
    assert!(!line.to_string().contains(SECRET), "{line}");
}

#[test]
fn xrays_rules_say_what_is_traced_and_hear_what_was() {
    let xray = XRay::start(|path| match path {
        "/GetSamplingRules" => ("200 OK", rules()),
        "/SamplingTargets" => ("200 OK", r#"{"SamplingTargetDocuments":[]}"#.to_owned()),
        _ => ("200 OK", "{}".to_owned()),
    });
    let agent = xray.agent();
    assert_eq!(content(&xray.next_for("/GetSamplingRules")), json!({}));
    // Until the agent has read the rules, what it decides is in no report.
    let report = loop {
        for path in ["/karma-hello", "/karma-hello/streams", "/karma-hello/streams"] {
            assert_eq!(agent.ask(path), "200");
        }
        // Some spans come every second.
        let request = xray.next();
        if request.path == "/SamplingTargets" {
            break request;
        }
    };
    let documents = &content(&report)["SamplingStatisticsDocuments"];
    let document = |name: &str| {
        let mut documents = documents.as_array().unwrap().iter();
        documents
            .find(|it| it["RuleName"] == name)
            .unwrap_or_else(|| panic!("{documents:?}"))
    };
    let (all, none) = (document("streams"), document("nothing"));
    assert_eq!(all["RequestCount"], all["SampledCount"]);
    assert!(
        none["RequestCount"].as_u64() > Some(0) && none["SampledCount"] == 0,
        "{documents}"
    );
    assert_eq!(all["ClientID"].as_str().unwrap().len(), 24);
}

/// Every request for streams, and no other.
fn rules() -> String {
    let rule = |name: &str, priority: u32, path: &str, rate: f64| {
        json!({ "SamplingRule": {
            "RuleName": name, "RuleARN": "arn:aws:xray:eu-west-1:123456789012:sampling-rule/a", "ResourceARN": "*", "Priority": priority,
            "FixedRate": rate, "ReservoirSize": 0, "ServiceName": "karmacadabra-*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*",
            "URLPath": path, "Version": 1, "Attributes": {},
        }, "CreatedAt": 0.0, "ModifiedAt": 1_700_000_000.5 })
    };
    let records = [rule("nothing", 20, "*", 0.0), rule("streams", 10, "*/streams", 1.0)];
    json!({ "SamplingRuleRecords": records, "NextToken": null }).to_string()
}
