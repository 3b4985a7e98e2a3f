//! How a child makes the terminal on its standard input its own.

use std::fs::File;
use std::io;

use nix::unistd::{setsid, ttyname};

/// Leads a session of its own; the first terminal that such a process opens is the session's.
/// <https://man7.org/linux/man-pages/man2/setsid.2.html>
pub(super) fn take() -> io::Result<()> {
    setsid()?;
    let path = ttyname(io::stdin())?;
    File::options().read(true).write(true).open(path).map(drop)
}
