//! What `karma deploy` needs, all of it on this machine: a server that speaks AWS's API, a registry under ECR's name, and the project's stack with
//! images of a small program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::SystemTime;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value as Json;

use crate::karma::{Answer, agents, karma_binary, repository};
use crate::moto::Moto;
use crate::registry::{Access, DockerRegistry, lacking};
use crate::terraform::Terraform;

/// The name of the account's registry.
pub const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// Who may use the registry: only the user and password that `GetAuthorizationToken` gives out there, as `htpasswd -nbB` writes them.
const USERS: &str = "AWS:$2y$05$60dlxQ8ArmLvsqXOHzhddeKV2gYtfoJOrNTSjXjpCXHeLuEn5BjQ.\n";

/// The host of the load balancer, as moto names it.
const LOAD_BALANCER: &str = "karmacadabra-alb-1.us-east-1.elb.amazonaws.com";

/// Nothing is kept for later, and Terraform does not wait for tasks: nobody runs them here.
const VARIABLES: &str = "\
wait_for_steady_state         = false
secret_recovery_window_days   = 0
data_bucket_force_destroy     = true
";

/// An account, and a stack for it.
pub struct Account {
    /// Its AWS.
    pub moto: Moto,
    /// Its registry.
    pub registry: DockerRegistry,
    terraform: Terraform,
    authority: PathBuf,
    /// Where what is behind the load balancer really is.
    behind: u16,
}

/// A `karma` command whose events are read one by one.
pub struct Story {
    child: Child,
    events: std::io::Lines<BufReader<ChildStdout>>,
    /// What was read so far.
    told: Vec<String>,
}

impl Account {
    /// An empty account whose load balancer leads to this port. `Err` is the reason why there cannot be one on this machine.
    pub fn new(name: &str, behind: u16) -> Result<Self, String> {
        if let Some(reason) = lacking(&["docker-registry"]) {
            return Err(reason);
        }
        let moto = Moto::driven()?;
        let terraform = Terraform::with_stack_at(name, &repository().join("terraform"), moto.endpoint())?;
        let directory = terraform.directory().to_owned();
        fs::write(directory.join("terraform.tfvars"), VARIABLES).map_err(|error| error.to_string())?;
        let [authority, certificate, key] = certificates(&directory);
        let users = directory.join("users");
        fs::write(&users, USERS).map_err(|error| error.to_string())?;
        let registry = DockerRegistry::start(Access {
            users: Some(&users),
            tls: Some((&certificate, &key)),
        });
        let account = Self {
            moto,
            registry,
            terraform,
            authority,
            behind,
        };
        account.write_images("here");
        Ok(account)
    }

    /// Where the stack is.
    pub fn directory(&self) -> &Path {
        self.terraform.directory()
    }

    /// The digests that are written down for Terraform.
    pub fn digests(&self) -> Json {
        let text = fs::read_to_string(self.directory().join("images.auto.tfvars.json")).expect("digests are written");
        serde_json::from_str::<Json>(&text).expect("it is JSON")["image_digests"].take()
    }

