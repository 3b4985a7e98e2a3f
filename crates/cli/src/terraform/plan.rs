//! [`Plan`]: what a plan would change, from `terraform show -json`.
//! <https://developer.hashicorp.com/terraform/internals/json-format#plan-representation>

use serde::Deserialize;

use crate::failure::Failure;

/// What a plan would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In Terraform's order.
    pub(crate) changes: Vec<PlannedChange>,
    /// How many outputs get another value.
    pub(crate) outputs: usize,
}

/// What becomes of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedChange {
    /// `aws_ecs_service.agents["validator"]`
    pub(crate) address: String,
    /// `aws_ecs_service`
    pub(crate) kind: String,
    pub(crate) action: Action,
    /// It is there already, and comes into the state.
    pub(crate) is_import: bool,
}

/// What is done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    /// The old one goes first.
    DeleteAndCreate,
    /// The new one comes first.
    CreateAndDelete,
    Delete,
    /// Terraform no longer looks after it.
    Forget,
    /// Only its place in the state changes, or it is taken into it.
    Keep,
}

#[derive(Debug, Deserialize)]
struct Shown {
    #[serde(default)]
    resource_changes: Vec<ResourceChange>,
    #[serde(default)]
    output_changes: std::collections::BTreeMap<String, Change>,
}

#[derive(Debug, Deserialize)]
struct ResourceChange {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    deposed: Option<String>,
    previous_address: Option<String>,
    change: Change,
}

#[derive(Debug, Deserialize)]
struct Change {
    actions: Vec<String>,
    importing: Option<serde_json::Value>,
}

impl Plan {
    /// Reads what `terraform show -json PLAN` printed.
    pub(crate) fn read(json: &str) -> Result<Self, Failure> {
        let shown: Shown = serde_json::from_str(json)
            .map_err(|error| Failure::caused_by("Terraform's plan cannot be understood", &error))?;
        let outputs = shown.output_changes.values();
        Ok(Self {
            outputs: outputs.filter(|change| change.actions != ["no-op"]).count(),
            changes: shown.resource_changes.into_iter().filter_map(planned).collect(),
        })
    }

    /// Nothing would change, not even an output.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.outputs == 0
    }

    /// In Terraform's words: `Plan: 1 to add, 0 to change, 1 to destroy.`
    pub(crate) fn summary(&self) -> String {
        if self.is_empty() {
            return "No changes. Your infrastructure matches the configuration.".to_owned();
        }
        if self.changes.is_empty() {
            return "Plan: only outputs change.".to_owned();
        }
        let imports = self.changes.iter().filter(|change| change.is_import).count();
        let imports = match imports {
            0 => String::new(),
            count => format!("{count} to import, "),
        };
        let [add, change, destroy] = self.counts();
        format!("Plan: {imports}{add} to add, {change} to change, {destroy} to destroy.")
    }

    /// How many are added, changed and destroyed. One that is replaced is added and destroyed.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let count = |actions: &[Action]| {
            let counted = self.changes.iter().filter(|change| actions.contains(&change.action));
            counted.count()
        };
        let (replace_after, replace_before) = (Action::DeleteAndCreate, Action::CreateAndDelete);
        [
            count(&[Action::Create, replace_after, replace_before]),
            count(&[Action::Update]),
            count(&[Action::Delete, replace_after, replace_before]),
        ]
    }

    /// A line for each change: `  ~ aws_ecs_service.agents["validator"]`.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Action, String)> {
        let line = |change: &PlannedChange| {
            let import = if change.is_import { " (import)" } else { "" };
            format!("{:>5} {}{import}", change.action.sign(), change.address)
        };
        self.changes.iter().map(move |change| (change.action, line(change)))
    }
}

impl Action {
    /// As Terraform marks it.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::DeleteAndCreate => "-/+",
            Self::CreateAndDelete => "+/-",
            Self::Delete => "-",
            Self::Forget => ".",
            Self::Keep => "",
        }
    }

    /// For programs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::DeleteAndCreate | Self::CreateAndDelete => "replace",
            Self::Delete => "delete",
            Self::Forget => "forget",
            Self::Keep => "keep",
        }
    }

    fn read(actions: &[String]) -> Option<Self> {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        match actions[..] {
            // With `forget`, one is replaced and the old one left where it is.
            ["create"] | ["create", "forget"] | ["forget", "create"] => Some(Self::Create),
            ["update"] => Some(Self::Update),
            ["delete", "create"] => Some(Self::DeleteAndCreate),
            ["create", "delete"] => Some(Self::CreateAndDelete),
            ["delete"] => Some(Self::Delete),
            ["forget"] => Some(Self::Forget),
            _ => None,
        }
    }
}

