//! The settings of a process, read once and strictly from the environment.
//!
//! A value is taken as it stands or refused with the variable's name and the reason. In particular a comment or blanks
//! that an env file left in a value are refused, since they are read as part of it everywhere else.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use thiserror::Error;

use crate::a2a::Reach;
use crate::agents::IrcSettings;
use crate::chain::PrivateKey;
use crate::ingest::IngestToken;
use crate::llm::LlmSettings;
use crate::logging::Level;
use crate::payments::{self, PaymentSettings};
use crate::rate::RateLimit;
use crate::store::StoreUrl;

/// How one process of an agent is to run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `HOST`: the address to listen on; all of them unless told.
    pub host: IpAddr,
    /// `PORT`: the port to listen on. Required: the one who starts the agent owns the number.
    pub port: u16,
    /// `DATA_DIR`: the directory with one directory of data per agent.
    pub data_dir: PathBuf,
    /// `STORE_URL`: the bucket or directory that all tasks of the agent share. Without it what an agent is sent is lost with the task.
    pub store_url: Option<StoreUrl>,
    /// `LOG_LEVEL`: the least grave level that is written.
    pub log_level: Level,
    /// `KARMA_HELLO_URL`: where karma-hello answers, for the agents that ask it.
    pub karma_hello_url: Option<Url>,
    /// `PUBLIC_URL`: the address under which callers know this agent, if not what their request says.
    pub public_url: Option<Url>,
    /// `RATE_LIMIT_PER_MINUTE`: how often one caller may ask.
    pub rate_limit: RateLimit,
    /// `PUSH_REACH`: which addresses callers may have notifications sent to.
    pub push_reach: Reach,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: where to send spans, if anywhere.
    pub otlp_endpoint: Option<Url>,
    /// `AWS_ENDPOINT_URL_XRAY`: where X-Ray is asked, if it is what takes the spans and not at its own address.
    pub xray_endpoint: Option<Url>,
    /// `OTEL_SERVICE_NAME`: what this agent is called in spans, if not by its own name.
    pub service_name: Option<String>,
    /// `OPENAI_API_KEY`, `OPENAI_BASE_URL` and others: the language model to ask, if any.
    pub llm: Option<LlmSettings>,
    /// `IRC_URL`, `IRC_CHANNELS` and others: the chat that karma-hello listens to, if any.
    pub irc: Option<IrcSettings>,
    /// `INGEST_TOKEN`: what those must show who send chat logs and transcripts, if not everybody may.
    pub ingest_token: Option<IngestToken>,
    /// `RETENTION_DAYS`: how long messages are kept, by their own time; for ever unless told.
    pub retention: Option<Duration>,
    /// `CHAIN_RPC_URL`, `TOKEN_ADDRESS`, `PRICES` and others: how it pays and is paid, if it does.
    pub payments: Option<PaymentSettings>,
    /// `PRIVATE_KEY`: the key of its account, which it signs with.
    pub private_key: Option<PrivateKey>,
    /// `DRAIN_QUIET_SECONDS`: how long no request may have come before a stopping agent stops accepting.
    pub drain_quiet: Duration,
    /// `STOP_TIMEOUT_SECONDS`: when a stopping agent stops accepting even if requests still come. The default leaves
    /// ten of the 120 seconds that ECS grants at most.
    pub stop_timeout: Duration,
}

/// A setting is missing or bad.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{variable}: {reason}")]
pub struct SettingError {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it, and what it should be.
    pub reason: String,
}

impl Settings {
    /// Reads every setting through `lookup`, which is `std::env::var_os` in a real process.
    pub fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Settings, SettingError> {
        let environment = Environment { lookup };
        Ok(Settings {
            host: environment
                .optional("HOST", host)?
                .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port: environment.required("PORT", port)?,
            data_dir: environment.required("DATA_DIR", |text| Ok(PathBuf::from(text)))?,
            store_url: environment.optional("STORE_URL", StoreUrl::parse)?,
            log_level: environment.optional("LOG_LEVEL", Level::parse)?.unwrap_or(Level::Info),
            karma_hello_url: environment.optional("KARMA_HELLO_URL", http_url)?,
            public_url: environment.optional("PUBLIC_URL", http_url)?,
            rate_limit: environment
                .optional("RATE_LIMIT_PER_MINUTE", RateLimit::parse)?
                .unwrap_or_default(),
            push_reach: environment.optional("PUSH_REACH", Reach::parse)?.unwrap_or_default(),
            otlp_endpoint: environment.optional("OTEL_EXPORTER_OTLP_ENDPOINT", http_url)?,
            xray_endpoint: environment.optional("AWS_ENDPOINT_URL_XRAY", http_url)?,
            service_name: environment.optional("OTEL_SERVICE_NAME", |text| Ok(text.to_owned()))?,
            llm: LlmSettings::read(&environment)?,
            irc: IrcSettings::read(&environment)?,
            ingest_token: environment.optional("INGEST_TOKEN", IngestToken::parse)?,
            retention: environment.optional("RETENTION_DAYS", days)?,
            payments: PaymentSettings::read(&environment)?,
            private_key: payments::private_key(&environment)?,
            drain_quiet: environment
                .optional("DRAIN_QUIET_SECONDS", seconds)?
                .unwrap_or(Duration::from_secs(2)),
            stop_timeout: environment
                .optional("STOP_TIMEOUT_SECONDS", seconds)?
                .unwrap_or(Duration::from_secs(110)),
        })
    }