    /// When each blob of the images was written.
    pub fn blobs(&self) -> BTreeMap<OsString, SystemTime> {
        let blobs = fs::read_dir(self.directory().join(".karma/images/blobs/sha256")).expect("images were built");
        let blob = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry?;
            Ok((entry.file_name(), entry.metadata()?.modified()?))
        };
        blobs
            .map(blob)
            .collect::<std::io::Result<_>>()
            .expect("blobs can be listed")
    }

    /// Has the validator's image, and no other, hold a file with this text.
    pub fn write_images(&self, validator: &str) {
        let program = self.directory().join("agent");
        if !program.exists() {
            compile(&program);
        }
        fs::write(self.directory().join("word"), validator).expect("the directory is ours");
        let mut text = "[defaults]\nprogram = \"agent\"\npath = \"/usr/local/bin/karma-agent\"\n".to_owned();
        for agent in agents() {
            text.push_str(&format!("[image.\"karmacadabra/{agent}\"]\nargs = [{agent:?}]\n"));
            if agent == "validator" {
                text.push_str("files = { \"/app/word\" = \"word\" }\n");
            }
        }
        fs::write(self.directory().join("karma.toml"), text).expect("the directory is ours");
    }

    /// Runs a command about the stack to its end.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        self.command(arguments).output().expect("karma can be started").into()
    }

    /// The events of a command that runs to its end, and its exit code.
    pub fn events(&self, arguments: &[&str]) -> (Vec<Json>, Answer) {
        let answer = self.run(&[arguments, &["--json"]].concat());
        let events = answer
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("an event is JSON"));
        (events.collect(), answer)
    }

    /// Starts a command whose events are read while it runs.
    pub fn start(&self, arguments: &[&str]) -> Story {
        let mut command = self.command(&[arguments, &["--json"]].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("karma can be started");
        let stdout = child.stdout.take().expect("it was asked for");
        Story {
            child,
            events: BufReader::new(stdout).lines(),
            told: Vec::new(),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let resolve = format!(
            "{ECR}:443:{},{LOAD_BALANCER}:80:127.0.0.1:{}",
            self.registry.host(),
            self.behind
        );
        let mut command = Command::new(karma_binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory())
            .env("KARMA_DIR", self.directory())
            .env("KARMA_RESOLVE", resolve)
            .env("SSL_CERT_FILE", &self.authority)
            .env("AWS_ACCESS_KEY_ID", "not-a-key")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TF_CLI_ARGS_apply", "-parallelism=30")
            .envs(self.terraform.environment())
            .stdin(Stdio::null());
        command
    }
}

impl Story {
    /// Reads on until an event has these members.
    pub fn until(&mut self, members: &Json) -> Json {
        loop {
            let Some(line) = self.events.next() else {
                panic!("it ended before {members}; what it told:\n{}", self.told.join("\n"));
            };
            let line = line.expect("an event is UTF-8");
            let event: Json = serde_json::from_str(&line).expect("an event is JSON");
            self.told.push(line);
            let wanted = members.as_object().into_iter().flatten();
            if wanted.into_iter().all(|(name, value)| event[name] == *value) {
                return event;
            }
        }
    }

    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is our child");
    }

    /// Reads the rest, and returns the exit code.
    pub fn end(mut self) -> Option<i32> {
        for line in self.events.by_ref() {
            drop(line);
        }
        self.child.wait().expect("it is our child").code()
    }
}

/// A static program.
fn compile(program: &Path) {
    let source = program.with_extension("rs");
    fs::write(&source, "fn main() { println!(\"here\"); }").expect("the directory is ours");
    let flags = [
        "--edition",
        "2024",
        "-C",
        "target-feature=+crt-static",
        "-C",
        "opt-level=s",
        "-o",
    ];
    let status = Command::new("rustc").args(flags).args([program, &source]).status();
    assert!(status.is_ok_and(|status| status.success()), "rustc makes a program");
}

/// An authority of our own, a certificate that it gave to ECR's name, and the key of that.
fn certificates(directory: &Path) -> [PathBuf; 3] {
    let own = KeyPair::generate().expect("a key can be made");
    let mut authority = CertificateParams::new(Vec::new()).expect("no name is no wrong name");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&own).expect("the authority signs itself");
    let key = KeyPair::generate().expect("a key can be made");
    let named = CertificateParams::new(vec![ECR.to_owned()]).expect("it is a name");
    let certificate = named
        .signed_by(&key, &Issuer::new(authority, own))
        .expect("the authority signs it");
    let texts = [root.pem(), certificate.pem(), key.serialize_pem()];
    let files = ["authority.pem", "certificate.pem", "key.pem"].map(|name| directory.join(name));
    for (file, text) in files.iter().zip(texts) {
        fs::write(file, text).expect("the directory is ours");
    }
    files
}
