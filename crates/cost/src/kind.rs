//! [`Kind`]: lines that differ only in their resource, together: what a person reads.

use std::collections::BTreeMap;

use karma_terraform::Address;

use crate::{Bill, CostComponent, Estimate, Quantity, Totals};

/// All lines of a bill for one thing at one rate; there is at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind<'b> {
    /// The first of them. Group, name, rate and basis are the same in all.
    pub first: &'b CostComponent,
    /// All of them.
    pub lines: Vec<&'b CostComponent>,
}

/// Resources with one address but for their instance keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instances {
    /// The address: with its key if it is only one, else without.
    pub address: String,
    /// How many there are.
    pub count: usize,
}

impl Bill {
    /// The lines by what they are for and at which rate, in the order of the bill.
    pub fn kinds(&self) -> Vec<Kind<'_>> {
        let mut kinds: Vec<Kind<'_>> = Vec::new();
        let mut places = BTreeMap::new();
        for line in &self.components {
            let place = *places
                .entry((line.group, line.name, &line.rate.sku))
                .or_insert(kinds.len());
            match kinds.get_mut(place) {
                Some(kind) => kind.lines.push(line),
                None => kinds.push(Kind {
                    first: line,
                    lines: vec![line],
                }),
            }
        }
        kinds
    }

    /// What costs something that is not in the totals, by the reason.
    pub fn unpriced_by_reason(&self) -> BTreeMap<&str, Vec<Instances>> {
        let mut reasons = BTreeMap::<&str, Vec<&Address>>::new();
        for unpriced in &self.unpriced {
            reasons.entry(&unpriced.why).or_default().push(&unpriced.resource);
        }
        reasons
            .into_iter()
            .map(|(why, addresses)| (why, instances(addresses)))
            .collect()
    }
}

impl Kind<'_> {
    /// How much of it in all.
    pub fn quantity(&self) -> Estimate<Quantity> {
        self.lines.iter().map(|line| line.quantity).sum()
    }

    /// What it costs in all.
    pub fn cost(&self) -> Totals {
        self.lines.iter().map(|line| line.cost).sum()
    }

    /// The resources that cause it.
    pub fn resources(&self) -> Vec<Instances> {
        instances(self.lines.iter().map(|line| &line.resource))
    }
}

/// Addresses without repeating what they have in common.
pub fn instances<'a>(addresses: impl IntoIterator<Item = &'a Address>) -> Vec<Instances> {
    let mut blocks = BTreeMap::<String, Instances>::new();
    for address in addresses {
        let address = address.to_string();
        let key = block(&address).to_owned();
        let instances = blocks.entry(key.clone()).or_insert(Instances { address, count: 0 });
        instances.count += 1;
        if instances.count > 1 {
            instances.address = key;
        }
    }
    blocks.into_values().collect()
}

/// An address without its instance key.
fn block(address: &str) -> &str {
    match address.strip_suffix(']').and_then(|inside| inside.rfind('[')) {
        Some(bracket) => &address[..bracket],
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use karma_terraform::{InstanceKey, Mode};

    use super::*;

    fn address(name: &str, key: InstanceKey) -> Address {
        Address {
            module: Vec::new(),
            mode: Mode::Managed,
            kind: "a".to_owned(),
            name: name.to_owned(),
            key: Some(key),
        }
    }

    #[test]
    fn instances_of_one_block_are_one_entry() {
        let addresses = [
            address("b", InstanceKey::Key("x|y".to_owned())),
            address("c", InstanceKey::Index(0)),
            address("c", InstanceKey::Index(1)),
        ];
        let found: Vec<_> = instances(&addresses)
            .into_iter()
            .map(|it| (it.address, it.count))
            .collect();
        assert_eq!(found, [("a.b[\"x|y\"]".to_owned(), 1), ("a.c".to_owned(), 2)]);
    }
}
