//! Connections that change to another protocol: WebSocket, which a load balancer passes through once both sides agree.
//!
//! The authority is [protocols and WebSockets][aws]; the handshake is [RFC 6455 §4][handshake].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#websockets
//! [handshake]: https://www.rfc-editor.org/rfc/rfc6455#section-4

use bytes::BytesMut;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use tokio::io::{AsyncWrite, AsyncWriteExt, copy_bidirectional};

use crate::account::Draft;
use crate::client::wire::ClientWire;
use crate::exchange::ResponseBody;
use crate::http1::framing::has_word;
use crate::link::Link;

/// Both ends of a connection that has changed its protocol: the one to the target, which is its client's from now on.
pub(crate) struct Tunnel {
    link: Box<Link>,
    /// What is left of the answer: it keeps the request counted.
    answer: ResponseBody,
    /// Is written to the access log when the connection ends.
    draft: Option<Box<Draft>>,
}

/// Whether a request asks to go on with WebSocket. To other protocols a load balancer does not change.
pub(crate) fn is_asked(head: &Parts) -> bool {
    head.method == Method::GET
        && head.version == Version::HTTP_11
        && has_word(&head.headers, CONNECTION, "upgrade")
        && has_word(&head.headers, UPGRADE, "websocket")
}

/// Says so to the next one on the way, after the headers that concern one connection only have been taken out.
pub(crate) fn mark(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

impl Tunnel {
    /// Out of the answer that agreed to it.
    pub(crate) fn new(mut answer: ResponseBody, draft: Option<Box<Draft>>) -> Option<Self> {
        let link = answer.take_link()?;
        Some(Self { link, answer, draft })
    }

    /// Passes bytes in both directions until both sides have ended, one fails, or the target has to go. That it has
    /// not been silent for too long is seen to by whoever looks after the client's connection.
    pub(crate) async fn run(self, client: ClientWire) {
        let Self {
            link,
            answer,
            mut draft,
        } = self;
        let (mut client, from_client) = client.into_parts();
        // Only HTTP/1.1 changes protocols.
        let Some((mut target, from_target)) = link.into_parts() else {
            return;
        };
        let passing = async {
            write_ahead(&mut target, &from_client).await?;
            write_ahead(&mut client, &from_target).await?;
            copy_bidirectional(&mut client, &mut target).await
        };
        tokio::select! {
            passed = passing => if let (Ok((received, sent)), Some(draft)) = (passed, &mut draft) {
                draft.add_received(received);
                draft.add_sent(sent);
            },
            () = answer.target().cut.raised() => {}
        }
    }
}

/// Writes what had come together with the last head.
async fn write_ahead(stream: &mut (impl AsyncWrite + Unpin), bytes: &BytesMut) -> std::io::Result<()> {
    if bytes.is_empty() {
        Ok(())
    } else {
        stream.write_all(bytes).await
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: bool) {
        let request = headers.iter().fold(Request::get("/"), |request, (name, value)| {
            request.header(*name, *value)
        });
        assert_eq!(
            is_asked(&request.body(()).unwrap().into_parts().0),
            expected,
            "{headers:?}"
        );
    }

    #[test]
    fn only_websocket_is_asked_for() {
        check(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket")], true);
        check(&[("connection", "Upgrade"), ("upgrade", "h2c")], false);
        check(&[("upgrade", "websocket")], false);
        check(&[("connection", "upgrade")], false);
    }
}
