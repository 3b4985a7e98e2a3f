//! Addresses of tasks. Each task has one of its own in 127.0.0.0/8, as it has a network interface of its own on Fargate.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

/// So many addresses are tried before it must be said that a port is taken everywhere.
const ATTEMPTS: usize = 64;

/// A number that a stack keeps from run to run: FNV-1a of its state directory.
pub(crate) fn seed(state_directory: &Path) -> u64 {
    let bytes = state_directory.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Addresses of one /16, given out in turn.
#[derive(Debug)]
pub(crate) struct AddressBlock {
    prefix: [u8; 2],
    next: u16,
    taken: BTreeSet<Ipv4Addr>,
}

impl AddressBlock {
    /// The block of a stack's tasks: one of 127.1.0.0/16 to 127.254.0.0/16. (127.0.0.0/16 has the machine's own names in it.)
    pub(crate) fn for_tasks(seed: u64) -> Self {
        let second = 1 + u8::try_from(seed % 254).expect("a number below 254 is a byte");
        Self::new([127, second], 0)
    }

    /// The block of Service Connect names, 127.255.0.0/16, of which each stack begins somewhere else.
    pub(crate) fn for_names(seed: u64) -> Self {
        let start = u16::try_from(seed >> 8 & 0xff).expect("eight bits are sixteen bits") << 8;
        Self::new([127, 255], start)
    }

    fn new(prefix: [u8; 2], start: u16) -> Self {
        Self {
            prefix,
            next: start,
            taken: BTreeSet::new(),
        }
    }

    /// The next address where `ports` can be listened on. The error is the port that is taken on each of them.
    pub(crate) fn take(&mut self, ports: &[u16]) -> Result<Ipv4Addr, u16> {
        let mut in_use = 0;
        for _ in 0..ATTEMPTS {
            let address = self.step();
            let Some(&port) = ports.iter().find(|&&port| is_taken(address, port)) else {
                self.taken.insert(address);
                return Ok(address);
            };
            in_use = port;
        }
        Err(in_use)
    }

    /// Gives an address back.
    pub(crate) fn release(&mut self, address: Ipv4Addr) {
        self.taken.remove(&address);
    }

    /// The next one in turn that is not given out, leaving .0 and .255 alone.
    fn step(&mut self) -> Ipv4Addr {
        loop {
            self.next = self.next.wrapping_add(1);
            let [third, fourth] = self.next.to_be_bytes();
            let address = Ipv4Addr::new(self.prefix[0], self.prefix[1], third, fourth);
            if !matches!(fourth, 0 | 255) && !self.taken.contains(&address) {
                return address;
            }
        }
    }
}

/// A port that this user may not listen on is not taken: whoever tries will say so himself.
fn is_taken(address: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind((address, port)).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_differ_and_lie_in_the_stacks_block() {
        let mut block = AddressBlock::for_tasks(seed(Path::new("/some/stack/.karma")));
        let addresses: Vec<_> = (0..600).map(|_| block.take(&[]).unwrap()).collect();
        assert_eq!(addresses.iter().collect::<BTreeSet<_>>().len(), 600);
        let second = addresses[0].octets()[1];
        assert!(addresses.iter().all(|address| address.octets()[..2] == [127, second]));
        assert!((1..=254).contains(&second));
    }

    #[test]
    fn an_address_where_the_port_is_taken_is_passed_over() {
        let first = AddressBlock::for_tasks(7).take(&[]).unwrap();
        let other = TcpListener::bind((first, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        assert_ne!(AddressBlock::for_tasks(7).take(&[port]).unwrap(), first);
    }

    #[test]
    fn a_port_taken_on_all_addresses_is_named() {
        let other = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        assert_eq!(AddressBlock::for_tasks(8).take(&[port]), Err(port));
    }
}
