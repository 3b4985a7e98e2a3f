//! `karma secrets` and `karma doctor` against a server that speaks AWS's API. Values are in no output and in no file.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use karma_e2e::karma::karma_binary;
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use serde_json::{Value, json};

const STACK: &str = r#"
provider "aws" {
  region = "us-east-1"
}

resource "aws_secretsmanager_secret" "agents" {
  for_each = toset(["hello", "validator"])
  name     = "demo/${each.key}"
}

resource "aws_ecs_task_definition" "validator" {
  family = "validator"
  container_definitions = jsonencode([{
    name    = "app"
    image   = "public.ecr.aws/demo/app:1"
    secrets = [for key in ["API_KEY", "WALLET"] : {
      name      = key
      valueFrom = "${aws_secretsmanager_secret.agents["validator"].arn}:${key}::"
    }]
  }])
}
"#;

const FIRST: &str = "hunter-two-first";
const SECOND: &str = "hunter-two\n\"second\"";

/// A stack, and an account with some of its secrets.
struct Account {
    moto: Moto,
    stack: tempfile::TempDir,
}

#[test]
fn values_go_to_secrets_manager_and_nowhere_else() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(reason) => return skip("values_go_to_secrets_manager_and_nowhere_else", &reason),
    };
    let stack = tempfile::tempdir().expect("there is room for a directory");
    fs::write(stack.path().join("main.tf"), STACK).expect("there is room for a file");
    Account { moto, stack }.lives_through_it_all();
}

impl Account {
    fn lives_through_it_all(&self) {
        self.nothing_is_there_yet();
        self.ask("CreateSecret", &json!({ "Name": "demo/validator" }));
        self.keys_are_set_one_by_one();
        self.whole_values_replace();
        assert!(
            texts_below(self.stack.path())
                .iter()
                .all(|text| !text.contains("hunter"))
        );
    }

    fn nothing_is_there_yet(&self) {
        let answer = self.karma(&["secrets", "check"], "");
        assert_eq!(answer.status.code(), Some(1), "{answer:?}");
        let text = String::from_utf8_lossy(&answer.stdout);
        assert!(
            text.contains("terraform apply -target='aws_secretsmanager_secret.agents[\"validator\"]'"),
            "{text}"
        );
        let answer = self.karma(&["secrets", "set", "validator.API_KEY"], FIRST);
        assert_eq!(answer.status.code(), Some(2), "{answer:?}");
        let doctor = self.checks();
        let credentials = doctor.iter().find(|check| check["name"] == "credentials");
        assert_eq!(credentials.expect("credentials are looked at")["verdict"], "OK");
        let secret = doctor.iter().find(|check| check["name"] == "secret validator");
        assert_eq!(secret.expect("the secret is looked at")["verdict"], "MISSING");
    }

    fn keys_are_set_one_by_one(&self) {
        self.succeeds(&["secrets", "set", "validator.API_KEY"], &format!("{FIRST}\n"));
        let answer = self.karma(&["secrets", "check", "--json"], "");
        assert_eq!(answer.status.code(), Some(1), "{answer:?}");
        let text = String::from_utf8_lossy(&answer.stdout);
        assert!(text.contains("karma secrets set validator.WALLET"), "{text}");
        let file = tempfile::NamedTempFile::new().expect("there is room for a file");
        fs::write(file.path(), SECOND).expect("there is room for a file");
        let path = file.path().to_str().expect("a temporary path is UTF-8");
        self.succeeds(&["secrets", "set", "demo/validator.WALLET", "--from-file", path], "");
        self.succeeds(&["secrets", "check"], "");
        assert_eq!(self.value(), json!({ "API_KEY": FIRST, "WALLET": SECOND }));
        let listed = self.succeeds(&["secrets", "list", "--json"], "");
        let listed: Value = serde_json::from_str(&listed).expect("the list is JSON");
        assert_eq!(listed[1]["keys_there"], json!(["API_KEY", "WALLET"]));
        assert_eq!(listed[0]["exists"], false);
    }

    fn whole_values_replace(&self) {
        let answer = self.karma(&["secrets", "set", "validator"], FIRST);
        assert_eq!(answer.status.code(), Some(2), "a text has no keys: {answer:?}");
        let whole = json!({ "API_KEY": "x", "WALLET": FIRST });
        self.succeeds(&["secrets", "set", "validator"], &whole.to_string());
        assert_eq!(self.value(), whole);
    }

    fn checks(&self) -> Vec<Value> {
        let answer = self.karma(&["doctor", "--json"], "");
        let answer: Value = serde_json::from_slice(&answer.stdout).expect("the doctor's answer is JSON");
        answer["checks"].as_array().cloned().unwrap_or_default()
    }

    fn succeeds(&self, arguments: &[&str], input: &str) -> String {
        let answer = self.karma(arguments, input);
        assert!(answer.status.success(), "{arguments:?}: {answer:?}");
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// Nothing that it says has a value in it.
    fn karma(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(karma_binary())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KARMA_DIR", self.stack.path())
            .env("AWS_ENDPOINT_URL", self.moto.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("karma can be started");
        let mut stdin = child.stdin.take().expect("it was asked for");
        // One that does not want any input may have closed it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let answer = child.wait_with_output().expect("karma ends");
        let said = [answer.stdout.as_slice(), &answer.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("hunter"), "{said}");
        answer
    }

    /// What tasks would be given.
    fn value(&self) -> Value {
        let answer = self.ask("GetSecretValue", &json!({ "SecretId": "demo/validator" }));
        let text = answer["SecretString"].as_str().expect("the secret is a text");
        serde_json::from_str(text).expect("the secret is JSON")
    }

    /// Asks the server itself. It does not look at signatures.
    fn ask(&self, action: &str, body: &Value) -> Value {
        let address = self.moto.endpoint().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let body = body.to_string();
        let scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: secretsmanager.{action}\r\nAuthorization: {scope}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("the server takes it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

/// Every file below a directory.
fn texts_below(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let paths = entries.map(|entry| entry.expect("the directory can be read").path());
    let texts = paths.flat_map(|path| {
        if path.is_dir() {
            return texts_below(&path);
        }
        vec![String::from_utf8_lossy(&fs::read(path).expect("a file can be read")).into_owned()]
    });
    texts.collect()
}
