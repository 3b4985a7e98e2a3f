//! `karma-agent demo`: a visitor of the five agents, who has them trade, and tells what happens.
//!
//! ```text
//!  visitor ──balancer──▶ karma-hello, abracadabra          a stream's chat and transcript
//!          ──balancer──▶ skill-extractor, voice-extractor  three people who wrote there ──▶ karma-hello
//!          ──balancer──▶ validator                         what was sold, and a forgery
//! ```
//!
//! It asks as anybody may, and pays where the agents ask for money. What it tells are events, a JSON object a line; whoever shows them may look up by
//! the id of its trace what the agents asked each other for a call.

mod event;
mod findings;
mod reception;
mod story;
mod visitor;

use std::ffi::OsString;
use std::io;

use reqwest::Url;
use thiserror::Error;

pub use self::event::Event;
use self::reception::receive;
use self::visitor::Visitor;
use crate::payments::{PaymentSettings, PaymentsError};
use crate::settings::{Environment, SettingError, http_url};
use crate::store::OpenError;

/// The story was not told to its end.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The agents did not do what the story needs. It was told as its last event.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do about it, one line.
        hint: String,
    },
    /// A setting is missing or bad.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// What should be the address of the load balancer is none.
    #[error("the URL {0}")]
    Url(String),
    /// Where purchases are remembered cannot be used.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The chain or the token is not what the settings say.
    #[error(transparent)]
    Payments(#[from] PaymentsError),
    /// The client could not be made.
    #[error("could not prepare the calls")]
    Client(#[source] reqwest::Error),
    /// Nobody listens any more.
    #[error("what happens cannot be told")]
    Tell(#[from] io::Error),
}

impl DemoError {
    fn refused(reason: impl Into<String>, hint: impl Into<String>) -> DemoError {
        DemoError::Refused {
            reason: reason.into(),
            hint: hint.into(),
        }
    }
}

/// Visits the agents behind the load balancer at `url`, as the account of `PRIVATE_KEY` where they ask for money, and tells each event as it happens.
pub async fn demo(
    lookup: impl Fn(&str) -> Option<OsString>,
    url: &str,
    mut tell: impl FnMut(&Event) -> io::Result<()>,
) -> Result<(), DemoError> {
    let base = http_url(url).map_err(DemoError::Url)?;
    let told = visit(&Environment { lookup }, base, &mut tell).await;
    if let Err(DemoError::Refused { reason, hint }) = &told {
        tell(&Event::Refused {
            reason: reason.clone(),
            hint: hint.clone(),
        })?;
    }
    told
}

async fn visit(
    environment: &Environment<impl Fn(&str) -> Option<OsString>>,
    base: Url,
    tell: &mut impl FnMut(&Event) -> io::Result<()>,
) -> Result<(), DemoError> {
    let mut visitor = Visitor::new(base, tell)?;
    let agents = receive(&visitor).await?;
    if agents.iter().any(|agent| agent.account.is_some()) {
        let settings = PaymentSettings::read(environment)?.ok_or_else(no_account)?;
        visitor.carry_purse(&settings).await?;
    }
    story::tell(&mut visitor, &agents).await
}

fn no_account() -> DemoError {
    DemoError::refused(
        "the agents ask for money, and there is no account to pay them from: CHAIN_RPC_URL and the other settings of a buyer are not set",
        "`karma up --chain` writes those of an account into .karma/chain.env",
    )
}
