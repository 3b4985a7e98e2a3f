//! The terminal that the user sits at, while a command in a task has it.

use std::io;
use std::os::fd::AsFd;

use karma_runtime::WindowSize;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// While this lives every key goes to the command, Ctrl-C too. The terminal is as before when it is dropped.
#[derive(Debug)]
pub(crate) struct RawMode(Termios);

/// Tells when the terminal has another size.
#[derive(Debug)]
pub(crate) struct WindowChanges {
    signal: Option<Signal>,
    size: WindowSize,
}

impl RawMode {
    pub(crate) fn enter() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that has gone needs no mode.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

impl WindowChanges {
    /// `None` where this is no terminal that has a size.
    pub(crate) fn of_this_terminal() -> Option<Self> {
        Some(Self {
            signal: None,
            size: size()?,
        })
    }

    /// How large it was when it was asked last.
    pub(crate) fn size(&self) -> WindowSize {
        self.size
    }

    /// The next size. Where there is no terminal, never. To be called within an async runtime.
    pub(crate) async fn next(changes: &mut Option<Self>) -> WindowSize {
        let Some(Self {
            signal: heard,
            size: known,
        }) = changes
        else {
            return std::future::pending().await;
        };
        if heard.is_none() {
            *heard = signal(SignalKind::window_change()).ok();
        }
        loop {
            match heard {
                Some(heard) => heard.recv().await,
                None => std::future::pending().await,
            };
            if let Some(now) = size() {
                *known = now;
                return now;
            }
        }
    }
}

/// How many columns the terminal has that data goes to; `None` where it goes elsewhere.
pub(crate) fn columns() -> Option<usize> {
    columns_of(io::stdout())
}

/// The same of the terminal that talk goes to.
pub(crate) fn columns_of_talk() -> Option<usize> {
    columns_of(io::stderr())
}

fn columns_of(terminal: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

fn size() -> Option<WindowSize> {
    let size = tcgetwinsize(io::stdin()).ok()?;
    Some(WindowSize {
        columns: size.ws_col,
        rows: size.ws_row,
    })
}
