//! Listening to chat as it is written: a client for Twitch's IRC that only reads.
//!
//! What is heard goes into the archive in batches. Three tasks hear the same message at the same instant (the server sends it along), so it
//! is one message. A connection that ends is made again, later each time. See <https://dev.twitch.tv/docs/chat/irc/>.

mod line;
mod settings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use self::line::{Line, Said};
pub use self::settings::IrcSettings;
use super::archive::Archive;
use super::ingest::check_log;
use crate::chat::{ChatLog, Message};
use crate::client::tls_stream;
use crate::health::Dependency;
use crate::limits;

/// The longest line: tags may take 8191 bytes, the rest 512. <https://ircv3.net/specs/extensions/message-tags.html#size-limit>
const LONGEST_LINE: u64 = 8191 + 512;
/// So many messages go into the archive at once, or those of so long.
const BATCH: usize = 200;
const BATCH_TIME: Duration = Duration::from_secs(1);
/// A server that is silent for so long is gone: it asks for a sign of life every five minutes.
const SILENCE: Duration = Duration::from_mins(6);
/// How long to wait before the next connection, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A listener and what became of its connection.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    settings: IrcSettings,
    archive: Archive,
    state: Arc<Mutex<Result<(), String>>>,
}

impl Listener {
    /// A listener that has not begun.
    pub(super) fn new(settings: IrcSettings, archive: Archive) -> Listener {
        let state = Arc::new(Mutex::new(Err("is not connected yet".to_owned())));
        Listener {
            settings,
            archive,
            state,
        }
    }

    /// As a line of the deep health check.
    pub(super) fn dependency(&self) -> Dependency {
        let facts = json!({ "server": self.settings.address(), "channels": self.settings.channels });
        let state = self.state.clone();
        Dependency::new("chat", facts, move |_| {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner).clone();
            async move { state.map(|()| Value::Null) }
        })
    }

    /// Listens for ever.
    pub(super) async fn listen(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            let error = match self.connect().await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            self.tell(Err(error.to_string()));
            // A connection that held for a while was a good one: what follows is a new misfortune.
            if begun.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn connect(&self) -> io::Result<std::convert::Infallible> {
        let connecting = TcpStream::connect((self.settings.host.as_str(), self.settings.port));
        let stream = timeout(limits::CONNECT_PATIENCE, connecting).await??;
        if self.settings.is_tls {
            self.talk(tls_stream(&self.settings.host, stream).await?).await
        } else {
            self.talk(stream).await
        }
    }

    async fn talk(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<std::convert::Infallible> {
        let (reader, mut writer) = split(stream);
        let mut reader = BufReader::new(reader);
        for line in self.settings.greeting() {
            send(&mut writer, &line).await?;
        }
        let mut begun = Vec::new();
        loop {
            let said = self.gather(&mut reader, &mut writer, &mut begun).await?;
            self.keep(said).await;
        }
    }

    /// What is said until a batch is full, or its time is over. A line that was begun by then stays in `begun`.
    async fn gather(
        &self,
        reader: &mut (impl AsyncBufRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        begun: &mut Vec<u8>,
    ) -> io::Result<Vec<Said>> {
        let mut said = Vec::new();
        let mut end = Instant::now() + SILENCE;
        while said.len() < BATCH {
            let Ok(read) = timeout_at(end, read_line(reader, begun)).await else {
                break;
            };
            read?;
            if let Some(heard) = self.hear(&std::mem::take(begun), writer).await? {
                if said.is_empty() {
                    end = Instant::now() + BATCH_TIME;
                }
                said.push(heard);
            }
        }
        if said.is_empty() {
            return Err(io::Error::other("the server is silent"));
        }
        Ok(said)
    }

    /// Answers what wants an answer; gives what somebody said.
    async fn hear(&self, line: &[u8], writer: &mut (impl AsyncWrite + Unpin)) -> io::Result<Option<Said>> {
        let text = String::from_utf8_lossy(line);
        let Some(line) = Line::parse(&text) else {
            return Ok(None);
        };
        match line.command {
            "PING" => send(writer, &format!("PONG :{}", line.parameters.last().unwrap_or(&""))).await?,
            "001" => self.tell(Ok(())),
            "RECONNECT" => return Err(io::Error::other("the server asks for a new connection")),
            "NOTICE"
                if line
                    .parameters
                    .last()
                    .is_some_and(|text| text.contains("authentication failed")) =>
            {
                return Err(io::Error::other("the server refuses IRC_NICK and IRC_PASSWORD"));
            }
            _ => return Ok(line.said(Timestamp::now())),
        }
        Ok(None)
    }

    /// Puts what was said into the archive. A store that is away is waited for: meanwhile nothing more is read.
    async fn keep(&self, said: Vec<Said>) {
        for log in logs(said) {
            while let Err(error) = self.archive.add(log.clone()).await {
                // Only what a store can mend is worth waiting for.
                if error.status.is_client_error() || error.error == "full" {
                    self.tell(Err(error.to_string()));
                    break;
                }
                sleep(FIRST_PAUSE).await;
            }
        }
    }

    fn tell(&self, state: Result<(), String>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// A log for each channel and day. What no log may hold is left out.
fn logs(said: Vec<Said>) -> Vec<ChatLog> {
    let mut by_stream: BTreeMap<(String, Date), Vec<Message>> = BTreeMap::new();
    for Said { channel, message } in said {
        let day = message.timestamp.to_zoned(TimeZone::UTC).date();
        by_stream.entry((channel, day)).or_default().push(message);
    }
    let logs = by_stream.into_iter().flat_map(|((channel, day), messages)| {
        let whole = log(&channel, day, messages);
        if check_log(&whole).is_ok() {
            return vec![whole];
        }
        let alone = whole
            .messages
            .into_iter()
            .map(|message| log(&channel, day, vec![message]));
        alone.filter(|one| check_log(one).is_ok()).collect()
    });
    logs.collect()
}

/// The server knows no streams: what a channel writes in a day of UTC is one.
fn log(channel: &str, day: Date, messages: Vec<Message>) -> ChatLog {
    ChatLog {
        stream_id: format!("twitch_{channel}_{}", day.strftime("%Y%m%d")),
        stream_date: day,
        stream_title: format!("Chat of #{channel}"),
        streamer: channel.to_owned(),
        duration_minutes: None,
        total_messages: None,
        unique_users: None,
        messages,
    }
}

async fn send(writer: &mut (impl AsyncWrite + Unpin), line: &str) -> io::Result<()> {
    writer.write_all(format!("{line}\r\n").as_bytes()).await?;
    writer.flush().await
}

/// Adds to `line` up to its end. Given up in between, it can be asked again.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<()> {
    let room = LONGEST_LINE.saturating_sub(line.len() as u64);
    reader.take(room).read_until(b'\n', line).await?;
    match line.last() {
        Some(b'\n') => Ok(()),
        _ if line.len() as u64 >= LONGEST_LINE => Err(io::Error::other("a line has no end")),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
