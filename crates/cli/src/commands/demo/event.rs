//! What the stack's program tells: one JSON object a line, each with its `event`.
//!
//! ```json
//! {"event": "begin", "title": "…", "account": "0x…", "currency": {"symbol": "GLUE", "decimals": 6}}
//! {"event": "chapter", "title": "…", "about": "…"}
//! {"event": "call", "to": "validator", "what": "…", "method": "POST", "path": "/validator/validate", "status": 200, "seconds": 0.01,
//!  "trace_id": "1-…", "paid": {"amount": "1000", "transaction": "0x…"}, "findings": ["…"]}
//! {"event": "account", "name": "validator", "account": "0x…", "before": "0", "after": "1000"}
//! {"event": "refused", "reason": "…", "hint": "…"}
//! ```

use karma_ops::TraceId;
use serde::{Deserialize, Serialize};

/// Something that happened to the visitor.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    Begin(Beginning),
    Chapter { title: String, about: Option<String> },
    Call(Box<Call>),
    Account(Holding),
    Refused(Refusal),
}

/// What it is about.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Beginning {
    pub(super) title: String,
    /// The account that pays, where something costs something.
    pub(super) account: Option<String>,
    pub(super) currency: Option<Currency>,
}

/// What is paid with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Currency {
    pub(super) symbol: String,
    /// How many digits of an amount stand behind the point.
    pub(super) decimals: u8,
}

/// A question of the visitor, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Call {
    pub(super) to: String,
    pub(super) what: String,
    pub(super) method: String,
    pub(super) path: String,
    /// None where nobody answered.
    pub(super) status: Option<u16>,
    pub(super) seconds: f64,
    pub(super) trace_id: TraceId,
    pub(super) paid: Option<Payment>,
    #[serde(default)]
    pub(super) findings: Vec<String>,
}

/// Money that went over, by its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payment {
    pub(super) amount: Amount,
    pub(super) transaction: String,
}

/// Whose account held how much, and holds how much.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Holding {
    pub(super) name: String,
    pub(super) account: String,
    pub(super) before: Amount,
    pub(super) after: Amount,
}

/// Why it does not go on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refusal {
    pub(super) reason: String,
    pub(super) hint: Option<String>,
}

/// So many base units, written in decimal: never a fraction, never a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Amount(pub(super) u128);

impl TryFrom<String> for Amount {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Amount> for String {
    fn from(Amount(units): Amount) -> Self {
        units.to_string()
    }
}

impl Currency {
    /// `0.01`: without zeros that say nothing.
    pub(super) fn number(&self, Amount(units): Amount) -> String {
        let places = usize::from(self.decimals);
        let digits = format!("{units:0>width$}", width = places + 1);
        let (whole, rest) = digits.split_at(digits.len() - places);
        match rest.trim_end_matches('0') {
            "" => whole.to_owned(),
            rest => format!("{whole}.{rest}"),
        }
    }

    /// `0.01 GLUE`
    pub(super) fn price(&self, amount: Amount) -> String {
        format!("{} {}", self.number(amount), self.symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        let check = |decimals, units, expected: &str| {
            let currency = Currency {
                symbol: "GLUE".to_owned(),
                decimals,
            };
            assert_eq!(currency.price(Amount(units)), expected);
        };
        check(6, 0, "0 GLUE");
        check(6, 10_000, "0.01 GLUE");
        check(6, 999_847_000, "999.847 GLUE");
        check(6, 1_000_000_000, "1000 GLUE");
        check(0, 70, "70 GLUE");
        check(18, 1, "0.000000000000000001 GLUE");
    }

    #[test]
    fn what_is_no_event_is_refused() {
        let check = |line: &str, is_event: bool| {
            assert_eq!(serde_json::from_str::<Event>(line).is_ok(), is_event, "{line}");
        };
        check(r#"{"event": "chapter", "title": "t"}"#, true);
        check(r#"{"event": "chapter"}"#, false);
        check(r#"{"event": "applause"}"#, false);
        check(
            r#"{"event": "account", "name": "a", "account": "0x", "before": "-1", "after": "1"}"#,
            false,
        );
        check(
            r#"{"event": "account", "name": "a", "account": "0x", "before": 1, "after": 1}"#,
            false,
        );
    }
}
