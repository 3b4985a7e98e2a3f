//! The conditions of listener rules, and what AWS lets them be.
//!
//! The authorities are [rule condition types][types] and [the quotas][quotas].
//!
//! [types]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
//! [quotas]: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html

use std::net::IpAddr;

use crate::attributes::{Attributes, NOT_RUN_YET, Read, Reported};

/// One condition; any of its values will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `path_pattern`: case-sensitive, `*` and `?`.
    PathPattern(Vec<String>),
    /// `path_pattern` by regular expressions.
    PathRegex(Vec<String>),
    /// `host_header`: case-insensitive, `*` and `?`.
    HostHeader(Vec<String>),
    /// `host_header` by regular expressions.
    HostRegex(Vec<String>),
    /// `http_header`: name and values case-insensitive, `*` and `?` in the values.
    HttpHeader {
        /// `User-Agent`
        name: String,
        /// What its value has to fit.
        values: Vec<String>,
    },
    /// `http_header` by regular expressions.
    HttpHeaderRegex {
        /// `User-Agent`
        name: String,
        /// What is to be found in its value.
        values: Vec<String>,
    },
    /// `http_request_method`: case-sensitive, no wildcards.
    HttpRequestMethod(Vec<String>),
    /// `query_string`: case-insensitive, `*` and `?`, and `\` before them where they mean themselves.
    QueryString(Vec<QueryStringPattern>),
    /// `source_ip`: blocks of addresses, one of which the client's connection has to come from.
    SourceIp(Vec<AddressBlock>),
}

/// What a parameter of a query string is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryStringPattern {
    /// Any key will do where there is none.
    pub key: Option<String>,
    /// What its value has to fit.
    pub value: String,
}

/// A block of addresses in CIDR notation: `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressBlock {
    /// An address in the block.
    pub address: IpAddr,
    /// How many of its bits all addresses of the block share.
    pub prefix_length: u8,
}

/// The most values that the conditions of one rule may have together.
const MOST_VALUES: usize = 5;
/// The most wildcards in them. AWS's pages say 5 and 6; what the stricter one refuses may still be accepted.
const MOST_WILDCARDS: usize = 6;
/// The longest value.
const LONGEST_VALUE: usize = 128;
/// The longest name of a header, and the longest method.
const LONGEST_NAME: usize = 40;

/// All conditions of a rule; `None` where one of them is not modeled.
pub(crate) fn conditions(rule: &Attributes<'_>) -> Read<Option<Vec<Condition>>> {
    let blocks = rule.at_least_one("condition", conditions_of_block)?;
    let all: Option<Vec<_>> = blocks.into_iter().collect();
    let Some(conditions) = all.map(|blocks| blocks.concat()) else {
        return Ok(None);
    };
    check_quotas(rule, &conditions)?;
    Ok(Some(conditions))
}

fn conditions_of_block<'a>(block: &Attributes<'a>) -> Read<Option<Vec<Condition>>> {
    let is_set = |name: &&'a str| block.glance(name).is_some_and(|value| value.as_elements() != Some(&[]));
    let read = block.names().filter(is_set).map(|name| Condition::read(block, name));
    // Each is read, so that all that is wrong is reported.
    let read: Vec<Read<Option<Condition>>> = read.collect();
    read.into_iter().collect()
}

fn check_quotas(rule: &Attributes<'_>, conditions: &[Condition]) -> Read<()> {
    let texts: Vec<&str> = conditions.iter().flat_map(Condition::texts).collect();
    let wildcards = conditions.iter().filter(|condition| condition.has_wildcards());
    let wildcards = wildcards.flat_map(Condition::texts).map(wildcards_in).sum::<usize>();
    let (detail, most) = if texts.len() > MOST_VALUES {
        (format!("{} values", texts.len()), format!("{MOST_VALUES} values"))
    } else if wildcards > MOST_WILDCARDS {
        (format!("{wildcards} wildcards"), format!("{MOST_WILDCARDS} wildcards"))
    } else {
        return check_alone(rule, conditions);
    };
    let called = rule.called("condition");
    let detail = format!("{called} has {detail} in all, but AWS takes at most {most} in one rule.");
    Err(rule.error("condition", "Too many condition values", detail))
}

/// Headers and query strings may be asked for more than once, the others not.
fn check_alone(rule: &Attributes<'_>, conditions: &[Condition]) -> Read<()> {
    let single: Vec<&str> = conditions.iter().filter_map(Condition::single_field).collect();
    let twice = single
        .iter()
        .enumerate()
        .find(|(index, field)| single[..*index].contains(field));
    let Some((_, field)) = twice else {
        return Ok(());
    };
    let called = rule.called("condition");
    let detail = format!("{called} has more than one `{field}`, but AWS takes one; its values are alternatives.");
    Err(rule.error("condition", "Duplicate condition", detail))
}

fn wildcards_in(text: &str) -> usize {
    text.matches(['*', '?']).count()
}

impl Condition {
    /// Reads one member of a `condition` block; `None` where it is not modeled.
    fn read(block: &Attributes<'_>, name: &str) -> Read<Option<Self>> {
        let condition = match name {
            "path_pattern" => texts(block, "path_pattern", Self::PathPattern, Self::PathRegex)?,
            "host_header" => texts(block, "host_header", Self::HostHeader, Self::HostRegex)?,
            "http_header" => Self::read_header(&block.required_block("http_header")?)?,
            "http_request_method" => {
                let inner = block.required_block("http_request_method")?;
                Self::HttpRequestMethod(checked(&inner, "values", is_method, METHOD)?)
            }
            "query_string" => Self::QueryString(block.each("query_string", QueryStringPattern::read)?),
            "source_ip" => Self::SourceIp(addresses(&block.required_block("source_ip")?)?),
            _ => return Ok(Self::leave_out(block, name)),
        };
        Ok(Some(condition))
    }

