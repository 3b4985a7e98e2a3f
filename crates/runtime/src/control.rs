//! The control socket: how another process asks a running fleet. One JSON value per line, in both directions.
//!
//! ```text
//! → {"version":2,"request":"observe"}
//! ← {"version":2,"response":"observation","observation":{…}}
//! → {"version":2,"request":"watch"}
//! ← {"version":2,"response":"progress","progress":{…}}      any number of them
//! ← {"version":2,"response":"stopped"}
//! → {"version":2,"request":"dance"}
//! ← {"version":2,"response":"refused","reason":"…","hint":"…"}
//! ```
//!
//! A connection carries any number of requests, one after the other; each is answered before the next is read. A request whose answer is a stream
//! has the connection to itself until the stream's last message. Whatever is asked is answered: what cannot be done, and what this version
//! does not know, is [`Refused`](Response::Refused), and the connection goes on.
//!
//! A new request is a variant of [`Request`], one of [`Response`], an arm in `server.rs` and a method in `client.rs`.

mod client;
mod connection;
mod message;
mod orchestrator;
mod server;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

pub use client::{Control, ControlError};
use connection::{Connection, MessageError};
use message::{Request, Response};
pub(crate) use server::ControlServer;

/// The form of what is said. It changes when a message that both sides know gets another meaning; a new message alone does not change it.
const VERSION: u32 = 2;

const SOCKET: &str = "control.sock";

/// The socket's path, short enough for a socket however long the directory's is: through a descriptor, which must live as long as the path is used.
/// <https://man7.org/linux/man-pages/man7/unix.7.html>
fn short_path(state_directory: &Path) -> io::Result<(File, PathBuf)> {
    let directory = File::open(state_directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(SOCKET);
    Ok((directory, path))
}
