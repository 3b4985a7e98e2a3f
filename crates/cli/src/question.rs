//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::printer::{Printer, Style};
use crate::wiring::Interrupts;

/// Whether to ask at all.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct YesArgument {
    /// Do not ask; off a terminal nobody can be asked
    #[arg(short, long)]
    yes: bool,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Yes,
    No,
}

impl YesArgument {
    /// Asks for a `yes` in full.
    pub(crate) async fn confirm(self, question: &str, printer: Printer) -> Result<Reply, Failure> {
        self.ask(&format!("{question} Only `yes` is taken for one:"), "yes", printer)
            .await
    }

    /// Asks for a name to be typed back.
    pub(crate) async fn confirm_by_name(self, question: &str, name: &str, printer: Printer) -> Result<Reply, Failure> {
        self.ask(&format!("{question} Type `{name}` to go on:"), name, printer)
            .await
    }

    async fn ask(self, question: &str, wanted: &str, printer: Printer) -> Result<Reply, Failure> {
        if self.yes {
            return Ok(Reply::Yes);
        }
        if !io::stdin().is_terminal() {
            return Err(
                Failure::unable("nobody can be asked: standard input is no terminal").hint("answer beforehand: --yes")
            );
        }
        printer.error(&printer.paint_talk(Style::Bold, question));
        let mut interrupts = Interrupts::listen()?;
        let answer = tokio::select! {
            answer = line() => answer?,
            () = interrupts.next() => return Ok(Reply::No),
        };
        Ok(if answer.trim() == wanted { Reply::Yes } else { Reply::No })
    }
}

/// A line of standard input, read by a thread that nobody waits for: who is asked may also press Ctrl-C.
async fn line() -> Result<String, Failure> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line).map(|_| line);
        // Nobody waits for it any more.
        let _ = sender.send(read);
    });
    let read = receiver.await.expect("the thread sends before it ends");
    read.map_err(|error| Failure::caused_by("cannot read the answer", &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::{ColorChoice, Verbosity};

    #[tokio::test]
    async fn who_said_yes_is_not_asked() {
        let printer = Printer::new(ColorChoice::Never, Verbosity::Quiet);
        let reply = YesArgument { yes: true }
            .confirm_by_name("Destroy it?", "stack", printer)
            .await;
        assert_eq!(reply.unwrap(), Reply::Yes);
    }
}
