//! The WebSocket that carries a data channel.

use http::Uri;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::error::ExecError;
use crate::connection::{Network, Stream};
use crate::error::ConnectError;

/// A frame is a kilobyte or two; nobody needs one this long.
const LONGEST: usize = 1024 * 1024;

/// A WebSocket over one of our connections.
pub(super) type Socket = WebSocketStream<Box<dyn Stream>>;

/// Connects to `wss://…`, over the same ways as everything else.
pub(super) async fn connect(network: &Network, address: &str) -> Result<Socket, ExecError> {
    let stream = network.connect(&place(address)?).await?;
    let request = address.into_client_request().map_err(|error| refused(&error))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LONGEST))
        .max_frame_size(Some(LONGEST));
    let connected = client_async_with_config(request, stream, Some(config)).await;
    Ok(connected.map_err(|error| refused(&error))?.0)
}

/// Where that is, in the words of HTTP. The address holds no more secret than the session's id.
fn place(address: &str) -> Result<Uri, ConnectError> {
    let no_address = || ConnectError::Address(address.to_owned());
    let over_http = address.strip_prefix("ws").ok_or_else(no_address)?;
    format!("http{over_http}").parse().map_err(|_| no_address())
}

/// What the other end says, without the headers and the token that went there.
fn refused(error: &Error) -> ExecError {
    ExecError::Socket(match error {
        Error::Http(answer) => format!("the answer is {}", answer.status()),
        other => other.to_string(),
    })
}
