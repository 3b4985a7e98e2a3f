//! How a child makes the terminal on its standard input its own.

use std::fs::{self, File};
use std::io;

use nix::unistd::setsid;

/// Leads a session of its own; the first terminal that such a process opens is the session's.
/// <https://man7.org/linux/man-pages/man2/setsid.2.html>
pub(super) fn take() -> io::Result<()> {
    setsid()?;
    let path = fs::read_link("/proc/self/fd/0")?;
    File::options().read(true).write(true).open(path).map(drop)
}
