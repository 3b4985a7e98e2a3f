//! [`Resolve`]: a host that is really somewhere else.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// Connections to a host's port that go elsewhere, as [curl's `--resolve`](https://curl.se/docs/manpage.html#--resolve) has it, with a port of
/// the other end too: `HOST:PORT:ADDRESS:PORT`, an IPv6 address in brackets.
///
/// Only the connection goes elsewhere: the name, the `Host` header, the name that TLS asks for and the signature stay those of the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resolve {
    /// A name, in lower case.
    pub host: String,
    /// The port that the host is asked at.
    pub port: u16,
    /// Where the connection goes.
    pub to: SocketAddr,
}

/// It is not `HOST:PORT:ADDRESS:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST:PORT:ADDRESS:PORT, such as `registry.example:443:127.0.0.1:5000`")]
pub struct NotResolve(String);

impl Resolve {
    /// Where a connection to this host and port goes, if one of these says.
    pub fn find(among: &[Self], host: &str, port: u16) -> Option<SocketAddr> {
        let fits = |one: &&Self| one.port == port && one.host.eq_ignore_ascii_case(host);
        among.iter().find(fits).map(|one| one.to)
    }
}

impl FromStr for Resolve {
    type Err = NotResolve;

    fn from_str(text: &str) -> Result<Self, NotResolve> {
        parse(text).ok_or_else(|| NotResolve(text.to_owned()))
    }
}

impl fmt::Display for Resolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.host, self.port, self.to)
    }
}

fn parse(text: &str) -> Option<Resolve> {
    let (host, rest) = text.split_once(':')?;
    let (port, to) = rest.split_once(':')?;
    Some(Resolve {
        host: Some(host).filter(|host| is_name(host))?.to_ascii_lowercase(),
        port: port.parse().ok()?,
        to: to.parse().ok()?,
    })
}

/// An address is no name: nothing would have to be resolved.
fn is_name(host: &str) -> bool {
    let may_be_in_it = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    !host.is_empty() && host.bytes().all(may_be_in_it) && host.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_where_it_is_go_there_and_back() {
        let check = |text: &str| assert_eq!(text.parse::<Resolve>().unwrap().to_string(), text);
        check("registry.example:443:127.0.0.1:5000");
        check("ecs.us-east-1.amazonaws.com:443:[::1]:8443");
        let shouted: Resolve = "Registry.Example:443:127.0.0.1:5000".parse().unwrap();
        assert_eq!(shouted.host, "registry.example");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "host",
            "host:443",
            "host:443:127.0.0.1",
            "host:port:127.0.0.1:1",
            "host:70000:127.0.0.1:1",
            "host:443:elsewhere:1",
            ":443:127.0.0.1:1",
            "10.0.0.1:443:127.0.0.1:1",
            "ho st:443:127.0.0.1:1",
            "host:443:::1:8443",
        ] {
            assert!(text.parse::<Resolve>().is_err(), "{text}");
        }
    }

    #[test]
    fn host_and_port_must_both_fit_and_the_first_wins() {
        let among = ["a.example:443:127.0.0.1:1", "a.example:443:127.0.0.1:2"].map(|text| text.parse().unwrap());
        let check = |host: &str, port, expected: Option<u16>| {
            let found = Resolve::find(&among, host, port).map(|address| address.port());
            assert_eq!(found, expected, "{host}:{port}");
        };
        check("a.example", 443, Some(1));
        check("A.EXAMPLE", 443, Some(1));
        check("a.example", 80, None);
        check("b.example", 443, None);
    }
}
