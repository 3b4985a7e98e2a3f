//! The agent in a task on ECS, played: it speaks the data channel of Session Manager over a real WebSocket, and really runs what it is told to.
//! <https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/session/datachannel/datachannel.go>

mod frame;

use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, accept_hdr};

use frame::{Frame, payload};

/// What ECS sends users with, as `e2e/moto/lacking/execution.py` has it.
const TOKEN: &str = "a-token-of-ecs";

/// What a terminal makes of Ctrl-C, and takes for the end of what is typed.
const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;

/// So long it listens to the user before it looks at the command again.
const LISTEN: Duration = Duration::from_millis(10);

/// An agent that waits for sessions, for as long as the test runs.
#[derive(Debug)]
pub struct ExecAgent {
    port: u16,
    tells_exit_codes: Arc<AtomicBool>,
}

impl ExecAgent {
    /// Listens on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let tells_exit_codes = Arc::new(AtomicBool::new(true));
        let told = Arc::clone(&tells_exit_codes);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let told = Arc::clone(&told);
                thread::spawn(move || serve(stream, &told));
            }
        });
        Self { port, tells_exit_codes }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("ws://127.0.0.1:{}", self.port)
    }

    /// From now on it keeps exit codes to itself, as an agent does of a command at a terminal.
    pub fn keep_exit_codes(&self) {
        self.tells_exit_codes.store(false, Ordering::Relaxed);
    }
}

/// One session. A user who goes ends it, and the command with it.
fn serve(stream: TcpStream, tells_exit_codes: &AtomicBool) {
    let mut command = String::new();
    #[expect(clippy::result_large_err, reason = "tungstenite wants it so")]
    let socket = accept_hdr(stream, |request: &Request, response: Response| {
        command = asked_for(request.uri().query().unwrap_or_default());
        Ok(response)
    });
    let Ok(socket) = socket else {
        return;
    };
    let mut session = Session { socket, next: 0 };
    if session.begin().is_none() {
        return;
    }
    let mut running = Running::start(&command);
    // That the user has gone is an end as any other.
    let _ = session.talk(&mut running, tells_exit_codes);
    running.interrupt();
}

/// The command in `command=ls%20-l`.
fn asked_for(query: &str) -> String {
    let quoted = query.strip_prefix("command=").unwrap_or_default().as_bytes();
    let mut text = Vec::new();
    let mut place = 0;
    while let Some(byte) = quoted.get(place) {
        let digits = quoted.get(place + 1..place + 3).filter(|_| *byte == b'%');
        let unquoted = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        text.push(unquoted.unwrap_or(*byte));
        place += if unquoted.is_some() { 3 } else { 1 };
    }
    String::from_utf8(text).expect("a command is text")
}

/// One end of a channel.
struct Session {
    socket: WebSocket<TcpStream>,
    /// The number of its next message.
    next: i64,
}

/// Somebody has gone.
struct Gone;

impl Session {
    /// Sees who it is, and shakes hands. `None` for a stranger.
    fn begin(&mut self) -> Option<()> {
        let open = self.socket.read().ok()?.into_text().ok()?;
        let open: Json = serde_json::from_str(&open).ok()?;
        if open["TokenValue"] != TOKEN {
            return None;
        }
        let session = json!({ "SessionType": "InteractiveCommands", "Properties": {} });
        let action = json!({ "ActionType": "SessionType", "ActionParameters": session });
        let request = json!({ "AgentVersion": "3.3.0.0", "RequestedClientActions": [action] });
        self.say(payload::HANDSHAKE_REQUEST, request.to_string().as_bytes())
            .ok()?;
        // Before it come acknowledgements.
        while self
            .hear()
            .ok()?
            .is_none_or(|(kind, _)| kind != payload::HANDSHAKE_RESPONSE)
        {}
        let complete = json!({ "HandshakeTimeToComplete": 1_000_000, "CustomerMessage": "" });
        self.say(payload::HANDSHAKE_COMPLETE, complete.to_string().as_bytes())
            .ok()?;
        self.socket.get_ref().set_read_timeout(Some(LISTEN)).ok()
    }

