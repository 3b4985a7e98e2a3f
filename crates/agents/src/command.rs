//! What the program was asked to do: its arguments.

use thiserror::Error;

use crate::agents::{AGENTS, Agent, find_agent};

/// The same, with a place for the agents' names.
const HELP: &str = "\
Serve one of the agents over HTTP

Usage:
  karma-agent <AGENT>    serve until SIGTERM or SIGINT
  karma-agent health     ask the agent at $HOST:$PORT how it is: exit 0 if it answers, 1 if not
  karma-agent ask URL INPUT
                         post the input, JSON, to an agent, and pay what it asks for as the account of $PRIVATE_KEY
  karma-agent ask --dry-run URL INPUT
                         the same without paying: what would be paid, or why it would not
  karma-agent demo URL   visit the agents behind the load balancer at the URL, pay what they ask for as the account of
                         $PRIVATE_KEY, and print what happens, a JSON object a line; `karma demo` makes a story of it
  karma-agent prepare-chain ADDRESS...
                         put the token and the registries onto the chain of $CHAIN_RPC_URL, from the account of
                         $PRIVATE_KEY, give each address 1000 tokens, and print what agents need to know as JSON
  karma-agent request-validation VALIDATOR FILE
                         ask the validator, by its address, in the registry to look at the data set of the file
  karma-agent --help
  karma-agent --version

Agents:
  {agents}

Settings, from the environment:
  PORT                  the port to listen on (required)
  DATA_DIR              directory with one directory of data per agent (required)
  STORE_URL             s3://bucket/prefix or file:///directory, shared by all tasks (default: memory, lost with the task)
  HOST                  the address to listen on (default 0.0.0.0; the health check asks 127.0.0.1)
  LOG_LEVEL             error, warn, info or debug (default info)
  KARMA_HELLO_URL       where karma-hello answers (required by skill-extractor and voice-extractor)
  CHAIN_RPC_URL         a node of the chain that agents pay each other on; payments are off without it. With it:
    CHAIN_ID            the chain that it must be
    TOKEN_ADDRESS       what is paid with: a token of EIP-3009
    PRIVATE_KEY         the key of the agent's account
    PAY_TO              who is paid (default the agent's account)
    PRICES              what skills cost, in base units: skill=amount,... or skill.level=amount,... (default: the
                        agent's own; 0 is free)
    FACILITATOR_URL     who verifies and settles payments (default the agent itself)
    ALLOWED_PAYEES      whom it may pay: address,... (default nobody)
    SPEND_PER_TASK      the most it pays for one task, in base units (default 0)
    SPEND_PER_DAY       the most it pays a day, in base units (default 0)
    IDENTITY_REGISTRY, REPUTATION_REGISTRY, VALIDATION_REGISTRY
                        the registries of ERC-8004 (all three or none)
  INGEST_TOKEN          what those must show, as a bearer token, who send chat logs or transcripts (default: everybody may)
  PUBLIC_URL            the address callers know this agent by (default: what the request says)
  RATE_LIMIT_PER_MINUTE how often one caller, by address or by payer, may ask, or off (default off)
  OTEL_EXPORTER_OTLP_ENDPOINT
                        who takes spans, by OTLP over HTTP; https://xray.REGION.amazonaws.com is X-Ray itself, with requests signed as
                        the task's role (default nobody)
  OTEL_SERVICE_NAME     what the agent is called in spans (default its name)
  PUSH_REACH            public or any: where callers may have A2A notifications sent to (default public)
  DRAIN_QUIET_SECONDS   after SIGTERM, serve until no request came for so long (default 2)
  STOP_TIMEOUT_SECONDS  after SIGTERM, stop accepting at the latest then (default 110)

Exit codes: 0 stopped as asked or healthy, 1 not healthy or a demo that broke off, 2 could not start, 64 wrong usage
";

/// One thing the program can do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Serve this agent.
    Serve(&'static Agent),
    /// Ask a running agent for its health.
    Health,
    /// Ask an agent at a URL with an input, and pay it.
    Ask(String, String),
    /// The same without paying.
    AskThePrice(String, String),
    /// Visit the agents behind the load balancer at a URL.
    Demo(String),
    /// Make a chain ready, and give tokens to these addresses.
    PrepareChain(Vec<String>),
    /// Ask a validator, by its address, for the validation of the data set in a file.
    RequestValidation(String, String),
    /// Print [`help`].
    Help,
    /// Print the version.
    Version,
}

/// The arguments make no sense.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum UsageError {
    /// No argument at all.
    #[error("no agent named: give one of {}", agent_names())]
    Nothing,
    /// The first argument is none that we know.
    #[error("unknown agent `{0}`: give one of {names}", names = agent_names())]
    UnknownAgent(String),
    /// Something is missing after a command.
    #[error("{0}")]
    TooFew(&'static str),
    /// Something follows the last argument.
    #[error("unexpected argument `{0}`")]
    TooMany(String),
}

impl Command {
    /// Reads the arguments, without the program's own name.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
        let mut arguments = arguments.into_iter();
        let first = arguments.next().ok_or(UsageError::Nothing)?;
        match first.as_str() {
            "ask" => {
                let mut arguments = arguments.peekable();
                let is_dry = arguments.next_if(|argument| argument == "--dry-run").is_some();
                let (url, input) = two(arguments, "ask takes a URL and an input")?;
                let command = if is_dry { Command::AskThePrice } else { Command::Ask };
                return Ok(command(url, input));
            }
            "demo" => {
                let url = one(arguments, "demo takes the URL of the load balancer")?;
                return Ok(Command::Demo(url));
            }
            "request-validation" => {
                let (validator, file) = two(arguments, "request-validation takes a validator's address and a file")?;
                return Ok(Command::RequestValidation(validator, file));
            }
            "prepare-chain" => return Ok(Command::PrepareChain(arguments.collect())),
            _ => {}
        }
        if let Some(extra) = arguments.next() {
            return Err(UsageError::TooMany(extra));
        }
        match first.as_str() {
            "health" => Ok(Command::Health),
            "-h" | "--help" => Ok(Command::Help),
            "-V" | "--version" => Ok(Command::Version),
            name => find_agent(name)
                .map(Command::Serve)
                .ok_or(UsageError::UnknownAgent(first)),
        }
    }
}

fn one(mut arguments: impl Iterator<Item = String>, missing: &'static str) -> Result<String, UsageError> {
    match (arguments.next(), arguments.next()) {
        (Some(one), None) => Ok(one),
        (_, Some(extra)) => Err(UsageError::TooMany(extra)),
        _ => Err(UsageError::TooFew(missing)),
    }
}

fn two(mut arguments: impl Iterator<Item = String>, missing: &'static str) -> Result<(String, String), UsageError> {
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(one), Some(other), None) => Ok((one, other)),
        (_, _, Some(extra)) => Err(UsageError::TooMany(extra)),
        _ => Err(UsageError::TooFew(missing)),
    }
}

