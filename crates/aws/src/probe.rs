//! [`Session::probe`]: whether what runs behind a load balancer answers. That is no service of AWS, and gets no credentials.

use std::time::Duration;

use http::Uri;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use crate::Session;
use crate::download::request;
use crate::error::{ConnectError, DownloadError};

impl Session {
    /// The status of the answer to a GET, with a redirect not followed. `Err` where there is no answer in this time.
    pub async fn probe(&self, address: &str, patience: Duration) -> Result<u16, DownloadError> {
        let answered = timeout(patience, self.ask(address)).await;
        answered.map_err(|_| DownloadError::Silence(patience))?
    }

    async fn ask(&self, address: &str) -> Result<u16, DownloadError> {
        let uri: Uri = address.parse().map_err(|_| ConnectError::Address(address.to_owned()))?;
        let stream = self.network().connect(&uri).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What goes wrong on it, the answer says.
        tokio::spawn(connection);
        Ok(sender.send_request(request(&uri)?).await?.status().as_u16())
    }
}
