//! Streams of events, and how late they come out of a proxy.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Result;

const STREAMS: usize = 64;
/// Events of one stream that are looked at.
const EVENTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(5);

/// Times of events are counted from here, on both ends: they are in one process.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A server that sends each client the time, again and again, until this is dropped.
pub(super) struct EventSource {
    port: u16,
    stopped: Arc<AtomicBool>,
}

impl EventSource {
    pub(super) fn start() -> Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0))?;
        let port = socket.local_addr()?.port();
        let stopped = Arc::<AtomicBool>::default();
        let is_stopped = Arc::clone(&stopped);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                let is_stopped = Arc::clone(&is_stopped);
                thread::spawn(move || send(stream, &is_stopped));
            }
        });
        Ok(Self { port, stopped })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Sends events until the client goes away.
fn send(mut stream: TcpStream, is_stopped: &AtomicBool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = BufReader::new(stream.try_clone()?).lines();
    while head.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    while !is_stopped.load(Ordering::Relaxed) {
        let event = format!("data: {}\n\n", START.elapsed().as_nanos());
        stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// The delay that 99 of 100 events have at most, over many streams at once.
pub(super) fn slowest_hundredth(port: u16) -> Result<Duration> {
    let streams: Vec<_> = (0..STREAMS).map(|_| thread::spawn(move || listen(port))).collect();
    let mut delays = Vec::new();
    for stream in streams {
        delays.extend(stream.join().map_err(|_panic| "a reader of events has panicked")??);
    }
    delays.sort();
    let hundredth = delays.len().checked_sub(1 + delays.len() / 100);
    Ok(hundredth.map(|at| delays[at]).ok_or("no event has come")?)
}

fn listen(port: u16) -> io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n")?;
    let mut delays = Vec::new();
    for line in BufReader::new(stream).lines() {
        if let Some(sent) = line?.strip_prefix("data: ").and_then(|nanos| nanos.parse().ok()) {
            delays.push(START.elapsed().saturating_sub(Duration::from_nanos(sent)));
        }
        if delays.len() == EVENTS {
            break;
        }
    }
    Ok(delays)
}
