//! What the tests start: the launcher, a small HTTP server, or an orchestrator of its own that can be killed.
//!
//! ```text
//! stand_in serve              answers on HOST:PORT
//! stand_in serve-politely     the same, and after SIGTERM goes on until nobody asks any more
//! stand_in serve-everywhere   answers on PORT of all addresses, whatever HOST says
//! stand_in up DIRECTORY       runs two services until it is killed
//! ```
//! Paths of the server: the last part counts. `health`, `host`, `cwd`, `env?NAME`, `slow?MILLISECONDS`, `exit?CODE`, `fetch?HOST:PORT/PATH`.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use karma_runtime::{LocalOrchestrator, LocalSecrets, Options};
use tokio::signal::unix::{SignalKind, signal};

#[path = "../tests/support/fleet.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod fleet;

/// Requests that have begun, and those that are done.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);

/// When no request has come for so long, none comes any more.
const QUIET: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    if karma_runtime::is_launch() {
        return karma_runtime::launch();
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve"] => env::var("HOST").map_err(io::Error::other).and_then(|host| serve(&host)),
        ["serve-politely"] => {
            thread::spawn(leave_when_quiet);
            env::var("HOST").map_err(io::Error::other).and_then(|host| serve(&host))
        }
        ["serve-everywhere"] => serve("0.0.0.0"),
        ["up", directory] => up(Path::new(directory)),
        _ => Err(io::Error::other("serve, or up DIRECTORY")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(host: &str) -> io::Result<()> {
    let port = env::var("PORT").map_err(io::Error::other)?;
    let listener = TcpListener::bind((host, port.parse().map_err(io::Error::other)?))?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept()?;
        BEGUN.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            // A client that has gone is no concern of the others.
            drop(answer(stream));
            DONE.fetch_add(1, Ordering::SeqCst);
        });
    }
}

/// Waits for SIGTERM, and then until no request has come for a while and none is under way.
fn leave_when_quiet() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        signal(SignalKind::terminate())?.recv().await;
        let mut seen = None;
        while seen != Some(DONE.load(Ordering::SeqCst)) || BEGUN.load(Ordering::SeqCst) != DONE.load(Ordering::SeqCst) {
            seen = Some(DONE.load(Ordering::SeqCst));
            tokio::time::sleep(QUIET).await;
        }
        exit("0")
    })
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, argument) = target.split_once('?').unwrap_or((target, ""));
    let body = match path.rsplit('/').next().unwrap_or_default() {
        "env" => env::var(argument).unwrap_or_else(|_| "(not set)".to_owned()),
        "host" => env::var("HOST").unwrap_or_default(),
        "cwd" => env::current_dir()?.display().to_string(),
        "slow" => {
            writeln!(io::stdout(), "slow begins")?;
            thread::sleep(Duration::from_millis(argument.parse().map_err(io::Error::other)?));
            "slow".to_owned()
        }
        "exit" => {
            writeln!(io::stderr(), "told to exit")?;
            exit(argument);
        }
        "fetch" => fetch(argument).unwrap_or_else(|error| error.to_string()),
        _ => "ok".to_owned(),
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "that is what it is told to do")]
fn exit(code: &str) -> ! {
    std::process::exit(code.parse().unwrap_or(1))
}

/// Asks another server, by whatever name it has here, and through a proxy where there is one.
fn fetch(target: &str) -> io::Result<String> {
    let (authority, path) = target.split_once('/').unwrap_or((target, ""));
    let (peer, uri) = match env::var("HTTP_PROXY") {
        Ok(proxy) => (
            proxy.trim_start_matches("http://").to_owned(),
            format!("http://{target}"),
        ),
        Err(_) => (authority.to_owned(), format!("/{path}")),
    };
    let mut stream = TcpStream::connect(peer)?;
    write!(
        stream,
        "GET {uri} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or(answer))
}

fn up(directory: &Path) -> io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let fleet = fleet::TestFleet::default()
            .program("server", env::current_exe()?, &["serve"])
            .program("shell", "/bin/sh", &[])
            .with(&fleet::service("server", fleet::server()))
            .with(&fleet::service("sleeper", fleet::shell("sleep 600 & sleep 600")));
        let options = Options {
            port: 0,
            ..Options::new(directory)
        };
        let secrets = LocalSecrets::default();
        let local = LocalOrchestrator::start(&fleet.fleet, &fleet.programs, &secrets, options).await;
        let local = local.map_err(io::Error::other)?;
        let health = local.wait_until_steady(Duration::from_secs(20)).await;
        writeln!(io::stdout(), "{health:?}")?;
        local.stopped().await;
        Ok(())
    })
}
