//! Which server to listen to, and which channels.

use std::ffi::OsString;
use std::fmt;

use reqwest::Url;

use crate::settings::{Environment, SettingError};

/// Twitch lets everybody read who calls himself so. <https://discuss.dev.twitch.com/t/anonymous-connection-to-twitch-chat/20392>
const ANONYMOUS: &str = "justinfan73";

/// A chat to listen to.
#[derive(Clone, Debug)]
pub struct IrcSettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    /// Without `#`.
    pub(super) channels: Vec<String>,
    nick: String,
    password: Option<Password>,
}

#[derive(Clone)]
struct Password(String);

impl IrcSettings {
    /// `IRC_URL` (`ircs://irc.chat.twitch.tv:6697`), `IRC_CHANNELS` (`a,b`), and if the server wants them `IRC_NICK` and `IRC_PASSWORD`.
    pub(crate) fn read<L>(environment: &Environment<L>) -> Result<Option<IrcSettings>, SettingError>
    where
        L: Fn(&str) -> Option<OsString>,
    {
        let server = environment.optional("IRC_URL", server)?;
        let channels = environment.optional("IRC_CHANNELS", channels)?;
        let nick = environment.optional("IRC_NICK", name)?;
        let password = environment.optional("IRC_PASSWORD", Password::parse)?;
        let Some((host, port, is_tls)) = server else {
            return Ok(None);
        };
        if password.is_some() && !is_tls {
            let reason = "would go over the wire for everybody to read: give IRC_URL the scheme ircs".to_owned();
            return Err(SettingError {
                variable: "IRC_PASSWORD",
                reason,
            });
        }
        Ok(Some(IrcSettings {
            host,
            port,
            is_tls,
            channels: channels.ok_or_else(|| SettingError {
                variable: "IRC_CHANNELS",
                reason: "is not set, and IRC_URL means nothing without it".to_owned(),
            })?,
            nick: nick.unwrap_or_else(|| ANONYMOUS.to_owned()),
            password,
        }))
    }

    /// Where it is, for people.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What is said first.
    pub(super) fn greeting(&self) -> Vec<String> {
        let channels: Vec<String> = self.channels.iter().map(|channel| format!("#{channel}")).collect();
        let password = self
            .password
            .as_ref()
            .map(|Password(password)| format!("PASS {password}"));
        let rest = [
            "CAP REQ :twitch.tv/tags twitch.tv/commands".to_owned(),
            format!("NICK {}", self.nick),
            format!("JOIN {}", channels.join(",")),
        ];
        password.into_iter().chain(rest).collect()
    }
}

impl Password {
    fn parse(text: &str) -> Result<Password, String> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        // The value stays out of the reason.
        let reason = || "holds blanks or letters that no token has".to_owned();
        is_plain.then(|| Password(text.to_owned())).ok_or_else(reason)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

fn server(text: &str) -> Result<(String, u16, bool), String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    let (is_tls, default_port) = match url.scheme() {
        "irc" => (false, 6667),
        "ircs" => (true, 6697),
        other => return Err(format!("has the scheme `{other}`: give irc or ircs")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password: they belong into IRC_NICK and IRC_PASSWORD".to_owned());
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| "names no server".to_owned())?;
    Ok((host.to_owned(), url.port().unwrap_or(default_port), is_tls))
}

fn channels(text: &str) -> Result<Vec<String>, String> {
    let channels = text
        .split(',')
        .map(|channel| name(channel.trim().trim_start_matches('#')));
    channels.collect()
}

fn name(text: &str) -> Result<String, String> {
    let is_name =
        (1..=25).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let reason = || format!("`{text}` is no name of letters, digits and `_`");
    is_name.then(|| text.to_ascii_lowercase()).ok_or_else(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in super::super) fn read(variables: &[(&str, &str)]) -> Result<Option<IrcSettings>, SettingError> {
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        IrcSettings::read(&Environment { lookup })
    }

    #[test]
    fn a_server_and_its_channels() {
        assert!(read(&[]).unwrap().is_none());
        let found = read(&[("IRC_URL", "ircs://irc.chat.twitch.tv"), ("IRC_CHANNELS", "Uno,#dos")])
            .unwrap()
            .unwrap();
        assert_eq!(
            (found.address().as_str(), found.is_tls),
            ("irc.chat.twitch.tv:6697", true)
        );
        assert_eq!(found.greeting().last().unwrap(), "JOIN #uno,#dos");
    }

    #[test]
    fn bad_values_name_the_variable_and_no_secret() {
        let check = |variables: &[(&str, &str)], variable: &str, reason: &str| {
            let error = read(variables).unwrap_err();
            assert_eq!(
                (error.variable, error.reason.contains(reason)),
                (variable, true),
                "{error}"
            );
            assert!(!error.reason.contains("oauth"), "{error}");
        };
        check(&[("IRC_URL", "irc://h")], "IRC_CHANNELS", "is not set");
        check(&[("IRC_URL", "http://h")], "IRC_URL", "give irc or ircs");
        check(&[("IRC_URL", "irc://oauth@h")], "IRC_URL", "IRC_PASSWORD");
        check(&[("IRC_CHANNELS", "a,,b")], "IRC_CHANNELS", "is no name");
        check(&[("IRC_NICK", "a b")], "IRC_NICK", "is no name");
        check(&[("IRC_PASSWORD", "oauth:1\t2")], "IRC_PASSWORD", "holds blanks");
        let plain = [
            ("IRC_URL", "irc://h"),
            ("IRC_CHANNELS", "a"),
            ("IRC_PASSWORD", "oauth:1"),
        ];
        check(&plain, "IRC_PASSWORD", "for everybody to read");
    }
}
