//! Images built by `karma` go to a real registry, Debian's `docker-registry`, and a program that is not ours, skopeo, reads them back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use karma_e2e::karma::{Answer, StackCopy, agents};
use karma_e2e::registry::{Access, CutWay, DockerRegistry, lacking};
use serde_json::Value;

/// `open-sesame`, as `htpasswd -nbB me` writes it.
const USERS: &str = "me:$2y$05$AdyyLK9LsiIU1GLGTsSRSu9YAi9G7NrGDXsK.3C1l73QNHPDRt6kC\n";

/// The name of an account's registry on AWS.
const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

/// The project's stack with images of a small program, and a file of so many bytes that do not compress.
struct Images {
    stack: StackCopy,
    /// By repository.
    digests: BTreeMap<String, String>,
}

impl Images {
    fn build(noise: usize) -> Self {
        let stack = StackCopy::without_images();
        let program = static_program(stack.path());
        let data = stack.path().join("data");
        fs::create_dir(&data).expect("the copy can be written");
        fs::write(data.join("noise"), self::noise(noise)).expect("the copy can be written");
        let mut text = format!(
            "[defaults]\nprogram = '{}'\npath = \"/bin/agent\"\nfiles = {{ \"/app/data\" = '{}' }}\n",
            program.display(),
            data.display()
        );
        for agent in agents() {
            text.push_str(&format!("[image.\"karmacadabra/{agent}\"]\nargs = [{agent:?}]\n"));
        }
        stack.write("karma.toml", &text);
        let built = stack.run(&["image", "build", "--json"]);
        assert_eq!(built.code, Some(0), "{built:?}");
        let built: Value = serde_json::from_str(&built.stdout).expect("JSON was asked for");
        let mut digests = BTreeMap::new();
        collect_digests(&built, &mut digests);
        assert_eq!(digests.len(), agents().len(), "{built}");
        Self { stack, digests }
    }

    fn push(&self, flags: &[&str]) -> Answer {
        self.stack.run(&[&["image", "push"], flags].concat())
    }

    /// The same by somebody whose password goes through standard input.
    fn push_as(&self, password: &str, flags: &[&str], environment: &[(&str, &Path)]) -> Answer {
        let mut command = self.stack.command(&[&["image", "push"], flags].concat());
        command
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("karma can be started");
        let mut stdin = child.stdin.take().expect("it was asked for");
        // Who does not read it has failed, and says why.
        let _ = writeln!(stdin, "{password}");
        drop(stdin);
        Answer::from(child.wait_with_output().expect("it is our child"))
    }

    /// What skopeo finds in a registry is what was built.
    fn check_read_back(&self, host: &str) {
        for (repository, digest) in &self.digests {
            let tag = tag(digest);
            let inspected = skopeo(&[
                "inspect",
                "--tls-verify=false",
                &format!("docker://{host}/{repository}:{tag}"),
            ]);
            let inspected: Value = serde_json::from_str(&inspected).expect("skopeo inspects in JSON");
            assert_eq!(inspected["Digest"], digest.as_str(), "{repository}");
        }
    }
}

/// A repository's digest stands under its name, wherever that is.
fn collect_digests(value: &Value, found: &mut BTreeMap<String, String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        match value.as_str().or_else(|| value["digest"].as_str()) {
            Some(digest) if key.starts_with("karmacadabra/") => {
                found.insert(key.clone(), digest.to_owned());
            }
            _ => collect_digests(value, found),
        }
    }
}

/// The first twelve digits of a digest.
fn tag(digest: &str) -> &str {
    &digest["sha256:".len()..][..12]
}

/// A static executable, as an image needs it.
fn static_program(directory: &Path) -> PathBuf {
    let (source, program) = (directory.join("agent.rs"), directory.join("agent"));
    fs::write(&source, "fn main() { println!(\"here\"); }").expect("the copy can be written");
    let status = Command::new("rustc")
        .args([
            "--edition",
            "2024",
            "-C",
            "target-feature=+crt-static",
            "-C",
            "opt-level=s",
            "-o",
        ])
        .args([&program, &source])
        .status();
    assert!(status.is_ok_and(|status| status.success()), "rustc makes a program");
    program
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}

