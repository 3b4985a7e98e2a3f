//! [`Conversation`]: what is typed to a command and what it prints, over a socket.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::channel::{Channel, Event};
use super::error::ExecError;
use super::message::MessageId;
use super::payload::{CLIENT_VERSION, OpenDataChannel, Refusal, Size};
use super::socket::Socket;

/// So much waits for a slow user; then the command waits too.
const BACKLOG: usize = 16;

/// A connection that carries nothing for longer is cut off on the way.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// What is typed goes in pieces of this size, as AWS's own client sends it.
const PIECE: usize = 1024;

/// End of transmission: what a terminal takes for the end of what is typed.
const END_OF_INPUT: u8 = 0x04;

/// Something for the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// To its terminal.
    Bytes(Vec<u8>),
    /// Nothing more will be typed.
    End,
    /// The user's terminal has another size now.
    Resize {
        /// How wide.
        columns: u16,
        /// How high.
        rows: u16,
    },
}

/// Something from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    /// From its terminal.
    Output(Vec<u8>),
    /// From its standard error, where the agent tells it apart.
    Errors(Vec<u8>),
    /// What the account's owner wants users to read.
    Greeting(String),
    /// It has ended. The agent tells the exit code only of commands without a terminal; ECS gives every command one.
    Ended(Option<i32>),
}

/// A command that runs in a task. The connection is closed when this is dropped.
#[derive(Debug)]
pub struct Conversation {
    typed: mpsc::Sender<Typed>,
    printed: mpsc::Receiver<Result<Printed, ExecError>>,
}

impl Conversation {
    /// Opens the channel with its token. To be called within an async runtime.
    pub(super) fn begin(socket: Socket, token: &str, (columns, rows): (u16, u16)) -> Self {
        let (typed, typing) = mpsc::channel(BACKLOG);
        let (printing, printed) = mpsc::channel(BACKLOG);
        let now = Instant::now();
        let talk = Talk {
            socket,
            channel: Channel::new(now, Timestamp::now(), random),
            exit_code: None,
            last_typed: b'\n',
        };
        tokio::spawn(talk.run(open(token), Size { cols: columns, rows }, typing, printing));
        Self { typed, printed }
    }

    /// What the command prints next. After [`Printed::Ended`] there is nothing.
    pub async fn next(&mut self) -> Result<Option<Printed>, ExecError> {
        self.printed.recv().await.transpose()
    }

    /// The other half: to type while one waits for what is printed.
    pub fn keyboard(&self) -> mpsc::Sender<Typed> {
        self.typed.clone()
    }
}

/// The first thing that is sent.
fn open(token: &str) -> String {
    let id = || MessageId::from_random(random()).to_string();
    let open = OpenDataChannel {
        message_schema_version: "1.0",
        request_id: id(),
        token_value: token,
        client_id: id(),
        client_version: CLIENT_VERSION,
    };
    serde_json::to_string(&open).expect("plain data can be written as JSON")
}

fn random() -> u128 {
    fastrand::u128(..)
}

/// Both ends of what is said, and the state between.
struct Talk {
    socket: Socket,
    channel: Channel,
    exit_code: Option<i32>,
    last_typed: u8,
}

/// How a conversation came to its end.
type Ending = Result<Option<i32>, ExecError>;

impl Talk {
    async fn run(
        mut self,
        open: String,
        size: Size,
        typed: mpsc::Receiver<Typed>,
        printed: mpsc::Sender<Result<Printed, ExecError>>,
    ) {
        let ending = match self.send_text(open).await {
            Ok(()) => self.converse(size, typed, &printed).await,
            Err(error) => Err(error),
        };
        // An error means that the other end, or the user, has gone already.
        let _ = self.socket.close(None).await;
        let _ = printed.send(ending.map(Printed::Ended)).await;
    }