/// What `karma-agent --help` prints.
pub fn help() -> String {
    HELP.replace("{agents}", &agent_names())
}

fn agent_names() -> String {
    AGENTS.each_ref().map(|agent| agent.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: &str) {
        let parsed = match Command::parse(arguments.iter().map(ToString::to_string)) {
            Ok(Command::Serve(agent)) => format!("serve {}", agent.name),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(parsed, expected, "{arguments:?}");
    }

    #[test]
    fn every_agent_is_a_command_and_help_names_it() {
        for agent in &AGENTS {
            check(&[agent.name], &format!("serve {}", agent.name));
            assert!(help().contains(agent.name), "{}", agent.name);
        }
    }

    #[test]
    fn other_arguments() {
        let names = agent_names();
        check(&["health"], "Health");
        check(&["ask", "http://x", "{}"], r#"Ask("http://x", "{}")"#);
        check(
            &["ask", "--dry-run", "http://x", "{}"],
            r#"AskThePrice("http://x", "{}")"#,
        );
        check(&["ask", "--dry-run", "http://x"], "ask takes a URL and an input");
        check(&["prepare-chain", "0x1", "0x2"], r#"PrepareChain(["0x1", "0x2"])"#);
        check(
            &["request-validation", "0x1", "a.json"],
            r#"RequestValidation("0x1", "a.json")"#,
        );
        check(
            &["request-validation", "0x1"],
            "request-validation takes a validator's address and a file",
        );
        check(&["request-validation", "a", "b", "c"], "unexpected argument `c`");
        check(&["demo", "http://x"], r#"Demo("http://x")"#);
        check(&["demo"], "demo takes the URL of the load balancer");
        check(&["demo", "a", "b"], "unexpected argument `b`");
        check(&["--help"], "Help");
        check(&["-V"], "Version");
        check(&[], &format!("no agent named: give one of {names}"));
        check(&["parrot"], &format!("unknown agent `parrot`: give one of {names}"));
        check(&["validator", "now"], "unexpected argument `now`");
    }
}
