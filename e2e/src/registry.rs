//! Debian's `docker-registry` on this machine, and a way to it that can be cut.

use std::fs;
use std::io::{Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::karma::{free_port, wait_until};

/// A registry with a directory of its own. It ends with this value.
pub struct DockerRegistry {
    directory: tempfile::TempDir,
    port: u16,
    process: Option<Child>,
}

/// How the registry is reached.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access<'a> {
    /// A file of users and bcrypt passwords, as `htpasswd` makes it.
    pub users: Option<&'a Path>,
    /// A certificate and its key.
    pub tls: Option<(&'a Path, &'a Path)>,
}

/// Why a test with a registry cannot run here, if it cannot.
pub fn lacking(programs: &[&str]) -> Option<String> {
    let is_there = |name: &&&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        !std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
    };
    let missing: Vec<_> = programs.iter().filter(is_there).copied().collect();
    (!missing.is_empty()).then(|| format!("apt-get install {}", missing.join(" ")))
}

impl DockerRegistry {
    /// Starts it with nothing in it.
    pub fn start(access: Access<'_>) -> Self {
        let directory =
            tempfile::tempdir_in(crate::karma::target_directory()).expect("the target directory can be written");
        let port = free_port();
        let mut registry = Self {
            directory,
            port,
            process: None,
        };
        let configuration = registry.configuration(access);
        fs::write(registry.directory.path().join("config.yml"), configuration).expect("the directory is ours");
        registry.start_again();
        registry
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it again with what it had.
    pub fn start_again(&mut self) {
        self.kill();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("the directory is ours");
        let errors = log.try_clone().expect("a file can be shared");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(self.directory.path().join("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("docker-registry is installed");
        self.process = Some(process);
        wait_until("docker-registry to listen", || {
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    /// The requests that it has answered: `POST /v2/a/blobs/uploads/?mount=… 201`.
    pub fn requests(&self) -> Vec<String> {
        let text = fs::read_to_string(self.log_file()).expect("the directory is ours");
        text.lines().filter_map(request).collect()
    }

    /// How many manifests it has under a tag.
    pub fn tags(&self) -> usize {
        files_named("tags", self.directory.path())
            .iter()
            .filter_map(|tags| fs::read_dir(tags).ok())
            .flatten()
            .count()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn configuration(&self, access: Access<'_>) -> String {
        let mut text = format!(
            "version: 0.1\nlog: {{ level: info, formatter: json, accesslog: {{ disabled: false }} }}\n\
             storage: {{ filesystem: {{ rootdirectory: {} }} }}\n",
            quoted(&self.directory.path().join("data"))
        );
        if let Some(users) = access.users {
            let users = quoted(users);
            text.push_str(&format!("auth: {{ htpasswd: {{ realm: here, path: {users} }} }}\n"));
        }
        // What an upload was given to go on with holds after it was started again.
        text.push_str(&format!(
            "http:\n  addr: 127.0.0.1:{}\n  secret: of-this-test\n",
            self.port
        ));
        if let Some((certificate, key)) = access.tls {
            let (certificate, key) = (quoted(certificate), quoted(key));
            text.push_str(&format!("  tls: {{ certificate: {certificate}, key: {key} }}\n"));
        }
        text
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.kill();
    }
}

/// As YAML takes it, and JSON.
fn quoted(path: &Path) -> String {
    serde_json::Value::from(path.display().to_string()).to_string()
}

/// Of a line of the access log: `127.0.0.1 - - [date] "POST /v2/… HTTP/1.1" 201 0 "" "karma/0.1.0"`.
fn request(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("] \"")?;
    let (request, rest) = rest.split_once(" HTTP/")?;
    let status = rest.split("\" ").nth(1)?.split(' ').next()?;
    Some(format!("{request} {status}"))
}

fn files_named(name: &str, below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.ends_with(name) {
            found.push(path);
        } else if path.is_dir() {
            found.extend(files_named(name, &path));
        }
    }
    found
}

/// A way to a server that is cut, once, when so many bytes have gone along it; and that a test can hold meanwhile.
pub struct CutWay {
    port: u16,
    cut: Receiver<()>,
    go_on: Sender<()>,
}

struct Budget {
    /// What may pass before the cut; `None` after it.
    left: Option<usize>,
    cut: Sender<()>,
    go_on: Receiver<()>,
}

impl CutWay {
    /// Leads to a port of this machine.
    pub fn to(server: u16, bytes: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (tell_cut, cut) = channel();
        let (go_on, wait) = channel();
        let budget = Arc::new(Mutex::new(Budget {
            left: Some(bytes),
            cut: tell_cut,
            go_on: wait,
        }));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let budget = Arc::clone(&budget);
                thread::spawn(move || lead(&client, server, &budget));
            }
        });
        Self { port, cut, go_on }
    }

    /// `127.0.0.1:<port>`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Waits for the cut. Nothing passes until [`Self::go_on`].
    pub fn wait_for_cut(&self) {
        self.cut
            .recv_timeout(std::time::Duration::from_mins(1))
            .expect("so much goes along this way");
    }

    /// Ends the connection that was cut, and lets the others pass.
    pub fn go_on(&self) {
        self.go_on.send(()).expect("the way waits for it");
    }
}

/// Where the server has gone, so does the client's connection.
fn lead(client: &TcpStream, server: u16, budget: &Mutex<Budget>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(&server, client, |_| true);
            close(client, &server);
        });
        copy(client, &server, |count| may_pass(budget, count));
        close(client, &server);
    });
}

fn close(client: &TcpStream, server: &TcpStream) {
    for stream in [client, server] {
        // It may be closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, mut may_pass: impl FnMut(usize) -> bool) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !may_pass(count) || to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// Others wait meanwhile.
fn may_pass(budget: &Mutex<Budget>, count: usize) -> bool {
    let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
    match budget.left {
        None => true,
        Some(left) if left > count => {
            budget.left = Some(left - count);
            true
        }
        Some(_) => {
            budget.left = None;
            // A test that does not listen any more has failed.
            let _ = budget.cut.send(());
            let _ = budget.go_on.recv();
            false
        }
    }
}
