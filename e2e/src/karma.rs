//! `karma` as a user runs it: the real binary, real programs, a stack of its own, and nothing left behind.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a test waits for something that should take a second or two, on a machine that does something else too.
const PATIENCE: Duration = Duration::from_mins(1);

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the repository")
}

/// Set where the programs are built already: `cargo xtask test` has them from the tests of their own crates.
const PROGRAMS_ARE_BUILT: &str = "KARMA_E2E_PROGRAMS_ARE_BUILT";

/// Builds a package's binary in the profile of this test, where nobody has, and returns its path.
fn built(package: &str, binary: &str) -> PathBuf {
    let path = target_directory().join("debug").join(binary);
    if std::env::var_os(PROGRAMS_ARE_BUILT).is_some() {
        return path;
    }
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", package, "--bin", binary])
        .current_dir(repository())
        .status()
        .expect("cargo runs: it runs this test");
    assert!(status.success(), "cargo build --package {package} failed");
    path
}

/// The `karma` binary.
pub fn karma_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("karma", "karma"))
}

/// The `karma-agent` binary.
pub fn agent_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| built("karma-agents", "karma-agent"))
}

/// Where cargo builds; what a test makes goes below it.
pub fn target_directory() -> PathBuf {
    let deps = std::env::current_exe().expect("this test is a file");
    deps.ancestors()
        .nth(3)
        .expect("target/debug/deps/test has three parents")
        .to_owned()
}

/// A copy of the project's stack, with a `karma.toml` that starts the agents' program as it is built for the tests.
pub struct StackCopy {
    directory: tempfile::TempDir,
    port: u16,
}

impl StackCopy {
    /// The project's stack as it is.
    pub fn new() -> Self {
        let copy = Self::without_images();
        copy.write("karma.toml", &karma_toml());
        copy
    }

    /// The project's stack, and not a word of what its images are.
    pub fn without_images() -> Self {
        let directory = tempfile::tempdir_in(target_directory()).expect("the target directory can be written");
        for entry in fs::read_dir(repository().join("terraform")).expect("the stack is there") {
            let path = entry.expect("the stack can be listed").path();
            if path.extension().is_some_and(|extension| extension == "tf") {
                let name = path.file_name().expect("a file has a name");
                fs::copy(&path, directory.path().join(name)).expect("the stack can be copied");
            }
        }
        Self {
            directory,
            port: free_port(),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The port that its load balancer gets.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Adds or replaces a file of the stack.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the copy can be written");
    }

    /// A `karma` command about this stack, with an environment that tells it nothing.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(karma_binary());
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KARMA_DIR", self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Answer {
        let output = self.command(arguments).output().expect("karma can be started");
        Answer::from(output)
    }

    /// Starts `karma up` in the foreground with some flags more; it is killed if the test forgets it.
    pub fn up(&self, flags: &[&str]) -> Up {
        self.up_with_path(flags, Path::new(""))
    }