fn skopeo(arguments: &[&str]) -> String {
    let output = Command::new("skopeo")
        .args(arguments)
        .output()
        .expect("skopeo is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn is_skipped(test: &str) -> bool {
    let reason = lacking(&["docker-registry", "skopeo"]);
    if let Some(reason) = &reason {
        karma_e2e::skip(test, reason);
    }
    reason.is_some()
}

fn count(requests: &[String], beginning: &str) -> usize {
    requests.iter().filter(|request| request.starts_with(beginning)).count()
}

#[test]
fn five_images_are_pushed_once_and_read_back_by_skopeo() {
    if is_skipped("five_images_are_pushed_once_and_read_back_by_skopeo") {
        return;
    }
    let images = Images::build(1 << 20);
    let registry = DockerRegistry::start(Access::default());
    let host = registry.host();
    let pushed = images.push(&["--to", &host, "--json"]);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let answer: Value = serde_json::from_str(&pushed.stdout).expect("JSON was asked for");
    for (repository, digest) in &images.digests {
        assert_eq!(answer["images"][repository]["digest"], digest.as_str());
        let reference = format!("{host}/{repository}:{}@{digest}", tag(digest));
        assert_eq!(answer["images"][repository]["reference"], reference);
    }
    images.check_read_back(&host);

    // The layers that five images have in common were sent once, and taken from there four times.
    let requests = registry.requests();
    let mounted = requests
        .iter()
        .filter(|request| request.contains("?mount=") && request.ends_with(" 201"));
    assert!(mounted.count() >= 8, "{requests:#?}");

    // All of an image can be fetched.
    let (repository, digest) = images.digests.iter().next().expect("there are five");
    let copy = images.stack.path().join("copy");
    let from = format!("docker://{host}/{repository}@{digest}");
    skopeo(&[
        "copy",
        "--src-tls-verify=false",
        &from,
        &format!("dir:{}", copy.display()),
    ]);
    assert!(copy.join("manifest.json").is_file());

    // What is attached stands where clients look for it in a registry that keeps no list.
    let list = format!("docker://{host}/{repository}:{}", digest.replace(':', "-"));
    let list: Value =
        serde_json::from_str(&skopeo(&["inspect", "--raw", "--tls-verify=false", &list])).expect("a manifest is JSON");
    assert!(
        list["manifests"].as_array().is_some_and(|attached| attached.len() >= 2),
        "{list}"
    );

    // The second time nothing is written.
    let before = registry.requests().len();
    let again = images.push(&["--to", &host, "--json"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let answer: Value = serde_json::from_str(&again.stdout).expect("JSON was asked for");
    let changed = answer["images"]
        .as_object()
        .expect("a map")
        .values()
        .filter(|image| image["changed"] == true);
    assert_eq!(changed.count(), 0, "{answer}");
    let requests = &registry.requests()[before..];
    assert_eq!(
        ["POST", "PATCH", "PUT"].map(|method| count(requests, method)),
        [0, 0, 0],
        "{requests:#?}"
    );
}

#[test]
fn a_registry_that_is_killed_and_comes_back_gets_the_rest() {
    if is_skipped("a_registry_that_is_killed_and_comes_back_gets_the_rest") {
        return;
    }
    let images = Images::build(24 << 20);
    let mut registry = DockerRegistry::start(Access::default());
    let way = CutWay::to(registry.port(), 13 << 20);
    let host = way.host();
    let pushed = std::thread::scope(|scope| {
        let push = scope.spawn(|| images.push(&["--to", &host]));
        way.wait_for_cut();
        registry.kill();
        registry.start_again();
        way.go_on();
        push.join().expect("pushing does not panic")
    });
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    images.check_read_back(&registry.host());
}

#[test]
fn a_registry_that_is_killed_for_good_has_no_tag_and_the_next_push_heals_it() {
    if is_skipped("a_registry_that_is_killed_for_good_has_no_tag_and_the_next_push_heals_it") {
        return;
    }
    let images = Images::build(24 << 20);
    let mut registry = DockerRegistry::start(Access::default());
    let way = CutWay::to(registry.port(), 13 << 20);
    let host = way.host();
    let pushed = std::thread::scope(|scope| {
        let push = scope.spawn(|| images.push(&["--to", &host]));
        way.wait_for_cut();
        registry.kill();
        way.go_on();
        push.join().expect("pushing does not panic")
    });
    assert_eq!(pushed.code, Some(2), "{pushed:?}");
    assert!(
        pushed.stderr.contains(&way.host()) && pushed.stderr.contains("hint: "),
        "{pushed:?}"
    );
    assert_eq!(registry.tags(), 0);
    registry.start_again();
    let host = registry.host();
    let again = images.push(&["--to", &host]);
    assert_eq!(again.code, Some(0), "{again:?}");
    images.check_read_back(&host);
}

#[test]
fn only_who_is_known_may_push() {
    if is_skipped("only_who_is_known_may_push") {
        return;
    }
    let images = Images::build(1000);
    let users = images.stack.path().join("users");
    fs::write(&users, USERS).expect("the copy can be written");
    let registry = DockerRegistry::start(Access {
        users: Some(&users),
        ..Access::default()
    });
    let host = registry.host();
    let to = ["--to", &host, "--username", "me", "--password-stdin"];

    let nobody = images.push(&["--to", &host]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    let said = format!("error: the registry {host} does not accept requests without credentials");
    assert!(
        nobody.stderr.contains(&said) && nobody.stderr.contains("--password-stdin"),
        "{nobody:?}"
    );
    let wrong = images.push_as("let-me-in", &to, &[]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let said = format!("error: the registry {host} does not accept the credentials of `me`");
    assert!(
        wrong.stderr.contains(&said) && !wrong.stderr.contains("let-me-in"),
        "{wrong:?}"
    );
    assert_eq!(registry.tags(), 0);

    let right = images.push_as("open-sesame", &[&to[..], &["validator"]].concat(), &[]);
    assert_eq!(right.code, Some(0), "{right:?}");
    // What `docker login` has written down does as well.
    let docker = images.stack.path().join("docker");
    fs::create_dir(&docker).expect("the copy can be written");
    let configuration = format!(r#"{{"auths":{{"{host}":{{"auth":"bWU6b3Blbi1zZXNhbWU="}}}}}}"#);
    fs::write(docker.join("config.json"), configuration).expect("the copy can be written");
    let known = images.push_as("", &["--to", &host], &[("DOCKER_CONFIG", &docker)]);
    assert_eq!(known.code, Some(0), "{known:?}");
    assert_eq!(known.stdout.lines().count(), 5);
}

#[test]
fn a_credential_helper_is_asked_and_never_quoted() {
    if is_skipped("a_credential_helper_is_asked_and_never_quoted") {
        return;
    }
    let images = Images::build(1000);
    let users = images.stack.path().join("users");
    fs::write(&users, USERS).expect("the copy can be written");
    let registry = DockerRegistry::start(Access {
        users: Some(&users),
        ..Access::default()
    });
    let host = registry.host();
    let push = |configuration: &str, helper: &str| {
        let directory = images.stack.path();
        fs::write(directory.join("config.json"), configuration).expect("the copy can be written");
        executable(&directory.join("docker-credential-here"), helper);
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let path = [directory.to_owned()].into_iter().chain(std::env::split_paths(&usual));
        let path = PathBuf::from(std::env::join_paths(path).expect("no directory of programs has a colon in its name"));
        images.push_as("", &["--to", &host], &[("DOCKER_CONFIG", directory), ("PATH", &path)])
    };
    let kept = format!(
        "read server && [ \"$1 $server\" = 'get {host}' ] && echo '{{\"Username\":\"me\",\"Secret\":\"open-sesame\"}}'"
    );
    let own = format!(r#"{{"credsStore":"nobody","credHelpers":{{"{host}":"here"}}}}"#);
    for (configuration, helper, code, said) in [
        (&*own, &*kept, 0, ""),
        (r#"{"credsStore":"here"}"#, &kept, 0, ""),
        (
            &own,
            "echo credentials not found in native keychain; exit 1",
            2,
            "does not accept requests without credentials",
        ),
        (
            &own,
            "echo 'open-sesame'",
            2,
            "docker-credential-here does not give the password",
        ),
        (
            &own,
            "echo 'open-sesame'; exit 1",
            2,
            "hint: log in again: docker login",
        ),
        (
            r#"{"credsStore":"nobody"}"#,
            &kept,
            2,
            "docker-credential-nobody does not give the password",
        ),
    ] {
        let answer = push(configuration, helper);
        assert_eq!(answer.code, Some(code), "{configuration} {helper}: {answer:?}");
        assert!(answer.stderr.contains(said), "{answer:?}");
        assert!(!format!("{answer:?}").contains("open-sesame"), "{answer:?}");
    }
}

/// A shell script that can be run.
fn executable(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("the copy can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

#[test]
fn a_host_that_is_elsewhere_is_trusted_by_its_own_name() {
    if is_skipped("a_host_that_is_elsewhere_is_trusted_by_its_own_name") {
        return;
    }
    let images = Images::build(1000);
    let [authority, certificate, key] = certificates(images.stack.path());
    let registry = DockerRegistry::start(Access {
        tls: Some((&certificate, &key)),
        ..Access::default()
    });
    let resolve = format!("{ECR}:443:{}", registry.host());
    let flags = [
        "validator",
        "--to",
        ECR,
        "--resolve",
        &resolve,
        "--username",
        "AWS",
        "--password-stdin",
    ];

    let distrusted = images.push_as("x", &flags, &[]);
    assert_eq!(distrusted.code, Some(2), "{distrusted:?}");
    assert!(distrusted.stderr.contains("SSL_CERT_FILE"), "{distrusted:?}");
    assert_eq!(registry.tags(), 0);

    let pushed = images.push_as("x", &flags, &[("SSL_CERT_FILE", &authority)]);
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let digest = &images.digests["karmacadabra/validator"];
    let reference = format!("{ECR}/karmacadabra/validator:{}@{digest}\n", tag(digest));
    assert_eq!(pushed.stdout, reference);
    assert!(
        pushed.stderr.contains(&registry.host()),
        "what is elsewhere is told: {pushed:?}"
    );
}

/// An authority of our own, a certificate that it gave to ECR's name, and the key of that.
fn certificates(directory: &Path) -> [PathBuf; 3] {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
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
        fs::write(file, text).expect("the copy can be written");
    }
    files
}