    fn leave_out(block: &Attributes<'_>, name: &str) -> Option<Self> {
        let called = block.called(name);
        let detail =
            format!("{called} is not read: the rule never matches here, and its requests go on to the next rule.");
        block.warning(name, NOT_RUN_YET, detail);
        None
    }

    fn read_header(header: &Attributes<'_>) -> Read<Self> {
        let name: String = header.required("http_header_name")?;
        if !is_header(&name) {
            return Err(invalid(header, "http_header_name", &name, HEADER));
        }
        if has_regex(header) {
            let values = checked(header, "regex_values", is_text, TEXT)?;
            return Ok(Self::HttpHeaderRegex { name, values });
        }
        let values = checked(header, "values", is_text, TEXT)?;
        Ok(Self::HttpHeader { name, values })
    }

    /// All values as texts, as the quotas count them.
    fn texts(&self) -> Vec<&str> {
        match self {
            Self::PathPattern(values)
            | Self::PathRegex(values)
            | Self::HostHeader(values)
            | Self::HostRegex(values)
            | Self::HttpHeader { values, .. }
            | Self::HttpHeaderRegex { values, .. }
            | Self::HttpRequestMethod(values) => values.iter().map(String::as_str).collect(),
            Self::QueryString(patterns) => patterns.iter().map(|pattern| pattern.value.as_str()).collect(),
            Self::SourceIp(blocks) => vec![""; blocks.len()],
        }
    }

    fn has_wildcards(&self) -> bool {
        matches!(
            self,
            Self::PathPattern(_) | Self::HostHeader(_) | Self::HttpHeader { .. } | Self::QueryString(_)
        )
    }

    fn single_field(&self) -> Option<&'static str> {
        match self {
            Self::PathPattern(_) | Self::PathRegex(_) => Some("path_pattern"),
            Self::HostHeader(_) | Self::HostRegex(_) => Some("host_header"),
            Self::HttpRequestMethod(_) => Some("http_request_method"),
            Self::SourceIp(_) => Some("source_ip"),
            Self::HttpHeader { .. } | Self::HttpHeaderRegex { .. } | Self::QueryString(_) => None,
        }
    }
}

impl QueryStringPattern {
    fn read(block: &Attributes<'_>) -> Read<Self> {
        let value: String = block.required("value")?;
        if !is_text(&value) {
            return Err(invalid(block, "value", &value, TEXT));
        }
        let key = block.optional::<String>("key").filter(|key| !key.is_empty());
        Ok(Self { key, value })
    }
}

const INVALID: &str = "Invalid value";
const TEXT: &str = "1 to 128 characters";
const METHOD: &str = "a method of up to 40 characters A-Z, `-` and `_`";
const HEADER: &str = "the name of a header other than `Host`, of up to 40 characters";

fn texts(
    block: &Attributes<'_>,
    field: &'static str,
    plain: fn(Vec<String>) -> Condition,
    regex: fn(Vec<String>) -> Condition,
) -> Read<Condition> {
    let inner = block.required_block(field)?;
    if has_regex(&inner) {
        return checked(&inner, "regex_values", is_text, TEXT).map(regex);
    }
    checked(&inner, "values", is_text, TEXT).map(plain)
}

fn has_regex(block: &Attributes<'_>) -> bool {
    let values = block.get("regex_values");
    values.is_some_and(|values| values.as_elements() != Some(&[]))
}

/// The texts of a list that has one at least, each of which has to be `expected`.
fn checked(
    block: &Attributes<'_>,
    name: &'static str,
    is_expected: fn(&str) -> bool,
    expected: &str,
) -> Read<Vec<String>> {
    let values: Vec<String> = block.required(name)?;
    if values.is_empty() {
        return Err(block.missing(name));
    }
    match values.iter().find(|value| !is_expected(value)) {
        Some(wrong) => Err(invalid(block, name, wrong, expected)),
        None => Ok(values),
    }
}

fn addresses(block: &Attributes<'_>) -> Read<Vec<AddressBlock>> {
    let texts = checked(block, "values", is_text, TEXT)?;
    let parse = |text: &String| address_block(text).ok_or_else(|| invalid(block, "values", text, CIDR));
    texts.iter().map(parse).collect()
}

const CIDR: &str = "a block of addresses like `10.0.0.0/8`, and not `255.255.255.255/32`";

fn address_block(text: &str) -> Option<AddressBlock> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix_length = length.parse().ok().filter(|&length: &u8| length <= most)?;
    (text != "255.255.255.255/32").then_some(AddressBlock { address, prefix_length })
}

fn invalid(block: &Attributes<'_>, name: &str, found: &str, expected: &str) -> Reported {
    let called = block.called(name);
    block.error(
        name,
        INVALID,
        format!("{called} must be {expected}, but there is {found:?}."),
    )
}

fn is_text(text: &str) -> bool {
    (1..=LONGEST_VALUE).contains(&text.chars().count())
}

fn is_method(text: &str) -> bool {
    is_name(text, |byte| byte.is_ascii_uppercase() || b"-_".contains(&byte))
}

/// `Host` has a condition of its own.
fn is_header(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_!#$%&'*+.^`|~".contains(&byte);
    is_name(text, fits) && !text.eq_ignore_ascii_case("host")
}

fn is_name(text: &str, fits: impl Fn(u8) -> bool) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(fits)
}
