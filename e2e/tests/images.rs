//! The images of the project's own stack, as its `karma.toml` has them: read by a program that is not ours, and unpacked, they run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use karma_e2e::karma::{Answer, StackCopy, agents, free_port, repository, request, target_directory, wait_until};
use karma_e2e::skip;
use karma_e2e::skip::skip_everywhere;
use serde_json::Value;

/// What the project promises of each, compressed.
const LARGEST: u64 = 15_000_000;

/// The project's stack with its own `karma.toml`, and what was built of it.
struct Images {
    stack: StackCopy,
    built: Value,
}

impl Images {
    fn build() -> Self {
        let stack = StackCopy::new();
        let text = fs::read_to_string(repository().join("terraform/karma.toml")).expect("the stack has one");
        let root = format!("root = \"{}\"", repository().display());
        assert!(text.contains("root = \"..\""), "{text}");
        stack.write("karma.toml", &text.replace("root = \"..\"", &root));
        let output = toolchain(&mut stack.command(&["image", "build", "--json"])).output();
        let output = output.expect("karma can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let built: Value = serde_json::from_slice(&output.stdout).expect("JSON was asked for");
        Self {
            built: built["images"].clone(),
            stack,
        }
    }

    fn layout(&self) -> PathBuf {
        self.stack.path().join(".karma/images")
    }

    /// skopeo's answer about an image.
    fn skopeo(&self, agent: &str, flags: &[&str]) -> Value {
        let output = Command::new("skopeo")
            .arg("inspect")
            .args(flags)
            .arg(format!("oci:{}:karmacadabra/{agent}", self.layout().display()))
            .output()
            .expect("skopeo is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("skopeo answers with JSON")
    }

    /// Lays the layers of an image over one another in a directory.
    fn unpack(&self, agent: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir_in(target_directory()).expect("the target directory can be written");
        let answer = self.stack.run(&["image", "inspect", agent, "--json"]);
        let inspected: Value = serde_json::from_str(&answer.stdout).expect("JSON was asked for");
        let image = &inspected["images"][format!("karmacadabra/{agent}")];
        for layer in image["layers"].as_array().expect("an image has layers") {
            let digest = layer["digest"].as_str().expect("a layer has a digest");
            let blob = self.layout().join("blobs").join(digest.replace(':', "/"));
            let tar = Command::new("tar")
                .args(["--extract", "--gzip", "--no-same-owner", "--file"])
                .arg(blob)
                .arg("--directory")
                .arg(directory.path())
                .status();
            assert!(tar.is_ok_and(|status| status.success()), "tar unpacks {digest}");
        }
        directory
    }
}

#[test]
fn five_small_images_share_a_program_and_another_reader_sees_the_same() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        return skip("another reader sees the same images", "apt-get install skopeo");
    }
    let images = Images::build();
    let mut programs = Vec::new();
    for agent in agents() {
        let built = &images.built[format!("karmacadabra/{agent}")];
        assert!(built["size"].as_u64().is_some_and(|size| size <= LARGEST), "{built}");
        let seen = images.skopeo(agent, &[]);
        assert_eq!(seen["Digest"], built["digest"]);
        programs.push(seen["Layers"].as_array().and_then(|layers| layers.last()).cloned());
        let config = &images.skopeo(agent, &["--config"])["config"];
        assert_eq!(
            (&config["User"], &config["Cmd"][0]),
            (&Value::from("65532:65532"), &Value::from(agent))
        );
    }
    programs.dedup();
    assert_eq!(programs.len(), 1, "{programs:?}");
}

