//! Address arithmetic: `cidrsubnet` and its neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Answer, Call, Failure, Function, Parameter, number, string};
use crate::Value;

const HOST: &[Parameter] = &[string("prefix"), number("hostnum")];
const SUBNET: &[Parameter] = &[string("prefix"), number("newbits"), number("netnum")];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("cidrhost", HOST, cidr_host),
    Function::new("cidrnetmask", &[string("prefix")], cidr_netmask),
    Function::new("cidrsubnet", SUBNET, cidr_subnet),
    Function::new("cidrsubnets", &[string("prefix")], cidr_subnets).variadic(number("newbits")),
];

/// An address range: the first address as a number, and how many of its leading bits all members share.
#[derive(Clone, Copy)]
struct Network {
    first: u128,
    prefix: u32,
    version: Version,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V4,
    V6,
}

fn cidr_host(call: &mut Call<'_>) -> Answer {
    let network = Network::parse(call.text(0))?;
    let host = call
        .number(1)
        .as_i128()
        .ok_or_else(|| Failure::new("value must be a whole number"))?;
    // Negative numbers count from the end; more than a `u128` of hosts is more than anyone numbers.
    let count = network
        .host_count()
        .and_then(|count| i128::try_from(count).ok())
        .unwrap_or(i128::MAX);
    let wanted = if host < 0 { count.saturating_add(host) } else { host };
    let fitting = u128::try_from(wanted).ok().filter(|_| wanted < count);
    let offset = fitting.ok_or_else(|| {
        let prefix = network.prefix;
        Failure::new(format!(
            "prefix of {prefix} does not accommodate a host numbered {wanted}"
        ))
    })?;
    Ok(Value::String(network.version.address(network.first + offset)))
}

fn cidr_netmask(call: &mut Call<'_>) -> Answer {
    let network = Network::parse(call.text(0))?;
    if network.version == Version::V6 {
        let given = call.text(0);
        return Err(Failure::new(format!("IPv6 addresses cannot have a netmask: {given}")));
    }
    Ok(Value::String(network.version.address(network.mask())))
}

fn cidr_subnet(call: &mut Call<'_>) -> Answer {
    let network = Network::parse(call.text(0))?;
    let whole = |position| {
        call.number(position)
            .as_i128()
            .ok_or_else(|| Failure::new("value must be a whole number"))
    };
    let (bits, number) = (whole(1)?, whole(2)?);
    let insufficient = || {
        let prefix = network.prefix;
        Failure::new(format!(
            "insufficient address space to extend prefix of {prefix} by {bits}"
        ))
    };
    let new_bits = u32::try_from(bits).map_err(|_| insufficient())?;
    let subnet = network.subnet(new_bits).ok_or_else(insufficient)?;
    let number = u128::try_from(number)
        .ok()
        .filter(|number| new_bits >= 128 || *number < 1 << new_bits);
    let number = number.ok_or_else(|| {
        let given = call.number(2);
        Failure::new(format!(
            "prefix extension of {bits} does not accommodate a subnet numbered {given}"
        ))
    })?;
    let first = network.first | number.checked_shl(subnet.host_bits()).unwrap_or(0);
    Ok(Value::String(Network { first, ..subnet }.to_string()))
}

fn cidr_subnets(call: &mut Call<'_>) -> Answer {
    let network = Network::parse(call.text(0))?;
    let mut subnets = Vec::new();
    let mut previous: Option<Network> = None;
    for position in 1..call.arguments.len() {
        let bits = call.number(position).as_i128();
        let bits = bits.ok_or_else(|| Failure::at(position, "value must be a whole number"))?;
        let shape = extended(network, bits).map_err(|phrase| Failure::at(position, phrase))?;
        let subnet = match previous {
            Some(previous) => shape.after(previous, network).ok_or_else(|| {
                let prefix = shape.prefix;
                Failure::at(
                    position,
                    format!("not enough remaining address space for a subnet with a prefix of {prefix} bits after {previous}"),
                )
            })?,
            None => shape,
        };
        subnets.push(Value::String(subnet.to_string()));
        previous = Some(subnet);
    }
    Ok(Value::List(subnets))
}

