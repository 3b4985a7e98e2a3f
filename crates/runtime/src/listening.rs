//! Who listens where on this machine, as the kernel tells it in `/proc/net/tcp`. To look there disturbs nobody, unlike a connection.
//! <https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html>

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The state of a socket that listens.
const LISTEN: &str = "0A";

/// How a port of an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Nobody listens there.
    Nobody,
    /// Somebody listens on all addresses of this machine.
    AllAddresses,
    /// Somebody listens on just this address.
    ThisAddress,
}

/// How a port of an address can be reached now.
pub(crate) fn reach(address: Ipv4Addr, port: u16) -> Reach {
    let on_port: Vec<_> = sockets().into_iter().filter(|socket| socket.port == port).collect();
    if on_port.iter().any(|socket| socket.address == address) {
        Reach::ThisAddress
    } else if on_port.iter().any(|socket| socket.address.is_unspecified()) {
        Reach::AllAddresses
    } else {
        Reach::Nobody
    }
}

/// The program that listens on a port of an address, where it can be told: `nginx (pid 812)`.
pub(crate) fn owner(address: Ipv4Addr, port: u16) -> Option<String> {
    let is_it = |socket: &Socket| socket.port == port && (socket.address == address || socket.address.is_unspecified());
    let link = format!("socket:[{}]", sockets().into_iter().find(is_it)?.inode);
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pid = processes
        .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
        .find(|pid| has_open(*pid, &link))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(format!("{} (pid {pid})", name.trim_end()))
}

struct Socket {
    address: IpAddr,
    port: u16,
    inode: String,
}

fn sockets() -> Vec<Socket> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .filter_map(parse)
        .collect()
}

/// `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 …`
fn parse(line: &str) -> Option<Socket> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (&[_, local, _, state], &inode) = (columns.first_chunk()?, columns.get(9)?);
    let (address, port) = local.split_once(':')?;
    (state == LISTEN).then_some(Socket {
        address: parse_address(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        inode: inode.to_owned(),
    })
}

/// The kernel prints addresses word by word in the machine's own byte order.
fn parse_address(digits: &str) -> Option<IpAddr> {
    let word = |position: usize| {
        let digits = digits.get(position * 8..position * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    if digits.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut bytes = [0; 16];
    for (position, chunk) in bytes.chunks_exact_mut(4).enumerate() {
        chunk.copy_from_slice(&word(position)?);
    }
    Some(Ipv6Addr::from(bytes).to_canonical())
}

fn has_open(pid: u32, link: &str) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors
        .flatten()
        .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|target| target.as_os_str() == link))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_is_seen_on_its_address_and_its_owner_named() {
        let address = Ipv4Addr::new(127, 9, 8, 7);
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach(address, port), Reach::ThisAddress);
        assert_eq!(reach(Ipv4Addr::new(127, 9, 8, 6), port), Reach::Nobody);
        assert!(
            owner(address, port)
                .unwrap()
                .ends_with(&format!("(pid {})", std::process::id()))
        );
        drop(listener);
        assert_eq!(reach(address, port), Reach::Nobody);
    }

    #[test]
    fn a_listener_on_all_addresses_is_told_apart() {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach(Ipv4Addr::new(127, 9, 8, 7), port), Reach::AllAddresses);
    }

    #[test]
    fn addresses_are_read_as_the_kernel_prints_them() {
        let check = |digits: &str, expected: Option<&str>| {
            assert_eq!(parse_address(digits), expected.map(|address| address.parse().unwrap()));
        };
        let printed = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
        check(&printed([127, 0, 0, 1]), Some("127.0.0.1"));
        check(&"0".repeat(32), Some("::"));
        check(
            &[
                printed([0; 4]),
                printed([0; 4]),
                printed([0, 0, 255, 255]),
                printed([127, 0, 0, 1]),
            ]
            .concat(),
            Some("127.0.0.1"),
        );
        check("XYZ", None);
    }
}
