//! [`Terminal`]: our end of a terminal that a command sits at.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSize {
    /// How wide.
    pub columns: u16,
    /// How high.
    pub rows: u16,
}

/// Our end of a terminal.
#[derive(Debug)]
pub(super) struct Terminal(AsyncFd<File>);

impl Terminal {
    /// A new one, and the end that is for the command.
    pub(super) fn open(size: WindowSize) -> io::Result<(Self, OwnedFd)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let path = ptsname(&ours, Vec::new())?;
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let theirs = open(path.as_c_str(), flags, Mode::empty())?;
        fcntl(&ours, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        #[expect(
            deprecated,
            reason = "what replaces it is unsafe; a `File` owns its descriptor, and nobody exchanges it here"
        )]
        let terminal = Self(AsyncFd::new(ours.into())?);
        terminal.resize(size)?;
        Ok((terminal, theirs))
    }

    /// Tells the command that its terminal has another size.
    pub(super) fn resize(&self, size: WindowSize) -> io::Result<()> {
        let size = Winsize {
            ws_col: size.columns,
            ws_row: size.rows,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(tcsetwinsize(self.0.get_ref(), size)?)
    }

    /// What the command prints; an error when nobody has its end any more.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .async_io(Interest::READABLE, |file| io::Read::read(&mut &*file, buffer))
            .await
    }

    /// Types.
    pub(super) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let write = |file: &File| io::Write::write(&mut &*file, bytes);
            let written = self.0.async_io(Interest::WRITABLE, write).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}
