//! The value of a secret, from a terminal that does not show it, from a pipe or from a file. It is never an argument: those can be read by everybody
//! on the machine, and are kept by shells.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::thread;

use karma_aws::Password;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::printer::Printer;
use crate::wiring::Interrupts;

/// Secrets Manager takes no longer one.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const LONGEST: u64 = 65_536;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Whoever sits there, or whatever is piped in.
    Input,
    /// A file.
    File(PathBuf),
}

/// While this lives the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone needs no mode.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads a value; the end of its last line is not part of it. `what` is asked for at a terminal.
pub(crate) async fn read(source: &Source, what: &str, printer: Printer) -> Result<Password, Failure> {
    let value = match source {
        Source::File(path) => from_file(path)?,
        Source::Input if io::stdin().is_terminal() => prompted(what, printer).await?,
        Source::Input => whole(io::stdin().lock(), "standard input")?,
    };
    if value.reveal().is_empty() {
        return Err(
            Failure::unable("the value is empty").hint("type one, pipe one in, or name a file: --from-file FILE")
        );
    }
    Ok(value)
}

fn from_file(path: &Path) -> Result<Password, Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::caused_by(format!("cannot read {shown}"), &error))?;
    whole(file, &shown)
}

/// Errors do not quote what was read.
fn whole(from: impl Read, shown: &str) -> Result<Password, Failure> {
    let mut text = String::new();
    let read = from.take(LONGEST + 1).read_to_string(&mut text);
    let value = Password::from(text);
    read.map_err(|error| Failure::caused_by(format!("cannot read {shown}"), &error))?;
    if value.reveal().len() as u64 > LONGEST {
        return Err(Failure::unable(format!(
            "{shown} is longer than {LONGEST} bytes, the most that a secret can have"
        )));
    }
    Ok(without_line_end(value))
}

fn without_line_end(value: Password) -> Password {
    let text = value.reveal();
    let line = text
        .strip_suffix('\n')
        .map(|text| text.strip_suffix('\r').unwrap_or(text));
    line.map(|line| Password::from(line.to_owned())).unwrap_or(value)
}

/// The line is read by a thread that nobody waits for: who is asked may also press Ctrl-C, and the terminal is to be as it was.
async fn prompted(what: &str, printer: Printer) -> Result<Password, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let hidden = Hidden::begin().map_err(|error| Failure::caused_by("cannot hide what is typed", &error))?;
    printer.error(&format!("{what} (it is not shown):"));
    let (sender, line) = oneshot::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = io::stdin().lock().take(LONGEST).read_line(&mut text);
        let value = Password::from(text);
        // An error means that nobody waits any more.
        let _ = sender.send(read.map(|_| value));
    });
    let typed = tokio::select! {
        typed = line => typed.expect("the thread sends a line or an error"),
        () = interrupts.next() => return Err(Failure::no("interrupted: nothing was changed")),
    };
    drop(hidden);
    let value = typed.map_err(|error| Failure::caused_by("cannot read what is typed", &error))?;
    Ok(without_line_end(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, value: &str) {
        assert_eq!(whole(input.as_bytes(), "it").unwrap().reveal(), value);
    }

    #[test]
    fn only_the_last_line_end_is_no_part_of_a_value() {
        check("secret\n", "secret");
        check("secret\r\n", "secret");
        check("two\nlines\n\n", "two\nlines\n");
        check("no end", "no end");
        check("", "");
    }

    #[test]
    fn what_cannot_be_a_value_is_refused_unshown() {
        let error = whole(&b"hunter2\xff"[..], "it").unwrap_err().render();
        assert!(!error.contains("hunter2"), "{error}");
        let long = "x".repeat(70_000);
        let error = whole(long.as_bytes(), "it").unwrap_err().render();
        assert!(error.contains("65536") && !error.contains("xxx"), "{error}");
    }
}
