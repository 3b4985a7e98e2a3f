//! How clients stay with the target, or the target group, that they first got.
//!
//! The authority is [sticky sessions][aws].
//!
//! [aws]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html

mod cookie;
mod ticket;

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::stickiness::ticket::{Ticket, keyed};
use cookie::SameSite;

/// What a client's target is remembered by. Either way the time counts from the client's latest request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stickiness {
    /// A cookie of our own, `AWSALB`, with a twin for cross-origin requests, `AWSALBCORS`.
    LoadBalancerCookie {
        /// How long a client may be away.
        duration: Duration,
    },
    /// A cookie of the application: when a target sets it, we add our own, `AWSALBAPP-0`, and the client has to send
    /// back both.
    ApplicationCookie {
        /// The name of the application's cookie.
        name: String,
        /// How long a client may be away.
        duration: Duration,
    },
}

/// What one request is remembered by, once its answer has come.
#[derive(Debug, Clone)]
pub(crate) struct Session<'a> {
    stickiness: &'a Stickiness,
    /// The number of the target group.
    group: u64,
    /// What the client's cookie says of this group.
    ticket: Option<Ticket>,
    /// What it says of other groups, and has to say still: there is only one cookie for all.
    others: Vec<Ticket>,
}

/// The cookies of a listener rule with several groups.
const GROUP: [(&str, SameSite); 2] = [("AWSALBTG", SameSite::Unsaid), ("AWSALBTGCORS", SameSite::None)];
/// The cookies of duration-based stickiness.
const TARGET: [(&str, SameSite); 2] = [("AWSALB", SameSite::Unsaid), ("AWSALBCORS", SameSite::None)];
/// The cookie of application-based stickiness; `0`, since the first 4 KB are all it needs.
const APPLICATION: &str = "AWSALBAPP-0";
/// Stands between the tickets of an application's cookie.
const SEPARATOR: char = '.';
/// More groups than this are not remembered in one cookie, so that it stays below 4 KB.
const MOST_TICKETS: usize = 32;

impl Stickiness {
    /// Reads what the client sent with a request for the group of this name.
    pub(crate) fn session<'a>(&'a self, group: &str, headers: &HeaderMap, now: SystemTime) -> Session<'a> {
        let group = group_number(group);
        let sent = match self {
            Self::LoadBalancerCookie { .. } => tickets_of_pair(headers, TARGET).collect(),
            Self::ApplicationCookie { name, .. } if cookie::values(headers, name).next().is_none() => Vec::new(),
            Self::ApplicationCookie { .. } => tickets(headers, APPLICATION).collect::<Vec<_>>(),
        };
        let (ours, others): (Vec<_>, Vec<_>) = sent.into_iter().partition(|ticket| ticket.group == group);
        Session {
            stickiness: self,
            group,
            ticket: ours.into_iter().find(|ticket| ticket.is_fresh(self.duration(), now)),
            others,
        }
    }

    fn duration(&self) -> Duration {
        match self {
            Self::LoadBalancerCookie { duration } | Self::ApplicationCookie { duration, .. } => *duration,
        }
    }
}

impl Session<'_> {
    /// Whether the client belongs to this target.
    pub(crate) fn is_with(&self, target: SocketAddr) -> bool {
        self.ticket
            .is_some_and(|ticket| ticket.member == target_number(self.group, target))
    }

    /// Tells the client which target it belongs to from now on.
    pub(crate) fn remember(&self, target: SocketAddr, headers: &mut HeaderMap, now: SystemTime) {
        let ticket = Ticket::issue(self.group, target_number(self.group, target), now);
        match self.stickiness {
            Stickiness::LoadBalancerCookie { .. } => set_pair(headers, TARGET, ticket, now),
            Stickiness::ApplicationCookie { name, .. } => {
                if self.ticket.is_some() || cookie::is_set(headers, name) {
                    cookie::set(headers, APPLICATION, &self.joined(ticket), SameSite::Unsaid, now);
                }
            }
        }
    }

    /// The new ticket, and those of other groups.
    fn joined(&self, ticket: Ticket) -> String {
        let others = self.others.iter().take(MOST_TICKETS - 1);
        others.fold(ticket.to_string(), |joined, other| {
            format!("{joined}{SEPARATOR}{other}")
        })
    }
}

/// Whether the client belongs to the target group of this name.
pub(crate) fn is_with_group(name: &str, headers: &HeaderMap, duration: Duration, now: SystemTime) -> bool {
    let group = group_number(name);
    tickets_of_pair(headers, GROUP).any(|ticket| ticket.group == group && ticket.is_fresh(duration, now))
}

/// Tells the client which target group it belongs to from now on.
pub(crate) fn remember_group(name: &str, headers: &mut HeaderMap, now: SystemTime) {
    set_pair(headers, GROUP, Ticket::issue(group_number(name), 0, now), now);
}

fn group_number(name: &str) -> u64 {
    keyed(("group", name))
}

fn target_number(group: u64, target: SocketAddr) -> u64 {
    keyed(("target", group, target))
}

