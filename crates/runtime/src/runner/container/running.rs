//! [`EngineContainer`]: a container that an engine runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::frames::{Frames, Output};
use super::{Engine, EngineError, carries, remove_one};
use crate::limits::OUT_OF_MEMORY;
use crate::limits::register::Register;
use crate::logs::LogSink;
use crate::runner::{Exit, Launched, RunningContainer, StopSignal};

/// The exit code where the engine cannot tell it any more.
const UNKNOWN: i32 = 137;

/// Why a container counts as ended where its engine does not answer any more.
const ENGINE_GONE: &str = "the container engine has lost the container, or does not answer any more";

/// When a container has ended, what it printed last is read for at most so long.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// So much output waits for the one who writes it down.
const BUFFER: usize = 64 << 10;

/// A container that an engine runs, and the job that waits for its end and removes it then.
#[derive(Debug)]
pub(crate) struct EngineContainer {
    engine: Engine,
    id: String,
    pid: Option<u32>,
    ending: JoinHandle<Ending>,
    end_reason: Option<&'static str>,
}

#[derive(Debug)]
struct Ending {
    code: i32,
    reason: Option<&'static str>,
}

#[derive(Deserialize)]
struct Waited {
    #[serde(rename = "StatusCode")]
    status_code: i64,
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "State")]
    state: State,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    #[serde(default, rename = "OOMKilled")]
    oom_killed: bool,
    #[serde(default)]
    pid: u32,
}

/// The process id of a container's program, where it is one of this machine that can be looked at.
pub(super) async fn pid(engine: &Engine, id: &str, mark: &Path) -> Option<u32> {
    let pid = inspect(engine, id).await.ok()?.pid;
    (pid != 0 && carries(pid, mark)).then_some(pid)
}

async fn inspect(engine: &Engine, id: &str) -> Result<State, EngineError> {
    let inspected: Inspected = engine.ask(Method::GET, &format!("/containers/{id}/json"), None).await?;
    Ok(inspected.state)
}

impl EngineContainer {
    /// Of one that has just been started.
    pub(super) fn begin(
        engine: Engine,
        id: String,
        (pid, sink): (Option<u32>, LogSink),
        register: Arc<Register>,
    ) -> Self {
        let ending = tokio::spawn(follow(engine.clone(), id.clone(), sink, register));
        Self {
            engine,
            id,
            pid,
            ending,
            end_reason: None,
        }
    }
}

impl RunningContainer for EngineContainer {
    fn pid(&self) -> Option<u32> {
        self.pid
    }

    async fn wait(&mut self) -> Exit {
        let ending = (&mut self.ending).await.unwrap_or(Ending {
            code: UNKNOWN,
            reason: Some(ENGINE_GONE),
        });
        self.end_reason = ending.reason;
        Exit {
            code: ending.code,
            launched: Launched::Yes,
        }
    }

    /// An error means that it has ended already.
    fn signal(&mut self, signal: StopSignal) {
        let signal = match signal {
            StopSignal::Terminate => "SIGTERM",
            StopSignal::Kill => "SIGKILL",
        };
        let (engine, path) = (
            self.engine.clone(),
            format!("/containers/{}/kill?signal={signal}", self.id),
        );
        tokio::spawn(async move { engine.bytes(Method::POST, &path, None).await });
    }

    fn end_reason(&self) -> Option<&'static str> {
        self.end_reason
    }
}

/// Writes down what a container prints until it has ended, and removes it.
async fn follow(engine: Engine, id: String, sink: LogSink, register: Arc<Register>) -> Ending {
    let (task, container) = (sink.task.clone(), Arc::clone(&sink.container));
    let mut output = tokio::spawn(copy_output(engine.clone(), id.clone(), sink));
    let waited = engine
        .ask::<Waited>(Method::POST, &format!("/containers/{id}/wait"), None)
        .await;
    if timeout(LAST_WORDS, &mut output).await.is_err() {
        output.abort();
    }
    let was_killed_for_memory = inspect(&engine, &id).await.is_ok_and(|state| state.oom_killed);
    // What cannot be removed now is removed when its task goes, or by the next run.
    let _ = remove_one(&engine, &id).await;
    let (code, reason) = match waited {
        Ok(waited) => (i32::try_from(waited.status_code).unwrap_or(UNKNOWN), None),
        Err(_) => (UNKNOWN, Some(ENGINE_GONE)),
    };
    register.note_end(&task, &container, code);
    Ending {
        code,
        reason: if was_killed_for_memory {
            Some(OUT_OF_MEMORY)
        } else {
            reason
        },
    }
}

async fn copy_output(engine: Engine, id: String, sink: LogSink) {
    let path = format!("/containers/{id}/logs?follow=1&stdout=1&stderr=1");
    match engine.send(Method::GET, &path, None).await {
        Ok(answer) => copy_frames(answer.into_body(), sink).await,
        Err(error) => sink.record(&format!("(its output cannot be read: {error})")),
    }
}

/// Each output makes lines of its own.
async fn copy_frames(mut body: Incoming, sink: LogSink) {
    let ((mut output, from_output), (mut errors, from_errors)) = (duplex(BUFFER), duplex(BUFFER));
    let read = async move {
        let mut frames = Frames::default();
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(piece) = frame.into_data() else { continue };
            for (which, part) in frames.take(&piece) {
                let pipe = match which {
                    Output::Standard => &mut output,
                    Output::Errors => &mut errors,
                };
                // The other end reads for as long as this one writes.
                let _ = pipe.write_all(part).await;
            }
        }
    };
    tokio::join!(read, sink.clone().copy(from_output), sink.copy(from_errors));
}
