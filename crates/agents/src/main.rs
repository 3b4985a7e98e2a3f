//! The program `karma-agent`: one of the five agents, named by the first argument.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use karma_agents::{
    Agent, Command, DemoError, Event, Level, Log, Server, Settings, ask, ask_the_price, check_health, demo, help,
    prepare_chain, request_validation, stop_signals,
};
use serde_json::{Value, json};

const NOT_HEALTHY: u8 = 1;
const BROKE_OFF: u8 = 1;
const COULD_NOT_START: u8 = 2;
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned());
    match Command::parse(arguments) {
        Ok(Command::Serve(agent)) => serve(agent),
        Ok(Command::Health) => health(),
        Ok(Command::Ask(url, input)) => answer(ask(|variable| env::var_os(variable), &url, &input)),
        Ok(Command::AskThePrice(url, input)) => answer(ask_the_price(|variable| env::var_os(variable), &url, &input)),
        Ok(Command::Demo(url)) => tell(&url),
        Ok(Command::PrepareChain(holders)) => answer(prepare_chain(|variable| env::var_os(variable), &holders)),
        Ok(Command::RequestValidation(validator, file)) => {
            answer(request_validation(|variable| env::var_os(variable), &validator, &file))
        }
        Ok(Command::Help) => print(&help()),
        Ok(Command::Version) => print(concat!("karma-agent ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(error) => complain(&format!("{error}\nhint: karma-agent --help"), WRONG_USAGE),
    }
}

fn serve(agent: &'static Agent) -> ExitCode {
    let log = Log::new(agent.name, Level::Info);
    let settings = match Settings::read(|variable| env::var_os(variable)) {
        Ok(settings) => settings,
        Err(error) => return could_not_start(log, &error),
    };
    // Two threads: a long computation must not hold up a health check. Few beside them: each that ever allocated keeps memory of its own, and a
    // quarter of a processor gains nothing by more.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4)
        .enable_all()
        .build();
    let outcome = runtime.and_then(|runtime| runtime.block_on(run(agent, &settings, log)));
    outcome.unwrap_or_else(|error| could_not_start(log, &error))
}

async fn run(agent: &'static Agent, settings: &Settings, log: Log) -> io::Result<ExitCode> {
    let stops = stop_signals()?;
    match Server::bind(agent, settings).await {
        Ok(server) => server.run(stops).await.map(|()| ExitCode::SUCCESS),
        Err(error) => Ok(could_not_start(log, &error)),
    }
}

fn health() -> ExitCode {
    match check_health(|variable| env::var_os(variable)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error, NOT_HEALTHY),
    }
}

/// Prints what a question to the chain gives.
fn answer(question: impl Future<Output = Result<Value, impl Display>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(question)) {
        Ok(Ok(answer)) => print(&format!("{answer}\n")),
        Ok(Err(error)) => complain(&error, COULD_NOT_START),
        Err(error) => complain(&error, COULD_NOT_START),
    }
}

/// Tells what happens to a visitor, as it happens.
fn tell(url: &str) -> ExitCode {
    let tell = |event: &Event| {
        let line = serde_json::to_string(event).expect("an event is plain data");
        writeln!(io::stdout().lock(), "{line}")
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(demo(|variable| env::var_os(variable), url, tell))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        // Its last event has said why.
        Ok(Err(DemoError::Refused { .. })) => ExitCode::from(BROKE_OFF),
        Ok(Err(error)) => complain(&error, COULD_NOT_START),
        Err(error) => complain(&error, COULD_NOT_START),
    }
}

fn could_not_start(log: Log, error: &impl Display) -> ExitCode {
    log.write(Level::Error, "could not start", json!({ "reason": error.to_string() }));
    ExitCode::from(COULD_NOT_START)
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(error: &impl Display, code: u8) -> ExitCode {
    // Nobody may be reading; the exit code says it too.
    let _ = writeln!(io::stderr(), "karma-agent: {error}");
    ExitCode::from(code)
}
