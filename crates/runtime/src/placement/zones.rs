//! The names of availability zones on this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use karma_fleet::{AvailabilityZone, Fleet};

/// What each zone of a fleet is called. A zone that AWS decides gets the next letter behind the region, as AWS's own have.
#[derive(Debug, Clone, Default)]
pub(crate) struct ZoneNames(BTreeMap<AvailabilityZone, Arc<str>>);

impl ZoneNames {
    pub(crate) fn of(fleet: &Fleet, region: Option<&str>) -> Self {
        let zones = || {
            let services = fleet.services.values();
            services.flat_map(|service| &service.network.availability_zones)
        };
        let known = |zone: &AvailabilityZone| match zone {
            AvailabilityZone::Known(name) => Some(name.clone()),
            AvailabilityZone::Unknown(_) => None,
        };
        let taken: Vec<String> = zones().filter_map(known).collect();
        let mut free = letters(region.unwrap_or_default()).filter(|name| !taken.contains(name));
        let mut names = BTreeMap::new();
        for zone in zones() {
            names.entry(zone.clone()).or_insert_with(|| {
                let name = known(zone).or_else(|| free.next());
                name.expect("there is always another name").into()
            });
        }
        Self(names)
    }

    /// The names of a service's zones, in order.
    pub(crate) fn names(&self, zones: &[AvailabilityZone]) -> Vec<Arc<str>> {
        let mut names: Vec<_> = zones.iter().filter_map(|zone| self.0.get(zone).cloned()).collect();
        names.sort();
        names
    }
}

/// `us-east-1a`, `us-east-1b`, …, `us-east-1z`, `us-east-1aa`, …
fn letters(region: &str) -> impl Iterator<Item = String> {
    (0_usize..).map(move |round| {
        let letter = char::from(b'a' + u8::try_from(round % 26).expect("a remainder of 26 is a byte"));
        let letters = letter.to_string().repeat(round / 26 + 1);
        format!("{region}{letters}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_alphabet_go_on() {
        let names: Vec<_> = letters("r").step_by(13).take(4).collect();
        assert_eq!(names, ["ra", "rn", "raa", "rnn"]);
    }
}
