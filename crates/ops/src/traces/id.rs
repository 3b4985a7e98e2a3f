//! The ids of traces and spans.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a trace: 128 bits, written as X-Ray writes it.
///
/// OpenTelemetry writes the same bits as 32 digits without dashes, and both forms are read.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId(NonZeroU128);

/// The id of a span: 64 bits, written as 16 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpanId(NonZeroU64);

/// A text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an id like `1-58337262-36d228ad5d99923122bbe354` nor 32 hexadecimal digits (16 for a span)")]
pub struct NoTraceId;

impl TraceId {
    /// From its bits, which must not all be zero.
    pub fn new(bits: u128) -> Option<Self> {
        NonZeroU128::new(bits).map(Self)
    }

    /// Its last 64 bits, which are random.
    /// <https://www.w3.org/TR/trace-context-2/#randomness-of-trace-id>
    pub fn low_bits(self) -> u64 {
        u64::try_from(self.0.get() & u128::from(u64::MAX)).expect("no more than 64 bits are left")
    }
}

impl SpanId {
    /// From its bits, which must not all be zero.
    pub fn new(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }
}

/// `1-58337262-36d228ad5d99923122bbe354`
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        f.pad(&format!("1-{}-{}", &digits[..8], &digits[8..]))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:016x}", self.0))
    }
}

impl FromStr for TraceId {
    type Err = NoTraceId;

    fn from_str(text: &str) -> Result<Self, NoTraceId> {
        let digits = match *text.split('-').collect::<Vec<_>>() {
            ["1", time, rest] if time.len() == 8 => format!("{time}{rest}"),
            [digits] => digits.to_owned(),
            _ => return Err(NoTraceId),
        };
        let bits = hexadecimal(&digits, 32).ok_or(NoTraceId)?;
        Self::new(bits).ok_or(NoTraceId)
    }
}

impl FromStr for SpanId {
    type Err = NoTraceId;

    fn from_str(text: &str) -> Result<Self, NoTraceId> {
        let bits = hexadecimal(text, 16).and_then(|bits| u64::try_from(bits).ok());
        bits.and_then(Self::new).ok_or(NoTraceId)
    }
}

/// A number of exactly so many digits.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let all_digits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

impl TryFrom<String> for TraceId {
    type Error = NoTraceId;

    fn try_from(text: String) -> Result<Self, NoTraceId> {
        text.parse()
    }
}

impl TryFrom<String> for SpanId {
    type Error = NoTraceId;

    fn try_from(text: String) -> Result<Self, NoTraceId> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

impl From<SpanId> for String {
    fn from(id: SpanId) -> Self {
        id.to_string()
    }
}