    /// Passes on what is typed and what is printed until the command has ended.
    fn talk(&mut self, running: &mut Running, tells_exit_codes: &AtomicBool) -> Result<(), Gone> {
        loop {
            if let Some((payload::OUTPUT, typed)) = self.hear()? {
                running.type_in(&typed);
            }
            loop {
                match running.printed.try_recv() {
                    Ok((kind, bytes)) => self.say(kind, &bytes)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return self.end(running.exit_code(), tells_exit_codes),
                }
            }
        }
    }

    fn end(&mut self, exit_code: i32, tells_exit_codes: &AtomicBool) -> Result<(), Gone> {
        if tells_exit_codes.load(Ordering::Relaxed) {
            self.say(payload::EXIT_CODE, format!("EXIT_CODE: {exit_code}").as_bytes())?;
        }
        let closed = json!({ "MessageType": "channel_closed", "SessionId": "s", "Output": "" });
        self.send(&Frame::new(frame::CHANNEL_CLOSED, 0, 0, closed.to_string().as_bytes()))?;
        // The user closes the connection; until then what was said may be on its way.
        while self.hear().is_ok() {}
        Ok(())
    }

    fn say(&mut self, payload_type: u32, payload: &[u8]) -> Result<(), Gone> {
        let frame = Frame::new(frame::OUTPUT, self.next, payload_type, payload);
        self.next += 1;
        self.send(&frame)
    }

    fn send(&mut self, frame: &Frame) -> Result<(), Gone> {
        self.socket
            .send(Message::Binary(frame.encode().into()))
            .map_err(|_| Gone)
    }

    /// The next thing that is typed, acknowledged; `None` where nothing was, or not in time.
    fn hear(&mut self) -> Result<Option<(u32, Vec<u8>)>, Gone> {
        let message = match self.socket.read() {
            Ok(Message::Binary(bytes)) => Frame::decode(&bytes),
            Ok(Message::Close(_)) => return Err(Gone),
            Ok(_) => return Ok(None),
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(_) => return Err(Gone),
        };
        let Some(frame) = message.filter(|frame| frame.kind == frame::INPUT) else {
            return Ok(None);
        };
        let acknowledge = json!({
            "AcknowledgedMessageType": frame.kind,
            "AcknowledgedMessageId": frame.id(),
            "AcknowledgedMessageSequenceNumber": frame.sequence,
            "IsSequentialMessage": true,
        });
        let acknowledge = Frame::new(frame::ACKNOWLEDGE, 0, 0, acknowledge.to_string().as_bytes());
        self.send(&acknowledge)?;
        Ok(Some((frame.payload_type, frame.payload)))
    }
}

/// A command that runs, and what it prints: payloads by their types.
struct Running {
    child: Child,
    printed: Receiver<(u32, Vec<u8>)>,
}

impl Running {
    /// The words are split as a shell does it. It has a process group of its own, as a command at a terminal has.
    fn start(command: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let (sender, printed) = channel();
        read(
            child.stdout.take().expect("it was asked for"),
            payload::OUTPUT,
            sender.clone(),
        );
        read(child.stderr.take().expect("it was asked for"), payload::ERRORS, sender);
        Self { child, printed }
    }

    /// As a terminal does it.
    fn type_in(&mut self, typed: &[u8]) {
        match typed {
            [INTERRUPT] => self.interrupt(),
            typed => {
                let end = typed.iter().position(|byte| *byte == END_OF_INPUT);
                if let Some(stdin) = &mut self.child.stdin {
                    // One that has ended reads no more.
                    let _ = stdin.write_all(&typed[..end.unwrap_or(typed.len())]);
                }
                if end.is_some() {
                    self.child.stdin = None;
                }
            }
        }
    }

    fn interrupt(&self) {
        // It may have ended.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args(["-s", "INT", "--", &group])
            .stderr(Stdio::null())
            .status();
    }

    fn exit_code(&mut self) -> i32 {
        let status = self.child.wait().expect("it is our child");
        status.code().unwrap_or(-1)
    }
}

fn read(mut from: impl Read + Send + 'static, kind: u32, to: Sender<(u32, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.send((kind, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_out_of_its_address_as_it_was() {
        assert_eq!(asked_for("command=ls%20-l%20%27a%25b%27"), "ls -l 'a%b'");
        assert_eq!(asked_for("command=100%"), "100%");
        assert_eq!(asked_for(""), "");
    }
}
