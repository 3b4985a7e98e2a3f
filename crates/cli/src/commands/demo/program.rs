//! The program that visits the fleet: `[demo]` of karma.toml, with the load balancer's URL as its last argument.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::event::Event;
use crate::failure::Failure;

/// So much of what it complains of is kept.
const LONGEST_COMPLAINT: u64 = 64 * 1024;

/// A visitor under way. It ends when this is dropped.
pub(super) struct Program {
    child: Child,
    shown: String,
    lines: mpsc::UnboundedReceiver<(Instant, String)>,
    complaint: JoinHandle<String>,
}

impl Program {
    /// Starts it in `root`, with these variables and no others, and out of reach of the terminal's Ctrl-C.
    pub(super) fn start(
        command: &[String],
        root: &Path,
        url: &str,
        variables: BTreeMap<String, String>,
    ) -> Result<Self, Failure> {
        let shown = command.join(" ");
        let (program, arguments) = command.split_first().ok_or_else(super::no_command)?;
        let mut child = Command::new(root.join(program))
            .args(arguments)
            .arg(url)
            .current_dir(root)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Failure::caused_by(format!("cannot run `{shown}`"), &error).hint("`karma up` builds it")
            })?;
        let stdout = child.stdout.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stdout = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = stdout.next_line().await {
                // Nobody listens any more: then there is nothing left to read for.
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        let complaint = tokio::spawn(async move {
            let mut complaint = String::new();
            // What is no text is no complaint that could be shown.
            let _ = stderr.take(LONGEST_COMPLAINT).read_to_string(&mut complaint).await;
            complaint
        });
        Ok(Self {
            child,
            shown,
            lines,
            complaint,
        })
    }

    /// What it tells next, and when it did; none when it has nothing more to tell.
    pub(super) async fn next(&mut self) -> Result<Option<(Instant, Event)>, Failure> {
        let Some((at, line)) = self.lines.recv().await else {
            return Ok(None);
        };
        let event = serde_json::from_str(&line)
            .map_err(|error| Failure::caused_by(format!("`{}` does not tell what it should", self.shown), &error))?;
        Ok(Some((at, event)))
    }

    /// How it ended, and what it complained of.
    pub(super) async fn end(mut self) -> Result<(ExitStatus, String), Failure> {
        let failed = |error| Failure::caused_by(format!("cannot wait for `{}`", self.shown), &error);
        let status = self.child.wait().await.map_err(failed)?;
        let complaint = self.complaint.await.unwrap_or_default();
        Ok((status, complaint.trim().to_owned()))
    }
}