/// The first subnet with so many bits more, under the limits `cidrsubnets` sets.
fn extended(network: Network, bits: i128) -> Result<Network, String> {
    const MOST: u32 = 32;
    let new_bits = u32::try_from(bits)
        .ok()
        .filter(|bits| *bits >= 1)
        .ok_or("must extend prefix by at least one bit")?;
    if new_bits > MOST {
        return Err("may not extend prefix by more than 32 bits".into());
    }
    network.subnet(new_bits).ok_or_else(|| {
        let version = if network.version == Version::V4 { "IPv4" } else { "IPv6" };
        let length = network.prefix + new_bits;
        format!("would extend prefix to {length} bits, which is too long for an {version} address")
    })
}

impl Network {
    /// <https://www.rfc-editor.org/rfc/rfc4632>; bits beyond the prefix are cleared, and leading zeros mean nothing.
    fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = || Failure::new(format!("invalid CIDR expression: invalid CIDR address: {text}"));
        let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
        let (bits, version) = parse_address(address).ok_or_else(invalid)?;
        let digits_only = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix
            .parse::<u32>()
            .ok()
            .filter(|prefix| digits_only && *prefix <= version.bits());
        let mut network = Self {
            first: bits,
            prefix: prefix.ok_or_else(invalid)?,
            version,
        };
        network.first &= network.mask();
        Ok(network)
    }

    fn host_bits(self) -> u32 {
        self.version.bits() - self.prefix
    }

    /// `None` is more than a `u128` can say.
    fn host_count(self) -> Option<u128> {
        1_u128.checked_shl(self.host_bits())
    }

    fn mask(self) -> u128 {
        let every_bit = u128::MAX >> (128 - self.version.bits());
        every_bit & u128::MAX.checked_shl(self.host_bits()).unwrap_or(0)
    }

    /// The first of its subnets with so many bits more.
    fn subnet(self, new_bits: u32) -> Option<Self> {
        let prefix = self
            .prefix
            .checked_add(new_bits)
            .filter(|prefix| *prefix <= self.version.bits())?;
        Some(Self { prefix, ..self })
    }

    /// The next place for a subnet of this size behind another, inside the network.
    fn after(self, previous: Self, network: Self) -> Option<Self> {
        let behind = previous.first.checked_add(previous.host_count()?)?;
        let size = self.host_count()?;
        let first = behind.checked_next_multiple_of(size)?;
        let inside = first & network.mask() == network.first && first >> (self.version.bits() - 1) <= 1;
        inside.then_some(Self { first, ..self })
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.version.address(self.first), self.prefix)
    }
}

impl Version {
    fn bits(self) -> u32 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    fn address(self, bits: u128) -> String {
        match self {
            Self::V4 => Ipv4Addr::from(u32::try_from(bits).expect("a version 4 address has 32 bits")).to_string(),
            Self::V6 => Ipv6Addr::from(bits).to_string(),
        }
    }
}

fn parse_address(text: &str) -> Option<(u128, Version)> {
    match without_leading_zeros(text).parse().ok()? {
        IpAddr::V4(address) => Some((u32::from(address).into(), Version::V4)),
        IpAddr::V6(address) => Some((address.into(), Version::V6)),
    }
}

/// Terraform reads `010` in an address as ten, where others see octal or refuse it.
fn without_leading_zeros(text: &str) -> String {
    if text.contains(':') {
        return text.to_owned();
    }
    let part = |part: &str| {
        let trimmed = part.trim_start_matches('0');
        (if trimmed.is_empty() && !part.is_empty() {
            "0"
        } else {
            trimmed
        })
        .to_owned()
    };
    text.split('.').map(part).collect::<Vec<_>>().join(".")
}
