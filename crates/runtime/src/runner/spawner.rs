//! The thread that all children are born of.
//!
//! The parent-death signal comes when the *thread* that started a child ends, not only its process
//! (<https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html>), and threads of an async runtime come and go. So one thread does
//! nothing but start children, and lives as long as somebody holds the [`Spawner`].

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Starts children from one thread.
#[derive(Debug)]
pub(crate) struct Spawner(mpsc::Sender<Order>);

type Order = (Command, oneshot::Sender<io::Result<Child>>);

impl Spawner {
    /// Starts the thread. The children belong to the current async runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || work(&runtime, &orders))?;
        Ok(Self(sender))
    }

    /// Starts a child, which is killed when nobody holds it any more.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts children is gone");
        command.kill_on_drop(true);
        let (answer, child) = oneshot::channel();
        self.0.send((command, answer)).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

fn work(runtime: &Handle, orders: &mpsc::Receiver<Order>) {
    let _guard = runtime.enter();
    for (mut command, answer) in orders {
        // Where nobody waits for the child any more it is dropped here, and so killed.
        let _ = answer.send(command.spawn());
    }
}
