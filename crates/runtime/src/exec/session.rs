//! [`Session`]: a command that runs in a task, and the conversation of a user with it.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::frame::{Frame, FrameReader, FrameWriter, frames};
use super::terminal::Terminal;

/// So many frames wait for a slow user; then the command waits too.
const BACKLOG: usize = 16;

/// So much of what it prints goes into one frame.
const PIECE: usize = 8 * 1024;

/// When the command has ended, what it printed last is read for at most so long.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The exit code where the kernel does not tell one.
const UNKNOWN: i32 = 255;

/// A command that runs in a task. It ends with all its group when this is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    group: Group,
    ends: Ends,
}

/// Our ends of a command's standard streams.
#[derive(Debug)]
pub(super) enum Ends {
    Pipes {
        input: Option<ChildStdin>,
        output: Option<ChildStdout>,
        errors: Option<ChildStderr>,
    },
    Terminal(Arc<Terminal>),
}

/// The processes of a command.
#[derive(Debug)]
struct Group(Pid);

/// Where what the user types goes.
enum Input {
    Pipe(Option<ChildStdin>),
    Terminal(Arc<Terminal>),
}

impl Drop for Group {
    fn drop(&mut self) {
        // An error means that they are gone already.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

impl Session {
    pub(super) fn new(child: Child, pid: Pid, ends: Ends) -> Self {
        Self {
            child,
            group: Group(pid),
            ends,
        }
    }

    /// Lets a user talk with it, until it has ended or he goes away.
    pub(crate) async fn converse(self, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (typed, shown) = frames(stream);
        let Self {
            child,
            group: _group,
            ends,
        } = self;
        let (printed, outgoing) = mpsc::channel(BACKLOG);
        let (input, output) = take_apart(ends, &printed);
        tokio::select! {
            ((), shown) = async { tokio::join!(attend(child, output, printed), show(outgoing, shown)) } => shown,
            left = feed(typed, input) => left,
        }
    }
}

fn take_apart(ends: Ends, printed: &mpsc::Sender<Frame>) -> (Input, JoinSet<()>) {
    let mut jobs = JoinSet::new();
    let input = match ends {
        Ends::Pipes { input, output, errors } => {
            jobs.spawn(copy(output, Frame::Output, printed.clone()));
            jobs.spawn(copy(errors, Frame::Errors, printed.clone()));
            Input::Pipe(input)
        }
        Ends::Terminal(terminal) => {
            jobs.spawn(copy_terminal(Arc::clone(&terminal), printed.clone()));
            Input::Terminal(terminal)
        }
    };
    (input, jobs)
}

/// Waits for the end, and tells it after all that was printed.
async fn attend(mut child: Child, mut output: JoinSet<()>, printed: mpsc::Sender<Frame>) {
    let status = child.wait().await;
    // What runs on in the background may hold the streams open for ever.
    let _ = timeout(LAST_WORDS, async { while output.join_next().await.is_some() {} }).await;
    let code = status
        .ok()
        .and_then(|status| status.code().or_else(|| Some(128 + status.signal()?)));
    // An error means that the user has gone.
    let _ = printed.send(Frame::Exit(code.unwrap_or(UNKNOWN))).await;
}

async fn show<Stream: AsyncWrite>(
    mut outgoing: mpsc::Receiver<Frame>,
    mut shown: FrameWriter<Stream>,
) -> io::Result<()> {
    while let Some(frame) = outgoing.recv().await {
        shown.send(&frame).await?;
        if matches!(frame, Frame::Exit(_)) {
            break;
        }
    }
    Ok(())
}

/// Hands on what the user types. Returns when he has gone.
async fn feed<Stream: AsyncRead>(mut typed: FrameReader<Stream>, mut input: Input) -> io::Result<()> {
    while let Some(frame) = typed.next().await? {
        match frame {
            Frame::Input(bytes) => input.write(&bytes).await,
            Frame::InputEnd => input.end(),
            Frame::Resize(size) => {
                if let Input::Terminal(terminal) = &input {
                    terminal.resize(size)?;
                }
            }
            Frame::Output(_) | Frame::Errors(_) | Frame::Exit(_) => {}
        }
    }
    Ok(())
}

impl Input {
    /// A command that does not read any more is no reason to end it.
    async fn write(&mut self, bytes: &[u8]) {
        let written = match self {
            Self::Pipe(Some(pipe)) => pipe.write_all(bytes).await,
            Self::Pipe(None) => Ok(()),
            Self::Terminal(terminal) => terminal.write_all(bytes).await,
        };
        if written.is_err() {
            self.end();
        }
    }

    /// A terminal's input has no end.
    fn end(&mut self) {
        if let Self::Pipe(pipe) = self {
            pipe.take();
        }
    }
}

async fn copy(stream: Option<impl AsyncRead + Unpin>, frame: fn(Vec<u8>) -> Frame, printed: mpsc::Sender<Frame>) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; PIECE];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        if printed.send(frame(buffer[..read].to_vec())).await.is_err() {
            return;
        }
    }
}

async fn copy_terminal(terminal: Arc<Terminal>, printed: mpsc::Sender<Frame>) {
    let mut buffer = vec![0; PIECE];
    while let Ok(read @ 1..) = terminal.read(&mut buffer).await {
        if printed.send(Frame::Output(buffer[..read].to_vec())).await.is_err() {
            return;
        }
    }
}