    /// The same, with a directory of programs that others do not see.
    pub fn up_with_path(&self, flags: &[&str], programs: &Path) -> Up {
        let port = self.port.to_string();
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([programs.to_owned()].into_iter().chain(std::env::split_paths(&usual)))
            .expect("no directory of programs has a colon in its name");
        let mut child = self
            .command(&[&["up", "--port", &port], flags].concat())
            .env("PATH", path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("karma can be started");
        let stderr = child.stderr.take().expect("stderr was asked for");
        let talk = std::thread::spawn(move || {
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .collect::<Vec<_>>()
                .join("\n")
        });
        Up {
            child,
            talk: Some(talk),
        }
    }

    /// `karma status --json`
    pub fn status(&self) -> Value {
        let answer = self.run(&["status", "--json"]);
        serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    /// Waits until something is true of `karma status --json`.
    pub fn wait_for(&self, what: &str, mut is_true: impl FnMut(&Value) -> bool) -> Value {
        wait_until(what, || {
            let answer = self.run(&["status", "--json"]);
            let status = serde_json::from_str(&answer.stdout).ok()?;
            is_true(&status).then_some(status)
        })
    }

    /// `GET http://127.0.0.1:<port><path>`
    pub fn get(&self, path: &str) -> Reply {
        request(self.port, "GET", path, "").unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// `POST http://127.0.0.1:<port><path>` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        request(self.port, "POST", path, &body.to_string()).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }
}

impl Drop for StackCopy {
    /// A test that failed may have left a fleet in the background.
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

impl Default for StackCopy {
    fn default() -> Self {
        Self::new()
    }
}

/// Asks until there is an answer, and panics when that takes too long.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The agents' names in their order: those that the project's `karma.toml` has images of.
pub fn agents() -> Vec<&'static str> {
    let lines = include_str!("../../terraform/karma.toml").lines();
    let name = |line: &'static str| line.strip_prefix("[image.\"karmacadabra/")?.strip_suffix("\"]");
    let mut names: Vec<&str> = lines.filter_map(name).collect();
    names.sort_unstable();
    names
}

fn karma_toml() -> String {
    let mut text = format!(
        "[defaults]\nprogram = \"{}\"\npath = \"/usr/local/bin/karma-agent\"\nfiles = {{ \"/app/data\" = \"{}\" }}\n",
        agent_binary().display(),
        repository().join("crates/agents/data").display(),
    );
    for agent in agents() {
        text.push_str(&format!("[image.\"karmacadabra/{agent}\"]\nargs = [{agent:?}]\n"));
    }
    text.push_str(&format!(
        "[chain]\nprepare = [\"{agent}\", \"prepare-chain\"]\n[demo]\nrun = [\"{agent}\", \"demo\"]\n",
        agent = agent_binary().display()
    ));
    text.push_str("[local]\nenvironment = { STORE_URL = \"file://{state}/store\", RATE_LIMIT_PER_MINUTE = \"off\" }\n");
    text
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// What a command that has ended said.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A `karma up` that runs.
pub struct Up {
    child: Child,
    talk: Option<std::thread::JoinHandle<String>>,
}

impl Up {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name: `INT`, `KILL`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.pid().to_string()])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// Waits for its end and returns how it ended and what it said on stderr.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let status = wait_until("karma up to end", || self.child.try_wait().expect("it is our child"));
        let talk = self
            .talk
            .take()
            .expect("it is taken once")
            .join()
            .expect("reading does not panic");
        (status, talk)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One HTTP/1.1 request on a connection of its own, written by hand so that nothing is retried behind the test's back.
pub fn request(port: u16, method: &str, path: &str, body: &str) -> std::io::Result<Reply> {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    parse_reply(&text).ok_or_else(|| std::io::Error::other(format!("not HTTP: {text:?}")))
}

/// Requests that go on, one after the other, until they are stopped.
pub struct Requests {
    enough: Arc<AtomicBool>,
    sending: std::thread::JoinHandle<(usize, Vec<String>)>,
}

impl Requests {
    /// Begins to send them.
    pub fn keep_sending(port: u16, path: &'static str) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&enough);
        let sending = std::thread::spawn(move || {
            let (mut sent, mut lost) = (0, Vec::new());
            while !asked.load(Ordering::Relaxed) {
                sent += 1;
                match request(port, "GET", path, "") {
                    Ok(reply) if reply.status < 500 => {}
                    other => lost.push(format!("{other:?}")),
                }
            }
            (sent, lost)
        });
        Self { enough, sending }
    }

    /// Returns how many were sent, and what became of those that were lost.
    pub fn stop(self) -> (usize, Vec<String>) {
        self.enough.store(true, Ordering::Relaxed);
        self.sending.join().expect("asking does not panic")
    }
}

fn parse_reply(text: &str) -> Option<Reply> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body)? } else { body.to_owned() };
    Some(Reply { status, body })
}

fn unchunked(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..size)?);
        body = rest.get(size + 2..)?;
    }
}
