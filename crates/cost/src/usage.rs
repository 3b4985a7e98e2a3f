//! [`Usage`]: what no Terraform file says, because only a month tells: requests, gigabytes, traces.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Quantity;

/// A month's use of the whole stack.
///
/// Read from TOML; what is not named keeps its default, and a name that is not one of these is an error. Gigabytes are 10⁹ bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Usage {
    /// Requests that reach the load balancers.
    #[serde(deserialize_with = "quantity")]
    pub requests: Quantity,
    /// Kilobytes of one request and its response together.
    #[serde(deserialize_with = "quantity")]
    pub request_kb: Quantity,
    /// Requests that come over one connection before it is closed.
    #[serde(deserialize_with = "quantity")]
    pub requests_per_connection: Quantity,
    /// Minutes that a connection stays open.
    #[serde(deserialize_with = "quantity")]
    pub connection_minutes: Quantity,
    /// Gigabytes that the tasks log.
    #[serde(deserialize_with = "quantity")]
    pub logs_gb: Quantity,
    /// Gigabytes of logs that queries of Logs Insights read.
    #[serde(deserialize_with = "quantity")]
    pub logs_scanned_gb: Quantity,
    /// Gigabytes between the tasks and AWS's own services: through interface endpoints where there are some, else the way to the internet.
    #[serde(deserialize_with = "quantity")]
    pub aws_services_gb: Quantity,
    /// Gigabytes that the tasks send to the internet.
    #[serde(deserialize_with = "quantity")]
    pub internet_gb: Quantity,
    /// Gigabytes between tasks in different zones.
    #[serde(deserialize_with = "quantity")]
    pub cross_zone_gb: Quantity,
    /// Traces that X-Ray records.
    #[serde(deserialize_with = "quantity")]
    pub traces: Quantity,
    /// Gigabytes of images in all repositories.
    #[serde(deserialize_with = "quantity")]
    pub images_gb: Quantity,
    /// Times that a secret is read.
    #[serde(deserialize_with = "quantity")]
    pub secret_reads: Quantity,
    /// Gigabytes in all buckets.
    #[serde(deserialize_with = "quantity")]
    pub bucket_gb: Quantity,
    /// Objects that are written into buckets.
    #[serde(deserialize_with = "quantity")]
    pub bucket_writes: Quantity,
    /// Objects that are read from buckets.
    #[serde(deserialize_with = "quantity")]
    pub bucket_reads: Quantity,
    /// Mails about alarms.
    #[serde(deserialize_with = "quantity")]
    pub alarm_mails: Quantity,
}

/// Why a file of usage could not be read.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// It is no TOML, has a name that is not one of [`Usage`]'s, or a value that is no quantity.
    #[error("the usage file cannot be read")]
    Invalid(#[from] toml::de::Error),
}

impl Default for Usage {
    /// What is assumed where nothing is said: a small fleet with some traffic.
    fn default() -> Self {
        let tenths = |tenths: u32| Quantity::from(tenths).per(10_u32);
        Self {
            requests: 1_000_000_u32.into(),
            request_kb: 10_u32.into(),
            requests_per_connection: 10_u32.into(),
            connection_minutes: 1_u32.into(),
            logs_gb: 15_u32.into(),
            logs_scanned_gb: Quantity::ZERO,
            aws_services_gb: 15_u32.into(),
            internet_gb: 10_u32.into(),
            cross_zone_gb: Quantity::ZERO,
            traces: 50_000_u32.into(),
            images_gb: tenths(25),
            secret_reads: Quantity::ZERO,
            bucket_gb: 1_u32.into(),
            bucket_writes: 1_000_u32.into(),
            bucket_reads: 10_000_u32.into(),
            alarm_mails: 100_u32.into(),
        }
    }
}

impl Usage {
    /// Reads a usage file.
    pub fn from_toml(text: &str) -> Result<Self, UsageError> {
        Ok(toml::from_str(text)?)
    }

