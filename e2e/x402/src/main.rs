//! What others made of x402, as three small programs: `x402-others buyer|sign|seller|facilitator`. What they need to know stands in the environment,
//! under the names that karma-agent has for it.

mod buyer;
mod facilitator;
mod seller;

use std::env;
use std::error::Error;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["buyer", url, input] => buyer::buy(url, input).await,
        ["sign", demand] => buyer::sign(demand).await,
        ["seller"] => seller::serve().await,
        ["facilitator"] => facilitator::serve().await,
        _ => Err("usage: x402-others buyer URL INPUT | sign DEMAND | seller | facilitator".into()),
    }
}

fn variable(name: &str) -> Result<String, Box<dyn Error>> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// Serves on `PORT` of this machine until it is killed.
async fn listen(routes: axum::Router) -> Outcome {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", variable("PORT")?.parse::<u16>()?)).await?;
    Ok(axum::serve(listener, routes).await?)
}