    async fn converse(
        &mut self,
        size: Size,
        mut typed: mpsc::Receiver<Typed>,
        printed: &mpsc::Sender<Result<Printed, ExecError>>,
    ) -> Ending {
        let mut pings = interval(KEEP_ALIVE);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut first_size = Some(size);
        loop {
            if let Some(size) = first_size.take_if(|_| self.channel.takes_input()) {
                let resize = self.channel.resize(size, Instant::now());
                self.send(resize).await?;
            }
            let takes_input = self.channel.takes_input();
            let resend = self.channel.resend_at();
            tokio::select! {
                frame = self.socket.next() => match frame {
                    Some(Ok(frame)) => if let Some(ending) = self.receive(frame, printed).await? {
                        return ending;
                    },
                    Some(Err(_)) | None => return self.exit_code.map(Some).ok_or(ExecError::Broke),
                },
                Some(typed) = typed.recv(), if takes_input => self.take(typed).await?,
                () = at(resend) => self.resend().await?,
                _ = pings.tick() => self.frame(Frame::Ping("keepalive".into())).await?,
                () = printed.closed() => return Ok(None),
            }
        }
    }

    /// Takes a frame; `Some` when it was the last one.
    async fn receive(
        &mut self,
        frame: Frame,
        printed: &mpsc::Sender<Result<Printed, ExecError>>,
    ) -> Result<Option<Ending>, ExecError> {
        if matches!(frame, Frame::Close(_)) {
            return Ok(Some(self.exit_code.map(Some).ok_or(ExecError::Broke)));
        }
        if !matches!(frame, Frame::Binary(_) | Frame::Text(_)) {
            return Ok(None);
        }
        let step = self.channel.receive(&frame.into_data(), Instant::now());
        // What has arrived is shown, even if it can no longer be acknowledged.
        let sent = self.send_all(step.send).await;
        for event in step.events {
            let shown = match event {
                Event::Output(bytes) => Printed::Output(bytes),
                Event::Errors(bytes) => Printed::Errors(bytes),
                Event::Greeting(text) => Printed::Greeting(text),
                Event::Exit(code) => {
                    self.exit_code = Some(code);
                    continue;
                }
                Event::Refused(Refusal::Encryption) => return Err(ExecError::Encryption),
                Event::Refused(Refusal::Unknown(what)) => return Err(ExecError::Handshake(what)),
                Event::Closed(reason) => return Ok(Some(self.closed(reason))),
            };
            // An error means that the user has gone, which the loop sees too.
            let _ = printed.send(Ok(shown)).await;
        }
        sent.map(|()| None)
    }

    /// A session that was entered ends when the command does. One that was not is closed for a reason.
    fn closed(&self, reason: String) -> Ending {
        if self.channel.has_begun() || reason.is_empty() {
            Ok(self.exit_code)
        } else {
            Err(ExecError::Closed(reason))
        }
    }

    async fn take(&mut self, typed: Typed) -> Result<(), ExecError> {
        let bytes = match typed {
            Typed::Bytes(bytes) => bytes,
            Typed::Resize { columns, rows } => {
                let resize = self.channel.resize(Size { cols: columns, rows }, Instant::now());
                return self.send(resize).await;
            }
            // In the middle of a line the first of two only ends the line.
            Typed::End if self.last_typed == b'\n' => vec![END_OF_INPUT],
            Typed::End => vec![END_OF_INPUT; 2],
        };
        for piece in bytes.chunks(PIECE) {
            let input = self.channel.input(piece, Instant::now());
            self.send(input).await?;
        }
        self.last_typed = bytes.last().copied().unwrap_or(self.last_typed);
        Ok(())
    }

    async fn resend(&mut self) -> Result<(), ExecError> {
        match self.channel.resend(Instant::now()) {
            Ok(Some(bytes)) => self.send(bytes).await,
            Ok(None) => Ok(()),
            Err(_lost) => Err(ExecError::Broke),
        }
    }

    async fn send_all(&mut self, messages: Vec<Vec<u8>>) -> Result<(), ExecError> {
        for bytes in messages {
            self.send(bytes).await?;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), ExecError> {
        self.frame(Frame::Binary(bytes.into())).await
    }

    async fn send_text(&mut self, text: String) -> Result<(), ExecError> {
        self.frame(Frame::Text(text.into())).await
    }

    async fn frame(&mut self, frame: Frame) -> Result<(), ExecError> {
        self.socket.send(frame).await.map_err(|_| ExecError::Broke)
    }
}

/// Waits until then; for ever where there is no such time.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}
