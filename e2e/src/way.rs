//! A way to a server that a test can bar: what a network and an account can do to requests.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The way to a server of this machine. Each request travels alone, on a connection of its own.
///
/// It is a proxy as well: a request for a whole address, as proxies get them, goes to the same server.
#[derive(Debug)]
pub struct Way {
    port: u16,
    state: Arc<Mutex<State>>,
}

/// What becomes of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// They are passed on, and answered.
    Open,
    /// They are answered with this status and this XML, and not passed on.
    Refused(u16, &'static str),
    /// Those that write are answered so, the others pass.
    WritesRefused(u16, &'static str),
    /// Nobody ever answers.
    Silent,
    /// Those that write are passed on and their answers get lost; the others pass.
    WritesUnanswered,
}

#[derive(Debug)]
struct State {
    passage: Passage,
    /// The requests so far, without their bodies.
    heads: Vec<String>,
    /// Who waits for an answer that does not come.
    waiting: Vec<TcpStream>,
}

impl Way {
    /// A way, open, to what listens at this port.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::new(Mutex::new(State {
            passage: Passage::Open,
            heads: Vec::new(),
            waiting: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that has gone has no use for an answer.
                thread::spawn(move || drop(walk(client, server, &state)));
            }
        });
        Self { port, state }
    }

    /// Where it begins.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on, this becomes of requests. Who waits for an answer is cut off.
    pub fn set(&self, passage: Passage) {
        let mut state = lock(&self.state);
        state.passage = passage;
        state.waiting.clear();
    }

    /// The requests so far: their first lines and headers.
    pub fn heads(&self) -> Vec<String> {
        lock(&self.state).heads.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn walk(mut client: TcpStream, server: u16, state: &Mutex<State>) -> io::Result<()> {
    let Some((head, body)) = read_request(&mut client)? else {
        return Ok(());
    };
    let passage = {
        let mut state = lock(state);
        state.heads.push(head.clone());
        state.passage.clone()
    };
    let is_writing = ["PUT ", "POST ", "DELETE "]
        .iter()
        .any(|method| head.starts_with(method));
    match passage {
        Passage::Refused(status, xml) => refuse(&mut client, status, xml),
        Passage::WritesRefused(status, xml) if is_writing => refuse(&mut client, status, xml),
        Passage::Silent => {
            lock(state).waiting.push(client);
            Ok(())
        }
        Passage::WritesUnanswered if is_writing => pass_on(server, &head, &body).map(drop),
        Passage::Open | Passage::WritesRefused(..) | Passage::WritesUnanswered => {
            client.write_all(&pass_on(server, &head, &body)?)
        }
    }
}

/// A request's head, without the blank line, and its body; none where the client has sent nothing.
pub fn read_request(client: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut read = Vec::new();
    let mut bytes = [0; 4096];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let mut body = read.split_off(end + 4);
            let so_far = body.len();
            body.resize(content_length(&head).max(so_far), 0);
            client.read_exact(&mut body[so_far..])?;
            return Ok(Some((head, body)));
        }
        match client.read(&mut bytes)? {
            0 => return Ok(None),
            count => read.extend_from_slice(&bytes[..count]),
        }
    }
}

fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    length.unwrap_or(0)
}

fn refuse(client: &mut TcpStream, status: u16, xml: &str) -> io::Result<()> {
    write!(
        client,
        "HTTP/1.1 {status} Refused\r\nContent-Type: application/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{xml}",
        xml.len()
    )
}

/// The server's whole answer.
pub fn pass_on(server: u16, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut server = TcpStream::connect(("127.0.0.1", server))?;
    server.write_all(format!("{first}\r\nConnection: close\r\n{headers}\r\n\r\n").as_bytes())?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}