    /// Every assumption by its name in the file, with what it is a number of.
    pub fn assumptions(&self) -> Vec<(&'static str, Quantity, &'static str)> {
        vec![
            ("requests", self.requests, "requests reach the load balancers"),
            ("request_kb", self.request_kb, "KB each, request and response together"),
            (
                "requests_per_connection",
                self.requests_per_connection,
                "requests over one connection",
            ),
            (
                "connection_minutes",
                self.connection_minutes,
                "minutes that a connection stays open",
            ),
            ("logs_gb", self.logs_gb, "GB are logged"),
            (
                "logs_scanned_gb",
                self.logs_scanned_gb,
                "GB of logs are read by queries",
            ),
            (
                "aws_services_gb",
                self.aws_services_gb,
                "GB go between tasks and AWS's own services",
            ),
            ("internet_gb", self.internet_gb, "GB go from tasks to the internet"),
            ("cross_zone_gb", self.cross_zone_gb, "GB go between zones"),
            ("traces", self.traces, "traces are recorded"),
            ("images_gb", self.images_gb, "GB of images are kept"),
            ("secret_reads", self.secret_reads, "secrets are read"),
            ("bucket_gb", self.bucket_gb, "GB lie in buckets"),
            ("bucket_writes", self.bucket_writes, "objects are written"),
            ("bucket_reads", self.bucket_reads, "objects are read"),
            ("alarm_mails", self.alarm_mails, "mails tell of alarms"),
        ]
    }

    /// Gigabytes between the load balancers and their clients.
    pub(crate) fn load_balancer_gb(&self) -> Quantity {
        self.requests.times(self.request_kb).per(1_000_000_u32)
    }
}

/// The most that a usage file may say, so that no sum of products leaves what a decimal can hold.
const MOST: u64 = 1_000_000_000_000_000;

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    deserializer.deserialize_any(QuantityVisitor)
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number between 0 and {MOST}")
    }

    fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Quantity, E> {
        self.visit_str(&whole.to_string())
    }

    fn visit_u64<E: de::Error>(self, whole: u64) -> Result<Quantity, E> {
        self.visit_str(&whole.to_string())
    }

    /// The shortest digits that make this double are those that were written.
    fn visit_f64<E: de::Error>(self, double: f64) -> Result<Quantity, E> {
        self.visit_str(&double.to_string())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        Quantity::parse(text)
            .filter(|quantity| *quantity <= Quantity::from(MOST))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_what_the_documents_say() {
        let usage = Usage::default();
        assert_eq!(usage.requests.to_string(), "1000000");
        assert_eq!(usage.load_balancer_gb().to_string(), "10");
        assert_eq!(usage.logs_gb.to_string(), "15");
        // Through NAT, where there are no interface endpoints.
        assert_eq!((usage.aws_services_gb + usage.internet_gb).to_string(), "25");
        // From the load balancer and through NAT.
        assert_eq!((usage.load_balancer_gb() + usage.internet_gb).to_string(), "20");
        assert_eq!(usage.traces.to_string(), "50000");
        assert_eq!(usage.images_gb.to_string(), "2.5");
    }

    #[test]
    fn a_file_changes_what_it_names() {
        let usage = Usage::from_toml("requests = 2_000_000\nimages_gb = 0.1").unwrap();
        assert_eq!(usage.requests.to_string(), "2000000");
        assert_eq!(usage.images_gb.to_string(), "0.1");
        assert_eq!(usage.logs_gb, Usage::default().logs_gb);
    }

    #[test]
    fn what_is_no_usage_is_refused_by_name() {
        for (text, said) in [
            ("request = 1", "unknown field `request`"),
            ("requests = -1", "between 0 and"),
            ("requests = 1e30", "between 0 and"),
            ("requests = nan", "between 0 and"),
            ("requests = true", "between 0 and"),
        ] {
            let UsageError::Invalid(error) = Usage::from_toml(text).unwrap_err();
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn every_field_is_told_as_an_assumption() {
        let usage = Usage::default();
        for (name, _, _) in usage.assumptions() {
            let changed = Usage::from_toml(&format!("{name} = 987")).unwrap();
            let told = changed.assumptions().into_iter().find(|(it, ..)| *it == name);
            assert_eq!(
                told.map(|(_, quantity, _)| quantity.to_string()).as_deref(),
                Some("987")
            );
        }
        let fields = format!("{usage:?}").matches(": Quantity").count();
        assert_eq!(usage.assumptions().len(), fields);
    }
}
