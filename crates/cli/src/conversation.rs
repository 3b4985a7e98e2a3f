//! A conversation with a command that runs in a task, here or on AWS: [`Ears`] for what it prints, [`Mouth`] for what is typed.

use karma_aws::{Printed, Typed};
use karma_runtime::{Frame, FrameReader, FrameWriter, WindowSize};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::failure::Failure;

/// A command, and the task that it is to be run in.
#[derive(Debug)]
pub(crate) struct WantedCommand {
    /// A service, whose newest running task is meant, or the beginning of a task's id.
    pub(crate) target: String,
    /// In which container; `None` where the task has only one.
    pub(crate) container: Option<String>,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// How large the user's terminal is, where he sits at one.
    pub(crate) terminal: Option<WindowSize>,
}

/// What a command prints.
pub(crate) enum Ears {
    Local(FrameReader<BufReader<UnixStream>>),
    Aws(karma_aws::Conversation),
}

/// What is typed to it.
pub(crate) enum Mouth {
    Local(FrameWriter<BufReader<UnixStream>>),
    Aws(mpsc::Sender<Typed>),
}

/// Something from a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// From its standard output, or from its terminal.
    Output(Vec<u8>),
    /// From its standard error.
    Errors(Vec<u8>),
    /// Something that is not the command's, for the user to read.
    Notice(String),
    /// It has ended, with this exit code where that is told.
    Ended(Option<i32>),
}

/// Something for a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// To its standard input.
    Bytes(Vec<u8>),
    /// Its standard input ends here.
    End,
    /// The user's terminal has another size now.
    Resize(WindowSize),
}

/// Whether somebody else has to end a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// It was told.
    Told,
    /// It ends with the conversation.
    EndsAlone,
}

/// What a terminal makes of Ctrl-C.
const INTERRUPT: u8 = 0x03;

impl Ears {
    /// The next thing. That there is none means that whoever ran the command has gone.
    pub(crate) async fn next(&mut self) -> Result<Heard, Failure> {
        let broken = |error| Failure::caused_by("the conversation with the command broke", &error);
        let gone = || Failure::unable("the fleet has stopped while the command ran");
        loop {
            let heard = match self {
                Self::Local(reader) => of_frame(reader.next().await.map_err(broken)?.ok_or_else(gone)?),
                Self::Aws(conversation) => Some(of_printed(conversation.next().await?.ok_or_else(gone)?)),
            };
            if let Some(heard) = heard {
                return Ok(heard);
            }
        }
    }
}

fn of_frame(frame: Frame) -> Option<Heard> {
    match frame {
        Frame::Output(bytes) => Some(Heard::Output(bytes)),
        Frame::Errors(bytes) => Some(Heard::Errors(bytes)),
        Frame::Exit(code) => Some(Heard::Ended(Some(code))),
        Frame::Input(_) | Frame::InputEnd | Frame::Resize(_) => None,
    }
}

fn of_printed(printed: Printed) -> Heard {
    match printed {
        Printed::Output(bytes) => Heard::Output(bytes),
        Printed::Errors(bytes) => Heard::Errors(bytes),
        Printed::Greeting(text) => Heard::Notice(text),
        Printed::Ended(code) => Heard::Ended(code),
    }
}

impl Mouth {
    /// A command that has just ended does not listen any more; that it has is on the way.
    pub(crate) async fn say(&mut self, said: Said) {
        match self {
            Self::Local(writer) => drop(writer.send(&frame(said)).await),
            Self::Aws(keyboard) => drop(keyboard.send(typed(said)).await),
        }
    }

    /// Has the command interrupted: here it ends when the user goes; on AWS it has to be told.
    pub(crate) async fn interrupt(&mut self) -> Interrupted {
        match self {
            Self::Local(_) => Interrupted::EndsAlone,
            Self::Aws(_) => {
                self.say(Said::Bytes(vec![INTERRUPT])).await;
                Interrupted::Told
            }
        }
    }
}

fn frame(said: Said) -> Frame {
    match said {
        Said::Bytes(bytes) => Frame::Input(bytes),
        Said::End => Frame::InputEnd,
        Said::Resize(size) => Frame::Resize(size),
    }
}

fn typed(said: Said) -> Typed {
    match said {
        Said::Bytes(bytes) => Typed::Bytes(bytes),
        Said::End => Typed::End,
        Said::Resize(WindowSize { columns, rows }) => Typed::Resize { columns, rows },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn on_aws_all_is_typed_and_an_interrupt_too() {
        let (keyboard, mut typed) = mpsc::channel(8);
        let mut mouth = Mouth::Aws(keyboard);
        let size = WindowSize { columns: 80, rows: 24 };
        for said in [Said::Bytes(b"ls\n".to_vec()), Said::Resize(size), Said::End] {
            mouth.say(said).await;
        }
        assert_eq!(mouth.interrupt().await, Interrupted::Told);
        drop(mouth);
        let mut all = Vec::new();
        while let Some(typed) = typed.recv().await {
            all.push(typed);
        }
        let (columns, rows) = (80, 24);
        assert_eq!(
            all,
            [
                Typed::Bytes(b"ls\n".to_vec()),
                Typed::Resize { columns, rows },
                Typed::End,
                Typed::Bytes(vec![0x03]),
            ]
        );
    }

    #[test]
    fn an_exit_code_that_nobody_tells_stays_untold() {
        assert_eq!(of_printed(Printed::Ended(None)), Heard::Ended(None));
        assert_eq!(of_printed(Printed::Ended(Some(3))), Heard::Ended(Some(3)));
        assert_eq!(of_frame(Frame::Exit(3)), Some(Heard::Ended(Some(3))));
        assert_eq!(of_frame(Frame::InputEnd), None);
    }

    #[tokio::test]
    async fn who_listens_no_more_is_no_failure() {
        let (keyboard, typed) = mpsc::channel(1);
        drop(typed);
        Mouth::Aws(keyboard).say(Said::End).await;
    }
}
