//! A line of IRC, with the tags that Twitch adds.
//!
//! See <https://ircv3.net/specs/extensions/message-tags.html> and <https://dev.twitch.tv/docs/chat/irc/#privmsg-tags>.

use jiff::Timestamp;

use crate::chat::Message;

/// A line in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    tags: Vec<(&'l str, String)>,
    /// Who sends it: `nick!user@host`, or a server.
    prefix: Option<&'l str>,
    pub(super) command: &'l str,
    pub(super) parameters: Vec<&'l str>,
}

/// What somebody said in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Without `#`.
    pub(super) channel: String,
    pub(super) message: Message,
}

impl<'l> Line<'l> {
    /// The parts of a line; none where it has no command.
    pub(super) fn parse(line: &'l str) -> Option<Line<'l>> {
        let rest = line.trim_end_matches(['\r', '\n']);
        let (tags, rest) = part(rest, '@');
        let (prefix, rest) = part(rest, ':');
        let (rest, trailing) = match rest.split_once(" :") {
            Some((rest, trailing)) => (rest, Some(trailing)),
            None => (rest, None),
        };
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let command = words.next()?;
        Some(Line {
            tags: tags.map(parse_tags).unwrap_or_default(),
            prefix,
            command,
            parameters: words.chain(trailing).collect(),
        })
    }

    /// The message that the line is, if it is one. The server says when it was sent; one that does not is believed to be fast.
    pub(super) fn said(&self, received: Timestamp) -> Option<Said> {
        let [channel, text] = self.parameters.as_slice() else {
            return None;
        };
        let channel = channel.strip_prefix('#').filter(|_| self.command == "PRIVMSG")?;
        let sent = self.tag("tmi-sent-ts").and_then(|text| text.parse().ok());
        let sent = sent.and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
        let nick = self.prefix.and_then(|prefix| prefix.split('!').next());
        let user = self
            .tag("display-name")
            .filter(|name| !name.trim().is_empty())
            .or(nick)?;
        Some(Said {
            channel: channel.to_lowercase(),
            message: Message {
                timestamp: sent.unwrap_or(received),
                user: user.trim().to_owned(),
                message: spoken(text).to_owned(),
                user_badges: self.badges(),
            },
        })
    }

    fn tag(&self, name: &str) -> Option<&str> {
        let found = self.tags.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `subscriber/12,moderator/1` without the versions.
    fn badges(&self) -> Vec<String> {
        let names = self.tag("badges").unwrap_or_default().split(',');
        let names = names.filter_map(|badge| badge.split('/').next());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }
}

/// The first word of a line where it begins with a sign, without the sign, and what follows.
fn part(line: &str, sign: char) -> (Option<&str>, &str) {
    let Some(marked) = line.strip_prefix(sign) else {
        return (None, line);
    };
    let (first, rest) = marked.split_once(' ').unwrap_or((marked, ""));
    (Some(first), rest.trim_start_matches(' '))
}

fn parse_tags(tags: &str) -> Vec<(&str, String)> {
    let tag = |tag| match str::split_once(tag, '=') {
        Some((name, value)) => (name, unescape(value)),
        None => (tag, String::new()),
    };
    tags.split(';').map(tag).collect()
}

fn unescape(value: &str) -> String {
    let mut letters = value.chars();
    let mut plain = String::with_capacity(value.len());
    while let Some(letter) = letters.next() {
        let letter = if letter == '\\' {
            letters.next().map(escaped)
        } else {
            Some(letter)
        };
        plain.extend(letter);
    }
    plain
}

fn escaped(letter: char) -> char {
    match letter {
        ':' => ';',
        's' => ' ',
        'r' => '\r',
        'n' => '\n',
        other => other,
    }
}

/// `/me waves` comes as an action: `\x01ACTION waves\x01`.
fn spoken(text: &str) -> &str {
    let action = text.strip_prefix("\u{1}ACTION ");
    action.map_or(text, |action| action.trim_end_matches('\u{1}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fuzz::fuzz_text;

    fn said(line: &str) -> Option<Said> {
        Line::parse(line)?.said(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_message_with_its_tags() {
        let line = "@badges=subscriber/12,moderator/1;display-name=Ana\\sB;tmi-sent-ts=1768240800123 \
                    :ana!ana@ana.tmi.twitch.tv PRIVMSG #Canal :hola: ¿qué tal?\r\n";
        let found = said(line).unwrap();
        assert_eq!(
            (found.channel.as_str(), found.message.user.as_str()),
            ("canal", "Ana B")
        );
        assert_eq!(found.message.message, "hola: ¿qué tal?");
        assert_eq!(found.message.user_badges, ["subscriber", "moderator"]);
        assert_eq!(found.message.timestamp.as_millisecond(), 1_768_240_800_123);
    }

    #[test]
    fn what_is_missing_is_made_up_for_and_what_is_no_message_is_none() {
        let bare = said(":ana!a@h PRIVMSG #c :\u{1}ACTION waves\u{1}").unwrap();
        assert_eq!(
            (bare.message.user.as_str(), bare.message.message.as_str()),
            ("ana", "waves")
        );
        assert_eq!(bare.message.timestamp, Timestamp::UNIX_EPOCH);
        for other in [
            ":ana!a@h JOIN #c",
            "PING :x",
            ":ana!a@h PRIVMSG ana :psst",
            "PRIVMSG #c :who?",
            "",
            ":",
            "@a",
            "   ",
        ] {
            assert_eq!(said(other), None, "{other}");
        }
    }

    #[test]
    fn tags_are_unescaped() {
        assert_eq!(unescape("a\\:b\\s\\\\c\\"), "a;b \\c");
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "[@:# a-z=;\\\\/ñ\r\n]{0,60}|.{0,60}") {
            let _ = said(&line);
        }

        #[test]
        fn what_is_sent_is_heard(user in "[a-z]{1,8}", channel in "[a-z]{1,8}", text in "[^\r\n\u{1}]{0,40}") {
            let found = said(&format!(":{user}!u@h PRIVMSG #{channel} :{text}\r\n")).unwrap();
            prop_assert_eq!((found.message.user, found.channel, found.message.message), (user, channel, text));
        }
    }

    #[test]
    fn no_changed_line_breaks_it() {
        let examples = [
            "@badge-info=;badges=broadcaster/1;color=#0000FF;display-name=Ana;tmi-sent-ts=1507246572675 :ana!ana@ana.tmi.twitch.tv PRIVMSG #lab :hola \u{1F525}\r\n",
            ":tmi.twitch.tv 001 ana :Welcome, GLHF!\r\n",
            "PING :tmi.twitch.tv",
        ];
        fuzz_text(&examples, |line| drop(said(line)));
    }
}