/// `None` where nothing becomes of it: a data source is only read.
fn planned(change: ResourceChange) -> Option<PlannedChange> {
    if change.mode != "managed" {
        return None;
    }
    let is_import = change.change.importing.is_some();
    let is_kept = is_import || change.previous_address.is_some();
    let action = Action::read(&change.change.actions).or(is_kept.then_some(Action::Keep))?;
    let address = match change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.address),
        None => change.address,
    };
    Some(PlannedChange {
        address,
        kind: change.kind,
        action,
        is_import,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Resources by address and actions: `("aws_lb.main", "delete create")`.
    fn plan(changes: &[(&str, &str)], outputs: &[&str]) -> Plan {
        let actions = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let changes: Vec<_> = changes
            .iter()
            .map(|(address, words)| {
                let (mode, kind) = match address.strip_prefix("data.") {
                    Some(rest) => ("data", rest),
                    None => ("managed", *address),
                };
                let kind = kind.split('.').next();
                json!({ "address": address, "mode": mode, "type": kind, "change": { "actions": actions(words) } })
            })
            .collect();
        let outputs: serde_json::Map<_, _> = outputs
            .iter()
            .enumerate()
            .map(|(number, words)| (format!("o{number}"), json!({ "actions": actions(words) })))
            .collect();
        let json = json!({ "format_version": "1.2", "resource_changes": changes, "output_changes": outputs });
        Plan::read(&json.to_string()).unwrap()
    }

    fn check(changes: &[(&str, &str)], outputs: &[&str], summary: &str, lines: &[&str]) {
        let plan = plan(changes, outputs);
        assert_eq!(plan.summary(), summary);
        assert_eq!(plan.lines().map(|(_, line)| line).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_plan_is_summed_up_in_terraforms_words() {
        check(
            &[
                ("aws_ecs_service.a[\"x\"]", "update"),
                ("aws_ecs_task_definition.a[\"x\"]", "delete create"),
                ("aws_lb.main", "create delete"),
                ("aws_eip.nat", "delete"),
                ("aws_vpc.main", "no-op"),
                ("aws_s3_bucket.data", "forget"),
            ],
            &["no-op", "update"],
            "Plan: 2 to add, 1 to change, 3 to destroy.",
            &[
                "    ~ aws_ecs_service.a[\"x\"]",
                "  -/+ aws_ecs_task_definition.a[\"x\"]",
                "  +/- aws_lb.main",
                "    - aws_eip.nat",
                "    . aws_s3_bucket.data",
            ],
        );
    }

    #[test]
    fn what_is_only_read_is_no_change() {
        let plan = plan(
            &[("data.aws_region.current", "read"), ("aws_vpc.main", "no-op")],
            &["no-op"],
        );
        assert!(plan.is_empty());
        assert_eq!(
            plan.summary(),
            "No changes. Your infrastructure matches the configuration."
        );
    }

    #[test]
    fn an_output_alone_is_a_change_too() {
        check(&[], &["create"], "Plan: only outputs change.", &[]);
        assert!(!plan(&[], &["create"]).is_empty());
    }

    #[test]
    fn an_import_and_a_deposed_object_are_told() {
        let json = json!({ "resource_changes": [
            { "address": "aws_lb.a", "mode": "managed", "type": "aws_lb", "change": { "actions": ["no-op"], "importing": { "id": "x" } } },
            { "address": "aws_lb.b", "mode": "managed", "type": "aws_lb", "deposed": "0a1b", "change": { "actions": ["delete"] } },
        ] });
        let plan = Plan::read(&json.to_string()).unwrap();
        assert_eq!(
            plan.summary(),
            "Plan: 1 to import, 0 to add, 0 to change, 1 to destroy."
        );
        let lines: Vec<_> = plan.lines().map(|(_, line)| line).collect();
        assert_eq!(
            lines,
            ["      aws_lb.a (import)", "    - aws_lb.b (deposed object 0a1b)"]
        );
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        assert!(Plan::read("No changes.").is_err());
    }
}
