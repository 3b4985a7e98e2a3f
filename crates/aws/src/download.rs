//! [`Download`]: a file on the web, read as it comes in.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use crate::connection::{Network, Trust};
use crate::error::{ConnectError, DownloadError};

/// How long a server may pause.
const SILENCE: Duration = Duration::from_mins(1);

/// Pieces that wait for the reader; the server is not asked for more while that many do.
const PIECES: usize = 16;

/// A piece of the file, or why there will be none.
type Piece = Result<Bytes, DownloadError>;

/// The bytes of a file that is being downloaded. It is never in memory, nor on the disk, as a whole.
#[derive(Debug)]
pub struct Download {
    pieces: Receiver<Piece>,
    piece: Bytes,
}

/// Begins to download a file over HTTPS, or over HTTP where the address says so. Returns when the server has answered that it has it.
///
/// A redirect is not followed, and a proxy is not asked.
pub fn download(address: &str) -> Result<Download, DownloadError> {
    begin(address, Trust::Machine)
}

fn begin(address: &str, trust: Trust) -> Result<Download, DownloadError> {
    let uri: Uri = address.parse().map_err(|_| ConnectError::Address(address.to_owned()))?;
    let network = Network::direct(trust);
    let (sender, pieces) = sync_channel(PIECES);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(DownloadError::Start)?;
    let run = move || {
        if let Err(error) = runtime.block_on(send_pieces(&uri, &network, &sender)) {
            // A reader that has gone does not want to know.
            let _ = sender.send(Err(error));
        }
    };
    thread::Builder::new()
        .name("download".to_owned())
        .spawn(run)
        .map_err(DownloadError::Start)?;
    // The first piece is empty: it says that the file is there.
    let piece = pieces.recv().expect("the thread sends a piece or an error")?;
    Ok(Download { pieces, piece })
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.recv() {
                Ok(piece) => self.piece = piece.map_err(io::Error::other)?,
                // All was sent.
                Err(_) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

async fn send_pieces(uri: &Uri, network: &Network, pieces: &SyncSender<Piece>) -> Result<(), DownloadError> {
    let mut body = get(uri, network).await?;
    let mut piece = Bytes::new();
    // This thread has nothing else to do: it may wait for its reader.
    while pieces.send(Ok(piece)).is_ok() {
        let frame = timeout(SILENCE, body.frame())
            .await
            .map_err(|_| DownloadError::Silence(SILENCE))?;
        match frame {
            None => break,
            Some(frame) => piece = frame?.into_data().unwrap_or_default(),
        }
    }
    Ok(())
}

async fn get(uri: &Uri, network: &Network) -> Result<Incoming, DownloadError> {
    let stream = network.connect(uri).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // What goes wrong on it, the body says.
    tokio::spawn(connection);
    let answer = timeout(SILENCE, sender.send_request(request(uri)?));
    let answer = answer.await.map_err(|_| DownloadError::Silence(SILENCE))??;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        StatusCode::NOT_FOUND => Err(DownloadError::NotFound),
        status => Err(DownloadError::Status(status)),
    }
}

/// A plain question for what is at an address.
pub(crate) fn request(uri: &Uri) -> Result<Request<Empty<Bytes>>, DownloadError> {
    let address = || ConnectError::Address(uri.to_string());
    let target = uri.path_and_query().map_or("/", |path| path.as_str());
    Request::get(target)
        .header(HOST, uri.authority().ok_or_else(address)?.as_str())
        .header(USER_AGENT, concat!("karma/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|_| address().into())
}

#[cfg(test)]
mod tests;
