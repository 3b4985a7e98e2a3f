//! Where notifications may be sent: a caller names the address, so it must not be one that only we can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;

/// Which addresses a notification may go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Those that anybody can reach.
    #[default]
    Public,
    /// This machine's and private ones too: for tests, and for a laptop.
    Any,
}

impl Reach {
    /// `public` or `any`, or why it is neither.
    pub(crate) fn parse(text: &str) -> Result<Reach, String> {
        match text {
            "public" => Ok(Reach::Public),
            "any" => Ok(Reach::Any),
            _ => Err(format!("`{text}` is not one of public, any")),
        }
    }

    /// The addresses of a URL's host, all of which must be allowed. They are what is connected to: a name asked again might answer
    /// otherwise.
    pub(super) async fn resolve(self, url: &Url) -> Result<Vec<SocketAddr>, String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("has the scheme `{}`: give http or https", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password: put them into authentication".to_owned());
        }
        let addresses = lookup(url).await?;
        if self == Reach::Public && addresses.iter().any(|address| !is_public(address.ip())) {
            return Err("names an address that is not public".to_owned());
        }
        Ok(addresses)
    }
}

async fn lookup(url: &Url) -> Result<Vec<SocketAddr>, String> {
    let host = url.host_str().ok_or("names no host")?;
    let port = url.port_or_known_default().ok_or("names no port")?;
    // An IPv6 address stands in brackets in a URL, and without in a look-up.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((host, port)).await;
    let addresses: Vec<SocketAddr> = found.map_err(|_| "names a host that is not found")?.collect();
    if addresses.is_empty() {
        return Err("names a host without an address".to_owned());
    }
    Ok(addresses)
}

/// Whether anybody can reach the address: none of this machine, of a private network, of a link, or of a special use.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (18..20).contains(&b);
    // The task's own credentials and metadata are link-local: 169.254.170.2.
    let is_special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240;
    !(is_special || is_shared || is_protocol || is_benchmark)
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in disguise: mapped, translated, and 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Teredo, documentation and other special uses.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        // Everything else that anybody can reach begins with 001.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.3.0.9",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "fc00::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "::127.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_url_is_refused_for_what_its_host_is() {
        let check = async |url: &str, reason: &str| {
            let refused = Reach::Public.resolve(&url.parse().unwrap()).await.unwrap_err();
            assert!(refused.contains(reason), "{url}: {refused}");
        };
        check("ftp://example.org/", "scheme").await;
        check("http://user:pass@1.1.1.1/", "password").await;
        check("http://localhost:9001/", "not public").await;
        check("http://[::1]/", "not public").await;
        check("http://169.254.170.2/v2/credentials", "not public").await;
        // Other ways to write 127.0.0.1.
        check("http://2130706433/", "not public").await;
        check("http://0x7f.1/", "not public").await;
        check("http://127.1/", "not public").await;
        let found = Reach::Public
            .resolve(&"https://1.1.1.1/x".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(found, ["1.1.1.1:443".parse().unwrap()]);
        assert!(
            Reach::Any
                .resolve(&"http://127.0.0.1:1/".parse().unwrap())
                .await
                .is_ok()
        );
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_as_public_in_disguise(bits: u32) {
            let address = Ipv4Addr::from(bits);
            prop_assert_eq!(is_public(IpAddr::V6(address.to_ipv6_mapped())), is_public(IpAddr::V4(address)));
        }
    }
}