#[test]
fn an_image_holds_nothing_but_what_it_is_for_and_unpacked_it_runs() {
    let images = Images::build();
    let root = images.unpack("validator");
    let mut files = Vec::new();
    list(root.path(), root.path(), &mut files);
    let foreign = |file: &&String| !file.starts_with("app/data/");
    let own: Vec<_> = files.iter().filter(foreign).collect();
    assert_eq!(
        own,
        [
            "etc/group",
            "etc/passwd",
            "etc/ssl/certs/ca-certificates.crt",
            "usr/local/bin/karma-agent"
        ]
    );
    if !can_change_root() {
        return skip(
            "unpacked, an image runs",
            "no user namespaces here: sysctl kernel.unprivileged_userns_clone=1",
        );
    }
    runs(root.path());
}

/// The agent answers within its own root, and so does the container's health check, which is a subcommand of it.
#[test]
fn an_image_for_arm64_is_built_where_target_and_linker_exist() {
    let name = "an_image_for_arm64_is_built_where_target_and_linker_exist";
    let stack = StackCopy::without_images();
    stack.write("terraform.tfvars", "cpu_architecture = \"ARM64\"\n");
    stack.write(
        "Cargo.toml",
        "[package]\nname = \"here\"\nedition = \"2024\"\n[workspace]\n",
    );
    fs::create_dir(stack.path().join("src")).expect("the copy can be written");
    stack.write("src/main.rs", "fn main() { println!(\"here\"); }\n");
    stack.write(
        "karma.toml",
        "[image.\"karmacadabra/validator\"]\npath = \"/bin/here\"\nprogram = \"target/{target}/debug/here\"\n\
         build = [\"cargo\", \"build\", \"--offline\", \"--target\", \"{target}\", \"--config\", \
         'target.{target}.rustflags = [\"-Ctarget-feature=+crt-static\"]']\n",
    );
    let built = toolchain(&mut stack.command(&["image", "build"])).output();
    let built = Answer::from(built.expect("karma can be started"));
    if built.code == Some(2) && built.stderr.contains("rustup target add") {
        return skip_everywhere(name, "Rust's library for aarch64-unknown-linux-gnu is not here");
    }
    assert_eq!(built.code, Some(0), "{built:?}");
    let inspected = stack.run(&["image", "inspect", "--json", "validator"]);
    assert!(inspected.stdout.contains("arm64"), "{inspected:?}");
}

fn runs(root: &Path) {
    fs::create_dir(root.join("dev")).expect("an image has no devices");
    let port = free_port();
    let mut agent = Running(
        within(root, &["validator"], port)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare starts"),
    );
    let reply = wait_until("the agent to answer", || {
        assert!(
            agent.0.try_wait().expect("it is our child").is_none(),
            "the agent has ended"
        );
        request(port, "GET", "/health", "").ok()
    });
    assert_eq!(reply.status, 200, "{reply:?}");
    let health = within(root, &["health"], port).output().expect("unshare starts");
    assert!(health.status.success(), "{health:?}");
}

/// What a container gets from whoever runs it: devices, and a root of its own.
const CONTAINED: &str = r#"mount --rbind /dev "$0/dev" && exec chroot "$0" "$@""#;

/// A command of the image's program with the image's files, and devices, as the only ones.
fn within(root: &Path, arguments: &[&str], port: u16) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", CONTAINED])
        .arg(root)
        .arg("/usr/local/bin/karma-agent")
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOST", "127.0.0.1")
        .env("PORT", port.to_string())
        .env("DATA_DIR", "/app/data")
        .stdin(Stdio::null());
    command
}

fn can_change_root() -> bool {
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--root", "/", "true"])
        .status();
    status.is_ok_and(|status| status.success())
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The files below a directory, in order.
/// A build command is cargo, which is told where its toolchain is.
fn toolchain(command: &mut Command) -> &mut Command {
    let places = ["HOME", "CARGO_HOME", "RUSTUP_HOME"].map(|name| (name, std::env::var_os(name)));
    command.envs(places.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

fn list(root: &Path, directory: &Path, files: &mut Vec<String>) {
    let entries = fs::read_dir(directory).expect("it was unpacked here");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            list(root, &path, files);
        } else {
            let relative = path.strip_prefix(root).expect("it lies there");
            files.push(relative.display().to_string());
        }
    }
}