    /// `KARMA_HELLO_URL`, for an agent that cannot work without it.
    pub fn required_karma_hello_url(&self) -> Result<Url, SettingError> {
        self.karma_hello_url
            .clone()
            .ok_or_else(|| SettingError::missing("KARMA_HELLO_URL"))
    }
}

impl SettingError {
    pub(crate) fn missing(variable: &'static str) -> SettingError {
        SettingError {
            variable,
            reason: "is not set and has no default".to_owned(),
        }
    }
}

/// Reads `HOST` and `PORT` alone, as the health check needs them: where no address is set, or all of them, it asks the
/// loopback address.
pub(crate) fn address_to_check(lookup: impl Fn(&str) -> Option<OsString>) -> Result<(IpAddr, u16), SettingError> {
    let environment = Environment { lookup };
    let host = environment
        .optional("HOST", host)?
        .filter(|host| !host.is_unspecified());
    Ok((
        host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        environment.required("PORT", port)?,
    ))
}

/// The variables of a process.
pub(crate) struct Environment<L> {
    pub(crate) lookup: L,
}

impl<L: Fn(&str) -> Option<OsString>> Environment<L> {
    /// The variable as it was parsed; none where it is not set.
    pub(crate) fn optional<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingError> {
        let Some(value) = (self.lookup)(variable) else {
            return Ok(None);
        };
        let parsed = value
            .to_str()
            .ok_or_else(|| "is not UTF-8".to_owned())
            .and_then(clean)
            .and_then(parse);
        parsed.map(Some).map_err(|reason| SettingError { variable, reason })
    }

