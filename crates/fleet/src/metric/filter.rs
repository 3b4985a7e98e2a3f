//! `aws_cloudwatch_log_metric_filter`

use std::collections::BTreeMap;
use std::str::FromStr;

use karma_terraform::{Address, Span};

use super::filter_pattern::{FilterPattern, PatternError, Selector, number};
use crate::attributes::{Attributes, Read};
use crate::links::LOG_GROUP;

/// A metric has so many dimensions at most, where a filter makes it.
const MOST_DIMENSIONS: usize = 3;

/// Makes a metric of what is logged.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFilter {
    /// Its name.
    pub name: String,
    /// The name of the log group whose events it sees.
    pub log_group: String,
    /// That group, where the stack declares it.
    pub log_group_address: Option<Address>,
    /// Which events count.
    pub pattern: FilterPattern,
    /// What they count for.
    pub transformation: MetricTransformation,
    /// Where the stack declares it.
    pub declared_at: Span,
}

/// What an event adds to a metric.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html>
#[derive(Debug, Clone, PartialEq)]
pub struct MetricTransformation {
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// What one event that matches counts for.
    pub value: EventValue,
    /// What is reported for a minute in which something was logged and nothing matched.
    pub default_value: Option<f64>,
    /// The metric's dimensions, taken from the event. An event without one of them counts without that dimension.
    pub dimensions: BTreeMap<String, EventValue>,
    /// `Count`
    pub unit: String,
}

/// Something taken from an event.
#[derive(Debug, Clone, PartialEq)]
pub enum EventValue {
    /// `1`
    Number(f64),
    /// `$.latency`: a member of a JSON event.
    Member(Selector),
    /// `$bytes`: a field of the pattern.
    Field(String),
}

impl MetricFilter {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("name");
        let log_group_address = from.outward_link("log_group_name", LOG_GROUP);
        let log_group = log_group(from, log_group_address.as_ref());
        let pattern = pattern(from);
        let transformation = MetricTransformation::read(&from.required_block("metric_transformation")?);
        let (pattern, transformation) = (pattern?, transformation?);
        transformation.check_fields(from, &pattern)?;
        Ok(Self {
            name: name?,
            log_group: log_group?,
            log_group_address,
            pattern,
            transformation,
            declared_at: from.declared_at(),
        })
    }
}

/// The name of the group: its own where AWS decides a part of it.
fn log_group(from: &Attributes<'_>, address: Option<&Address>) -> Read<String> {
    let declared = address.and_then(|address| from.stack().resources.get(address));
    match declared {
        Some(group) => Ok(from.of_other(group).name()),
        None => from.required("log_group_name"),
    }
}

/// A pattern may be empty, and then it matches every event.
fn pattern(from: &Attributes<'_>) -> Read<FilterPattern> {
    let text: String = from.required("pattern")?;
    FilterPattern::parse(&text).map_err(|error| {
        let detail = format!("{} is {text:?}, which cannot be read: {error}.", from.called("pattern"));
        let help = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html";
        from.error_with_help("pattern", "Invalid filter pattern", detail, help)
    })
}

impl MetricTransformation {
    fn read(from: &Attributes<'_>) -> Read<Self> {
        let (namespace, name) = (from.required("namespace"), from.required("name"));
        let value: Read<String> = from.required("value");
        let value = value.and_then(|text| event_value(from, "value", &text));
        let default_value = from.optional::<String>("default_value").filter(|text| !text.is_empty());
        let default_value = default_value.map(|text| default_number(from, &text)).transpose();
        let dimensions = dimensions(from);
        let transformation = Self {
            namespace: namespace?,
            name: name?,
            value: value?,
            default_value: default_value?,
            dimensions: dimensions?,
            unit: from.optional("unit").unwrap_or_else(|| "None".to_owned()),
        };
        transformation.check_default(from)?;
        Ok(transformation)
    }

    fn check_default(&self, from: &Attributes<'_>) -> Read<()> {
        if self.default_value.is_none() || self.dimensions.is_empty() {
            return Ok(());
        }
        let called = from.called("default_value");
        let detail = format!("{called} cannot be set where there are dimensions: nobody could say which ones it has.");
        Err(from.error("default_value", "Invalid metric transformation", detail))
    }

    /// What is taken from a field must be a field of the pattern.
    fn check_fields(&self, from: &Attributes<'_>, pattern: &FilterPattern) -> Read<()> {
        for value in self.dimensions.values().chain([&self.value]) {
            let fits = match value {
                EventValue::Number(_) => true,
                EventValue::Member(_) => matches!(pattern, FilterPattern::Json(_)),
                EventValue::Field(name) => pattern.field_names().any(|field| field == name),
            };
            if !fits {
                let detail = format!(
                    "The pattern of `{}` has nothing that its transformation could take a value from: `$.member` wants a \
                     pattern in braces, `$field` a field of one in brackets.",
                    from.address()
                );
                return Err(from.error("metric_transformation", "Invalid metric transformation", detail));
            }
        }
        Ok(())
    }
}

fn default_number(from: &Attributes<'_>, text: &str) -> Read<f64> {
    number(text).ok_or_else(|| {
        let detail = format!("{} is {text:?}, which is no number.", from.called("default_value"));
        from.error("default_value", "Invalid metric transformation", detail)
    })
}

fn event_value(from: &Attributes<'_>, name: &'static str, text: &str) -> Read<EventValue> {
    text.parse().map_err(|error| {
        let detail = format!(
            "{} is {text:?}, which is neither a number nor `$.member` or `$field`: {error}.",
            from.called(name)
        );
        from.error(name, "Invalid metric transformation", detail)
    })
}

fn dimensions(from: &Attributes<'_>) -> Read<BTreeMap<String, EventValue>> {
    let members = from.get("dimensions").and_then(|value| value.as_object());
    let mut dimensions = BTreeMap::new();
    for (name, value) in members.into_iter().flatten() {
        let text = value.as_str();
        let text = text.ok_or_else(|| from.unsuitable("dimensions", value, "`$.member` or `$field`"))?;
        dimensions.insert(name.clone(), event_value(from, "dimensions", text)?);
    }
    if dimensions.len() > MOST_DIMENSIONS {
        let called = from.called("dimensions");
        let detail = format!("{called} are {}, but {MOST_DIMENSIONS} are the most.", dimensions.len());
        return Err(from.error("dimensions", "Invalid metric transformation", detail));
    }
    Ok(dimensions)
}

impl FromStr for EventValue {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        if let Some(number) = number(text) {
            return Ok(Self::Number(number));
        }
        match text.strip_prefix('$') {
            Some(field) if field.starts_with(|char: char| char.is_alphanumeric() || char == '_') => {
                Ok(Self::Field(field.to_owned()))
            }
            _ => Selector::parse(text).map(Self::Member),
        }
    }
}