fn tickets_of_pair(headers: &HeaderMap, pair: [(&'static str, SameSite); 2]) -> impl Iterator<Item = Ticket> {
    pair.into_iter().flat_map(|(name, _)| tickets(headers, name))
}

fn tickets<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Ticket> {
    let texts = cookie::values(headers, name).flat_map(|value| value.split(SEPARATOR));
    texts.filter_map(|text| text.parse().ok())
}

fn set_pair(headers: &mut HeaderMap, pair: [(&str, SameSite); 2], ticket: Ticket, now: SystemTime) {
    for (name, same_site) in pair {
        cookie::set(headers, name, &ticket.to_string(), same_site, now);
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn address(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    fn by_load_balancer() -> Stickiness {
        Stickiness::LoadBalancerCookie { duration: DAY }
    }

    fn by_application() -> Stickiness {
        Stickiness::ApplicationCookie {
            name: "session".to_owned(),
            duration: DAY,
        }
    }

    /// What a client sends that has kept all cookies of these answers, the later ones in the place of the earlier.
    fn sent_back(answers: &[&HeaderMap]) -> HeaderMap {
        let mut jar: Vec<(String, String)> = Vec::new();
        for set in answers.iter().flat_map(|answer| answer.get_all(header::SET_COOKIE)) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            jar.retain(|(kept, _)| kept != name);
            jar.push((name.to_owned(), value.to_owned()));
        }
        let cookies: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::try_from(cookies.join("; ")).unwrap())])
    }

    fn names_set(answer: &HeaderMap) -> Vec<&str> {
        let set = answer.get_all(header::SET_COOKIE).iter();
        set.map(|value| value.to_str().unwrap().split('=').next().unwrap())
            .collect()
    }

    #[test]
    fn a_client_comes_back_to_its_target_for_the_duration() {
        let (stickiness, now) = (by_load_balancer(), SystemTime::now());
        let mut answer = HeaderMap::new();
        let session = stickiness.session("web", &HeaderMap::new(), now);
        assert!(!session.is_with(address(1)));
        session.remember(address(1), &mut answer, now);
        assert_eq!(names_set(&answer), ["AWSALB", "AWSALBCORS"]);
        let request = sent_back(&[&answer]);
        let later = |time| stickiness.session("web", &request, time);
        assert!(later(now + DAY).is_with(address(1)) && !later(now + DAY).is_with(address(2)));
        assert!(!later(now + DAY + Duration::from_secs(2)).is_with(address(1)));
        assert!(!stickiness.session("other", &request, now).is_with(address(1)));
    }

    #[test]
    fn the_twin_alone_will_do() {
        let (stickiness, now) = (by_load_balancer(), SystemTime::now());
        let mut answer = HeaderMap::new();
        stickiness
            .session("web", &HeaderMap::new(), now)
            .remember(address(1), &mut answer, now);
        let request = sent_back(&[&answer]);
        let cookies = request[header::COOKIE].to_str().unwrap();
        let twin = cookies
            .split("; ")
            .find(|cookie| cookie.starts_with("AWSALBCORS"))
            .unwrap();
        let request = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(twin).unwrap())]);
        assert!(stickiness.session("web", &request, now).is_with(address(1)));
    }

    #[test]
    fn the_application_decides_when_to_stick() {
        let (stickiness, now) = (by_application(), SystemTime::now());
        let mut plain = HeaderMap::new();
        stickiness
            .session("web", &HeaderMap::new(), now)
            .remember(address(1), &mut plain, now);
        assert!(plain.is_empty());
        let mut answer = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static("session=s; Path=/"))]);
        stickiness
            .session("web", &HeaderMap::new(), now)
            .remember(address(1), &mut answer, now);
        assert_eq!(names_set(&answer), ["session", "AWSALBAPP-0"]);
        let session = |request: &HeaderMap| stickiness.session("web", request, now).is_with(address(1));
        assert!(session(&sent_back(&[&answer])));
        // Both cookies have to come back.
        let ours = answer.get_all(header::SET_COOKIE).iter().nth(1).unwrap().clone();
        assert!(!session(&sent_back(&[&HeaderMap::from_iter([(
            header::SET_COOKIE,
            ours
        )])])));
        // Who has come back gets a new date.
        let mut second = HeaderMap::new();
        stickiness
            .session("web", &sent_back(&[&answer]), now)
            .remember(address(1), &mut second, now);
        assert_eq!(names_set(&second), ["AWSALBAPP-0"]);
    }

    #[test]
    fn one_cookie_remembers_several_groups() {
        let (stickiness, now) = (by_application(), SystemTime::now());
        let answered = |group: &str, port, request: &HeaderMap| {
            let set = HeaderValue::from_static("session=s");
            let mut answer = HeaderMap::from_iter([(header::SET_COOKIE, set)]);
            stickiness
                .session(group, request, now)
                .remember(address(port), &mut answer, now);
            sent_back(&[&answer])
        };
        let both = answered("second", 2, &answered("first", 1, &HeaderMap::new()));
        assert!(stickiness.session("first", &both, now).is_with(address(1)));
        assert!(stickiness.session("second", &both, now).is_with(address(2)));
        let moved = answered("first", 3, &both);
        assert!(stickiness.session("first", &moved, now).is_with(address(3)));
        assert!(stickiness.session("second", &moved, now).is_with(address(2)));
    }

    #[test]
    fn a_client_stays_with_its_group() {
        let now = SystemTime::now();
        let mut answer = HeaderMap::new();
        remember_group("blue", &mut answer, now);
        assert_eq!(names_set(&answer), ["AWSALBTG", "AWSALBTGCORS"]);
        let request = sent_back(&[&answer]);
        assert!(is_with_group("blue", &request, DAY, now));
        assert!(!is_with_group("green", &request, DAY, now));
        assert!(!is_with_group("blue", &request, DAY, now + DAY + DAY));
    }
}