    /// The same, of a variable that must be set.
    pub(crate) fn required<T>(
        &self,
        variable: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingError> {
        self.optional(variable, parse)?
            .ok_or_else(|| SettingError::missing(variable))
    }
}

fn clean(value: &str) -> Result<&str, String> {
    if value.trim().is_empty() {
        return Err("is empty: unset it or give it a value".to_owned());
    }
    if value.starts_with('#') || value.contains(" #") {
        return Err("holds a comment (`# ...`), which would be read as part of the value".to_owned());
    }
    if value.trim() != value {
        return Err("begins or ends with a blank".to_owned());
    }
    Ok(value)
}

fn host(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an IP address"))
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|&port| port != 0)
        .ok_or_else(|| format!("`{text}` is not a port from 1 to 65535"))
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds"))?;
    if !(0.0..=3600.0).contains(&seconds) {
        return Err(format!("`{text}` is not from 0 to 3600 seconds"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn days(text: &str) -> Result<Duration, String> {
    let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
    let days: u64 = days.ok_or_else(|| format!("`{text}` is not a number of days from 1 to 36500"))?;
    Ok(Duration::from_secs(days * 86_400))
}

/// The value itself stays out of the reasons: it may hold a password.
pub(crate) fn http_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if url.scheme() != "http" && url.scheme() != "https" {
        return Err(format!("has the scheme `{}`: give http or https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password, which does not belong there".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a query or fragment: give a base address only".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz_text;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::read(|name| {
            let found = variables.iter().rev().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    const LEAST: [(&str, &str); 2] = [("PORT", "9001"), ("DATA_DIR", "/app/data")];

    #[test]
    fn defaults() {
        let settings = read(&LEAST).unwrap();
        assert_eq!((settings.host.to_string().as_str(), settings.port), ("0.0.0.0", 9001));
        assert_eq!(
            (settings.drain_quiet.as_secs(), settings.stop_timeout.as_secs()),
            (2, 110)
        );
        assert_eq!(settings.log_level, Level::Info);
        assert_eq!(
            settings.required_karma_hello_url().unwrap_err().variable,
            "KARMA_HELLO_URL"
        );
    }

    #[test]
    fn bad_values_name_the_variable_and_the_reason() {
        let check = |variable: &'static str, value: &str, reason: &str| {
            let error = read(&[LEAST[0], LEAST[1], (variable, value)]).unwrap_err();
            assert_eq!(
                error,
                SettingError {
                    variable,
                    reason: reason.to_owned()
                }
            );
        };
        check("PORT", "0", "`0` is not a port from 1 to 65535");
        check("PORT", "65536", "`65536` is not a port from 1 to 65535");
        check("PORT", "", "is empty: unset it or give it a value");
        check(
            "PORT",
            "9001 # validator",
            "holds a comment (`# ...`), which would be read as part of the value",
        );
        check(
            "DATA_DIR",
            "# comment",
            "holds a comment (`# ...`), which would be read as part of the value",
        );
        check("DATA_DIR", " /data", "begins or ends with a blank");
        check("STORE_URL", "gs://bucket", "has the scheme `gs`: give s3 or file");
        check(
            "RATE_LIMIT_PER_MINUTE",
            "0",
            "`0` is neither off nor a number from 1 on",
        );
        check("PUSH_REACH", "private", "`private` is not one of public, any");
        check("HOST", "localhost", "`localhost` is not an IP address");
        check("LOG_LEVEL", "loud", "`loud` is not one of error, warn, info, debug");
        check("DRAIN_QUIET_SECONDS", "-1", "`-1` is not from 0 to 3600 seconds");
        check("STOP_TIMEOUT_SECONDS", "soon", "`soon` is not a number of seconds");
        check("RETENTION_DAYS", "0", "`0` is not a number of days from 1 to 36500");
        check(
            "KARMA_HELLO_URL",
            "karma-hello:9002",
            "has the scheme `karma-hello`: give http or https",
        );
        check("KARMA_HELLO_URL", "http://", "is not a URL: empty host");
        check(
            "KARMA_HELLO_URL",
            "http://me:pass@x/",
            "holds a user name or password, which does not belong there",
        );
        check(
            "PUBLIC_URL",
            "https://x/?a=b",
            "holds a query or fragment: give a base address only",
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(&LEAST[1..]).unwrap_err();
        assert_eq!(error.to_string(), "PORT: is not set and has no default");
    }

    #[test]
    fn the_check_asks_the_loopback_address_for_all_addresses() {
        let check = |host: Option<&str>, expected: &str| {
            let lookup = |name: &str| match name {
                "HOST" => host.map(OsString::from),
                _ => Some("9001".into()),
            };
            assert_eq!(address_to_check(lookup).unwrap().0.to_string(), expected);
        };
        check(None, "127.0.0.1");
        check(Some("0.0.0.0"), "127.0.0.1");
        check(Some("127.3.0.9"), "127.3.0.9");
    }

    proptest! {
        #[test]
        fn no_value_panics(value in ".*") {
            for variable in ["HOST", "PORT", "LOG_LEVEL", "KARMA_HELLO_URL", "DRAIN_QUIET_SECONDS"] {
                let _ = read(&[LEAST[0], LEAST[1], (variable, &value)]);
            }
        }
    }

    #[test]
    fn no_changed_value_breaks_it() {
        let examples = [
            "s3://bucket/prefix",
            "file:///var/store",
            "http://karma-hello:9002",
            "127.0.0.1",
            "9001",
            "get_chat_logs=10000,list_streams=0",
            "ircs://irc.chat.twitch.tv:6697",
            "#one,#two",
            "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "eip155:84532",
            "12.5",
            "off",
        ];
        let variables = [
            "HOST",
            "PORT",
            "STORE_URL",
            "LOG_LEVEL",
            "KARMA_HELLO_URL",
            "PUBLIC_URL",
            "RATE_LIMIT_PER_MINUTE",
            "PUSH_REACH",
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
            "IRC_URL",
            "IRC_CHANNELS",
            "RETENTION_DAYS",
            "CHAIN_RPC_URL",
            "TOKEN_ADDRESS",
            "PRICES",
            "PRIVATE_KEY",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "DRAIN_QUIET_SECONDS",
        ];
        fuzz_text(&examples, |value| {
            for variable in variables {
                let _ = read(&[LEAST[0], LEAST[1], (variable, value)]);
            }
        });
    }
}
