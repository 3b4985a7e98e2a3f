//! A reverse proxy in a few lines, to try the balancer or to time it:
//!
//! ```text
//! cargo run --release -p karma-balancer --example reverse_proxy -- 127.0.0.1:8080 127.0.0.1:8001 127.0.0.1:8002
//! ```
//!
//! The first address is its own, the others are targets. It runs until it is interrupted.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use karma_balancer::{Action, Attributes, Listener, Rules, TargetGroup, TargetGroupSettings, bind};

/// The one that `karma` has too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut addresses = std::env::args().skip(1).map(|argument| argument.parse::<SocketAddr>());
    let address = addresses.next().ok_or("the address to listen on is missing")??;
    let group = TargetGroup::new(TargetGroupSettings {
        deregistration_delay: Duration::ZERO,
        ..TargetGroupSettings::named("targets")
    });
    for target in addresses {
        group.register(target?);
    }
    let rules = Rules {
        rules: Vec::new(),
        default_action: Action::forward_to(group),
    };
    let listener = Listener::start(bind(address)?, rules, Attributes::default());
    tokio::signal::ctrl_c().await?;
    listener.stop(Duration::from_secs(10)).await;
    Ok(())
}
