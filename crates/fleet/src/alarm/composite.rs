//! `aws_cloudwatch_composite_alarm`

use karma_terraform::{Address, Span, Unknown, Value};

use super::{AlarmActions, AlarmRule};
use crate::attributes::{Attributes, NOT_RUN_YET, Read};

/// An alarm that watches other alarms. Its actions tell somebody; they scale nothing.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html>
#[derive(Debug, Clone, PartialEq)]
pub struct CompositeAlarm {
    /// Its name.
    pub name: String,
    /// What it is for, in the stack's words.
    pub description: Option<String>,
    /// When it rings.
    pub rule: AlarmRule,
    /// What is done when it changes its state.
    pub actions: AlarmActions,
    /// Where the stack declares it.
    pub declared_at: Span,
}

impl CompositeAlarm {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let name = from.required("alarm_name");
        let rule = rule(from);
        if from
            .get("actions_suppressor")
            .is_some_and(|value| value.as_elements() != Some(&[]))
        {
            let detail = format!("The actions of `{}` are not suppressed here.", from.address());
            from.warning("actions_suppressor", NOT_RUN_YET, detail);
        }
        Ok(Self {
            name: name?,
            description: from.optional("alarm_description"),
            rule: rule?,
            actions: AlarmActions::read(from),
            declared_at: from.declared_at(),
        })
    }
}

fn rule(from: &Attributes<'_>) -> Read<AlarmRule> {
    let value = from.value_of("alarm_rule")?;
    let text = text_of(from, value).ok_or_else(|| from.unsuitable("alarm_rule", value, "text"))?;
    text.parse().map_err(|error| {
        let detail = format!(
            "{} is {text:?}, which cannot be read: {error}.",
            from.called("alarm_rule")
        );
        from.error("alarm_rule", "Invalid alarm rule", detail)
    })
}

/// The rule's text, with the name of an alarm in place of its ARN, which AWS decides.
fn text_of(from: &Attributes<'_>, value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let Unknown::Template(parts) = value.as_unknown()? else {
        return None;
    };
    let text = |part: &Value| match part.as_unknown() {
        Some(Unknown::Attribute { of, .. }) => alarm_name(from, of),
        _ => part.as_str().map(str::to_owned),
    };
    parts.iter().map(text).collect()
}

fn alarm_name(from: &Attributes<'_>, of: &Address) -> Option<String> {
    let name = from.stack().resources.get(of)?.attributes.get("alarm_name")?;
    Some(name.as_str()?.to_owned())
}
