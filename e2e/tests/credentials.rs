//! Credentials are found wherever the AWS CLI finds them: <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
//!
//! STS is a server that speaks its API. What else gives credentials out (a container's host, the portal of IAM Identity Center) is played by a few lines.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use karma_e2e::karma::{Answer, karma_binary, target_directory};
use karma_e2e::moto::Moto;
use karma_e2e::skip;
use serde_json::Value;

const TEST: &str = "credentials_come_from_wherever_the_aws_cli_takes_them";

const STACK: &str = "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n\nresource \"aws_ecs_cluster\" \"main\" {\n  name = \"main\"\n}\n";

const CONFIGURATION: &str = r#"
[profile process]
credential_process = echo '{ "Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "not-a-secret" }'

[profile role]
role_arn       = arn:aws:iam::123456789012:role/deploy
source_profile = work

[profile sso]
sso_session    = here
sso_account_id = 123456789012
sso_role_name  = deploy

[sso-session here]
sso_region              = eu-west-1
sso_start_url           = https://here.awsapps.com/start
sso_registration_scopes = sso:account:access
"#;

const KEYS: &str = "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = not-a-secret\n";

/// What `aws sso login` leaves, under the SHA-1 of the session's name.
const SSO_LOGIN: (&str, &str) = (
    "0154c0dabe7145db37e0b81bf667e7224abec0ba.json",
    r#"{ "startUrl": "https://here.awsapps.com/start", "region": "eu-west-1", "accessToken": "a-login", "expiresAt": "2099-01-01T00:00:00Z" }"#,
);

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
const OF_A_CONTAINER: &str = r#"{ "AccessKeyId": "AKIDCONTAINER", "SecretAccessKey": "not-a-secret", "Token": "t", "Expiration": "2099-01-01T00:00:00Z" }"#;

/// <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html>
const OF_THE_PORTAL: &str = r#"{ "roleCredentials": { "accessKeyId": "AKIDPORTAL", "secretAccessKey": "not-a-secret", "sessionToken": "t", "expiration": 4070908800000 } }"#;

#[test]
fn credentials_come_from_wherever_the_aws_cli_takes_them() {
    let moto = match Moto::start() {
        Ok(moto) => moto,
        Err(reason) => return skip(TEST, &reason),
    };
    let machine = Machine::new(moto.endpoint());
    machine.knows(
        &[
            ("AWS_ACCESS_KEY_ID", "AKIDHERE"),
            ("AWS_SECRET_ACCESS_KEY", "not-a-secret"),
        ],
        "",
    );
    machine.knows(&[("AWS_PROFILE", "work")], "");
    machine.knows(&[("AWS_PROFILE", "process")], "");
    machine.knows(&[("AWS_PROFILE", "role")], ":assumed-role/deploy/");
    let token = machine.home.path().join("token");
    fs::write(&token, "a-token-of-oidc").expect("the directory is ours");
    let token = token.display().to_string();
    let of_a_pipeline = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pipeline"),
        ("AWS_ROLE_SESSION_NAME", "run-7"),
    ];
    machine.knows(&of_a_pipeline, ":assumed-role/pipeline/run-7");
    let server = serve(OF_A_CONTAINER, "get /keys ", "authorization: of-the-host");
    let of_a_container = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*format!("{server}/keys")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-host"),
    ];
    machine.knows(&of_a_container, "");
    let portal = serve(
        OF_THE_PORTAL,
        "get /federation/credentials?",
        "x-amz-sso_bearer_token: a-login",
    );
    machine.knows(&[("AWS_PROFILE", "sso"), ("AWS_ENDPOINT_URL_SSO", &portal)], "");
    machine.does_not_know(&[("AWS_PROFILE", "nobody")]);
    machine.does_not_know(&[]);
}

/// A user's directory with what `aws configure` writes there, and a stack.
struct Machine {
    home: tempfile::TempDir,
    endpoint: String,
}

impl Machine {
    fn new(endpoint: &str) -> Self {
        let home = tempfile::tempdir_in(target_directory()).expect("the target directory can be written");
        let (file, login) = SSO_LOGIN;
        let files = [
            ("main.tf".to_owned(), STACK),
            (".aws/config".to_owned(), CONFIGURATION),
            (".aws/credentials".to_owned(), KEYS),
            (format!(".aws/sso/cache/{file}"), login),
        ];
        for (name, text) in files {
            let path = home.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("the directory is ours");
            fs::write(path, text).expect("the directory is ours");
        }
        Self {
            home,
            endpoint: endpoint.to_owned(),
        }
    }

    #[track_caller]
    fn knows(&self, environment: &[(&str, &str)], who: &str) {
        let check = self.credentials(environment);
        assert_eq!(check["verdict"], "OK", "{environment:?}: {check}");
        let finding = check["finding"].as_str().unwrap_or_default();
        assert!(
            finding.starts_with("account 123456789012, arn:aws:") && finding.contains(who),
            "{check}"
        );
    }

    #[track_caller]
    fn does_not_know(&self, environment: &[(&str, &str)]) {
        let check = self.credentials(environment);
        assert_eq!(check["verdict"], "MISSING", "{environment:?}: {check}");
        let mend = check["mend"].as_str().unwrap_or_default();
        for way in [
            "aws configure sso",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_ACCESS_KEY_ID",
            "aws configure export-credentials",
        ] {
            assert!(mend.contains(way), "{check}");
        }
    }

    /// What the doctor says of the credentials.
    fn credentials(&self, environment: &[(&str, &str)]) -> Value {
        let mut command = Command::new(karma_binary());
        command
            .args(["doctor", "--json"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("KARMA_DIR", self.home.path())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs(environment.iter().copied())
            .stdin(Stdio::null());
        let answer = Answer::from(command.output().expect("karma can be started"));
        let told: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        assert!(!format!("{answer:?}").contains("not-a-secret"), "{answer:?}");
        let mut checks = told["checks"].as_array().into_iter().flatten();
        checks
            .find(|check| check["name"] == "credentials")
            .expect("they are checked")
            .clone()
    }
}

/// Gives this out to whoever asks for the right thing and says who he is, and to nobody else. Where.
fn serve(answer: &'static str, asks: &'static str, says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who goes before the answer is there has failed, and says why.
            let _ = reply(stream, answer, asks, says);
        }
    });
    format!("http://{address}")
}

fn reply(mut stream: TcpStream, answer: &str, asks: &str, says: &str) -> std::io::Result<()> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let head: Vec<String> = head.map(|line| line.to_ascii_lowercase()).collect();
    let is_right = head.first().is_some_and(|line| line.starts_with(asks)) && head.iter().any(|line| line == says);
    let (status, body) = if is_right {
        ("200 OK", answer)
    } else {
        ("403 Forbidden", "{}")
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
