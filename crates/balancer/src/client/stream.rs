//! A client's socket, whatever lies between it and HTTP.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::access_log::entry::TlsFacts;
use crate::connection::Activity;
use crate::statistics::ListenerCounters;
use crate::tls;

/// A connection from a client, which notes when bytes move and counts them.
#[derive(Debug)]
pub(crate) struct ClientStream {
    transport: Transport,
    activity: Arc<Activity>,
    counters: Arc<ListenerCounters>,
}

/// What carries the bytes.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Does the same with whatever carries the bytes.
macro_rules! on_transport {
    ($stream:expr, $transport:ident => $action:expr) => {
        match &mut $stream.transport {
            Transport::Plain($transport) => $action,
            Transport::Tls($transport) => $action,
        }
    };
}

/// Reads once into the room a buffer has. Nothing read is the end.
pub(crate) fn poll_read(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    pin!(stream.read_buf(input)).poll(context)
}

impl ClientStream {
    pub(crate) fn new(transport: Transport, activity: Arc<Activity>, counters: Arc<ListenerCounters>) -> Self {
        Self {
            transport,
            activity,
            counters,
        }
    }

    /// Ready when there may be something to read; who waits for this needs no buffer yet.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.transport {
            Transport::Plain(stream) => stream.poll_read_ready(context),
            // What has come may be no data: only reading tells.
            Transport::Tls(_) => Poll::Ready(Ok(())),
        }
    }

    fn note(&self, bytes: usize) {
        if bytes > 0 {
            self.activity.note();
            self.counters.processed_bytes.add(bytes as u64);
        }
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.note(bytes);
        }
        written
    }
}

impl Transport {
    /// Whether both sides have agreed on HTTP/2.
    pub(crate) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => tls::is_http2(stream),
        }
    }

    /// What both sides have agreed on; none without TLS.
    pub(crate) fn tls_facts(&self) -> Option<TlsFacts> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => Some(tls::facts(stream)),
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = on_transport!(self, stream => Pin::new(stream).poll_read(context, buffer));
        self.note(buffer.filled().len() - before);
        read
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = on_transport!(self, stream => Pin::new(stream).poll_write(context, bytes));
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = on_transport!(self, stream => Pin::new(stream).poll_write_vectored(context, slices));
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_transport!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}
