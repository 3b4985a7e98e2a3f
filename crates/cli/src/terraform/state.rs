//! [`State`] and [`Outputs`]: what there is, as Terraform remembers it.

use std::collections::BTreeMap;

use karma_terraform::{Address, Mode, Stack};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::failure::Failure;

/// What was applied. Nothing, where nothing was.
#[derive(Debug)]
pub(crate) struct State {
    stack: Stack,
    tainted: Vec<String>,
}

/// The part of it that says what Terraform does not trust.
/// <https://developer.hashicorp.com/terraform/internals/json-format#values-representation>
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Trust {
    values: Values,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Values {
    root_module: Module,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Module {
    resources: Vec<Resource>,
    child_modules: Vec<Module>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    address: String,
    #[serde(default)]
    tainted: bool,
}

/// The outputs by name.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Outputs(pub(crate) BTreeMap<String, Output>);

/// An output. The value of one that is sensitive is forgotten as soon as it is read.
#[derive(Debug, Deserialize)]
#[serde(from = "Written")]
pub(crate) enum Output {
    Shown(Json),
    Sensitive,
}

#[derive(Deserialize)]
struct Written {
    value: Json,
    #[serde(default)]
    sensitive: bool,
}

impl State {
    /// Reads what `terraform show -json` printed.
    pub(crate) fn read(json: &str) -> Result<Self, Failure> {
        let is_empty = serde_json::from_str::<Json>(json).is_ok_and(|json| json.get("values").is_none());
        if is_empty {
            return Ok(Self {
                stack: Stack::default(),
                tainted: Vec::new(),
            });
        }
        let not_understood =
            |error: &dyn std::error::Error| Failure::caused_by("Terraform's state cannot be understood", error);
        let trust: Trust = serde_json::from_str(json).map_err(|error| not_understood(&error))?;
        Ok(Self {
            stack: karma_cost::read_plan(json).map_err(|error| not_understood(&error))?,
            tainted: trust.values.root_module.tainted(),
        })
    }

    /// The addresses of what Terraform would delete and make again, because it was not made to its end.
    pub(crate) fn tainted(&self) -> impl Iterator<Item = &str> {
        self.tainted.iter().map(String::as_str)
    }

    /// Whether there is nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.addresses().next().is_none()
    }

    /// The resources that are there; data sources are not.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &Address> {
        let addresses = self.stack.resources.keys();
        addresses.filter(|address| address.mode == Mode::Managed)
    }

    /// Whether a resource is there.
    pub(crate) fn has(&self, address: &Address) -> bool {
        self.stack.resources.contains_key(address)
    }

    /// A text that AWS gave a resource: `arn`, `dns_name`.
    pub(crate) fn text(&self, address: &Address, attribute: &str) -> Option<&str> {
        self.stack.resources.get(address)?.attributes.get(attribute)?.as_str()
    }

    /// The secrets that can be restored after they were deleted: address, name, and for how many days.
    /// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_delete-secret.html>
    pub(crate) fn recoverable_secrets(&self) -> impl Iterator<Item = (&Address, &str, u64)> {
        let secrets = self.stack.resources.values();
        secrets.filter_map(|secret| {
            let is_secret = secret.address.kind == "aws_secretsmanager_secret" && secret.address.mode == Mode::Managed;
            let days = secret.attributes.get("recovery_window_in_days")?.to_json()?.as_u64()?;
            let name = secret.attributes.get("name")?.as_str()?;
            (is_secret && days > 0).then_some((&secret.address, name, days))
        })
    }

    /// All of it, to be priced.
    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }
}

impl Module {
    fn tainted(self) -> Vec<String> {
        let own = self.resources.into_iter().filter(|resource| resource.tainted);
        let own = own.map(|resource| resource.address);
        own.chain(self.child_modules.into_iter().flat_map(Self::tainted))
            .collect()
    }
}

impl Outputs {
    /// Reads what `terraform output -json` printed.
    pub(crate) fn read(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json)
            .map_err(|error| Failure::caused_by("Terraform's outputs cannot be understood", &error))
    }
}

impl From<Written> for Output {
    fn from(written: Written) -> Self {
        if written.sensitive {
            Self::Sensitive
        } else {
            Self::Shown(written.value)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn address(text: &str) -> Address {
        let state = json!({ "values": { "root_module": { "resources": [
            { "address": text, "mode": "managed", "type": "aws_lb", "name": "main", "values": {} },
        ] } } });
        let state = State::read(&state.to_string()).unwrap();
        state.addresses().next().unwrap().clone()
    }

    #[test]
    fn a_state_tells_what_aws_has_given() {
        let json = json!({ "format_version": "1.0", "values": { "root_module": { "resources": [
            { "address": "aws_lb.main", "mode": "managed", "type": "aws_lb", "name": "main", "values": { "dns_name": "lb.example" } },
            { "address": "data.aws_region.r", "mode": "data", "type": "aws_region", "name": "r", "values": {} },
        ] } } });
        let state = State::read(&json.to_string()).unwrap();
        let main = address("aws_lb.main");
        assert_eq!(state.addresses().collect::<Vec<_>>(), [&main]);
        assert_eq!(state.text(&main, "dns_name"), Some("lb.example"));
        assert_eq!(state.text(&main, "arn"), None);
    }

    #[test]
    fn what_was_not_made_to_its_end_is_told_wherever_it_is() {
        let service = |address: &str, tainted: bool| json!({ "address": address, "mode": "managed", "type": "aws_ecs_service", "name": "s", "values": {}, "tainted": tainted });
        let json = json!({ "format_version": "1.0", "values": { "root_module": {
            "resources": [service("aws_ecs_service.s[\"a\"]", true), service("aws_ecs_service.s[\"b\"]", false)],
            "child_modules": [{ "address": "module.m", "resources": [service("module.m.aws_ecs_service.s", true)] }],
        } } });
        let state = State::read(&json.to_string()).unwrap();
        let tainted: Vec<&str> = state.tainted().collect();
        assert_eq!(tainted, ["aws_ecs_service.s[\"a\"]", "module.m.aws_ecs_service.s"]);
    }

    #[test]
    fn nothing_applied_is_an_empty_state() {
        let state = State::read("{\"format_version\":\"1.0\"}").unwrap();
        assert!(state.is_empty() && !state.has(&address("aws_lb.main")));
        assert!(State::read("Error").is_err());
    }

    #[test]
    fn a_sensitive_output_is_not_shown() {
        let outputs = Outputs::read(r#"{"a":{"sensitive":true,"type":"string","value":"x"},"b":{"value":2}}"#).unwrap();
        assert!(matches!(outputs.0["a"], Output::Sensitive));
        assert!(matches!(&outputs.0["b"], Output::Shown(value) if *value == json!(2)));
    }
}
