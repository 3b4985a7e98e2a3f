//! `aws_xray_sampling_rule`

use std::collections::BTreeMap;

use karma_terraform::{Span, Value};

use crate::attributes::{Attributes, Read};

/// Which requests X-Ray makes traces of.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html>
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingRule {
    /// Its name.
    pub name: String,
    /// Of the rules that match, the one with the lowest counts.
    pub priority: u32,
    /// So many requests a second are sampled in any case, of all services together.
    pub reservoir_size: u32,
    /// The share of the others that is sampled, from 0 to 1.
    pub fixed_rate: f64,
    /// A pattern, as all that follow: `*` stands for any characters and `?` for one. The name that a service gives itself.
    pub service_name: String,
    /// What the service runs on: `AWS::ECS::Container`.
    pub service_type: String,
    /// The host that the request is for.
    pub host: String,
    /// The request's method.
    pub http_method: String,
    /// The path of the request's URL.
    pub url_path: String,
    /// What the service runs as.
    pub resource_arn: String,
    /// What else the first span of the trace must have.
    pub attributes: BTreeMap<String, String>,
    /// Where the stack declares it; `None` of X-Ray's own.
    pub declared_at: Option<Span>,
}

/// The rule that X-Ray has itself, which is the last one that is asked.
impl Default for SamplingRule {
    fn default() -> Self {
        let any = || "*".to_owned();
        Self {
            name: "Default".to_owned(),
            priority: 10_000,
            reservoir_size: 1,
            fixed_rate: 0.05,
            service_name: any(),
            service_type: any(),
            host: any(),
            http_method: any(),
            url_path: any(),
            resource_arn: any(),
            attributes: BTreeMap::new(),
            declared_at: None,
        }
    }
}

impl SamplingRule {
    pub(crate) fn read(from: &Attributes<'_>) -> Read<Self> {
        let (priority, reservoir_size) = (from.required("priority"), from.required("reservoir_size"));
        let fixed_rate = from.required("fixed_rate");
        let pattern = |name| from.required::<String>(name);
        let (service_name, service_type) = (pattern("service_name"), pattern("service_type"));
        let (host, http_method) = (pattern("host"), pattern("http_method"));
        let (url_path, resource_arn) = (pattern("url_path"), pattern("resource_arn"));
        Ok(Self {
            name: from.optional("rule_name").unwrap_or_else(|| from.address().to_string()),
            priority: priority?,
            reservoir_size: reservoir_size?,
            fixed_rate: fixed_rate?,
            service_name: service_name?,
            service_type: service_type?,
            host: host?,
            http_method: http_method?,
            url_path: url_path?,
            resource_arn: resource_arn?,
            attributes: attributes(from),
            declared_at: Some(from.declared_at()),
        })
    }
}

fn attributes(from: &Attributes<'_>) -> BTreeMap<String, String> {
    let members = match from.get("attributes") {
        Some(Value::Object(members)) => members.iter().collect(),
        _ => Vec::new(),
    };
    let texts = members.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name.clone(), text.clone())),
        _ => None,
    });
    texts.collect()
}
