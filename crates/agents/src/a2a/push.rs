//! Telling a caller's own server how a task goes.
//! <https://a2a-protocol.org/latest/specification/>, "Push Notification Payload".

use std::time::Duration;

use ::a2a::{A2AError, StreamResponse, TaskPushNotificationConfig, new_message_id};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use reqwest::Url;
use tokio::time::sleep;

use super::address::Reach;
use super::error::bad_field;
use crate::client::client_for;
use crate::limits;

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before each further try.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// The caller finds its own token here, as the protocol's SDKs send it.
const TOKEN: HeaderName = HeaderName::from_static("x-a2a-notification-token");

/// The longest address, token or credential that is kept, in bytes.
const LONGEST: usize = 2048;

/// Sends notifications.
#[derive(Debug)]
pub(super) struct Push {
    reach: Reach,
}

impl Push {
    pub(super) fn new(reach: Reach) -> Push {
        Push { reach }
    }

    /// The configuration with an id, or why it is refused.
    pub(super) async fn accept(
        &self,
        config: TaskPushNotificationConfig,
    ) -> Result<TaskPushNotificationConfig, A2AError> {
        let url = Url::parse(&config.url).map_err(|error| bad_field("url", error.to_string()))?;
        self.reach
            .resolve(&url)
            .await
            .map_err(|reason| bad_field("url", reason))?;
        let is_too_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > LONGEST);
        if config.url.len() > LONGEST || is_too_long(&config.token) || is_too_long(&config.id) {
            return Err(bad_field(
                "url",
                format!("or token or id is longer than {LONGEST} bytes"),
            ));
        }
        authorization(&config).map_err(|reason| bad_field("authentication", reason))?;
        let id = config.id.filter(|id| !id.is_empty()).unwrap_or_else(new_message_id);
        Ok(TaskPushNotificationConfig { id: Some(id), ..config })
    }

    /// Sends every update in order, each until it is taken or given up.
    pub(super) async fn deliver(
        &self,
        config: &TaskPushNotificationConfig,
        news: &[StreamResponse],
    ) -> Result<(), String> {
        for update in news {
            let body = serde_json::to_vec(update).expect("an update is JSON");
            let mut pauses = PAUSES.iter();
            while let Err(reason) = self.send(config, &body).await {
                match pauses.next() {
                    Some(pause) => sleep(*pause).await,
                    None => return Err(reason),
                }
            }
        }
        Ok(())
    }

    /// Sends one update to the addresses that the host has now, if they are allowed, and follows no redirect.
    async fn send(&self, config: &TaskPushNotificationConfig, body: &[u8]) -> Result<(), String> {
        let url = Url::parse(&config.url).map_err(|error| error.to_string())?;
        let addresses = self.reach.resolve(&url).await?;
        let client = client_for(&url)
            .timeout(PATIENCE)
            .connect_timeout(limits::CONNECT_PATIENCE)
            .no_proxy()
            .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
            .build()
            .map_err(reason)?;
        let mut request = client
            .post(url)
            .header(CONTENT_TYPE, "application/a2a+json")
            .body(body.to_vec());
        if let Some(authorization) = authorization(config)? {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(token) = &config.token {
            request = request.header(TOKEN, token);
        }
        let answer = request.send().await.map_err(reason)?;
        if answer.status().is_success() {
            return Ok(());
        }
        Err(format!("the receiver answered {}", answer.status()))
    }
}

/// `<scheme> <credentials>`, never to be logged.
fn authorization(config: &TaskPushNotificationConfig) -> Result<Option<HeaderValue>, String> {
    let Some(authentication) = &config.authentication else {
        return Ok(None);
    };
    let credentials = authentication.credentials.as_deref().unwrap_or_default();
    let text = format!("{} {credentials}", authentication.scheme);
    let mut value = HeaderValue::try_from(text.trim_end()).map_err(|_| "is no text for a header".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value).filter(|value| value.len() <= LONGEST))
}

/// Without the address: it may hold a secret of the caller's.
fn reason(error: reqwest::Error) -> String {
    crate::error::chain(&error.without_url())
}
