//! What becomes of a stack's attributes where it is run on this machine: the answer to "processes are not Fargate".
//!
//! ```text
//! Stack ─▶ every attribute that it sets ─▶ the table of its resource type ─▶ Fidelity
//!                                                  ▲
//! Fleet::from_stack ─▶ which attributes were read ─┘  one that nothing has read is not called enforced
//! ```
//! The tables stand in files beside the readers; a test holds that they name what the readers read, and nothing else.

mod load_balancer;
mod other;
mod scaling;
mod service;
mod task_definition;
mod unmodeled;

use std::collections::BTreeMap;

use karma_terraform::{Address, Mode, ResourceInstance, Stack, Unknown, Value};

use crate::Fleet;
use crate::attributes::{Reads, collection};
use crate::container_definitions;
use crate::links;

/// What becomes of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fidelity {
    /// It holds here as it does on AWS.
    Enforced,
    /// It has its effect, brought about by other means or in another measure; the remark says how.
    Simulated,
    /// It changes something on AWS and nothing here.
    Ignored,
    /// There is nothing here that it could change.
    NotApplicable,
}

/// An attribute that the stack sets, or a whole resource that is not modeled, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FidelityLine {
    /// `aws_ecs_service`
    pub resource_type: String,
    /// `deployment_circuit_breaker.enable`; `None` stands for the whole resource.
    pub attribute: Option<String>,
    /// What becomes of it.
    pub fidelity: Fidelity,
    /// How, or why not; empty where nothing has to be said.
    pub remark: &'static str,
    /// The resources that set it.
    pub resources: Vec<Address>,
}

/// What becomes of every attribute that the stack sets, by resource type and attribute. An attribute below one that has a line has none of its own.
pub fn fidelity(stack: &Stack) -> Vec<FidelityLine> {
    let (fleet, context) = Fleet::read(stack);
    let mut lines = Lines::default();
    for resource in stack.resources.values() {
        if resource.address.mode != Mode::Managed {
            continue;
        }
        match table(&resource.address.kind) {
            Some(table) if !fleet.unmodeled.contains(&resource.address) => {
                Walk {
                    resource,
                    table,
                    reads: &context.reads.borrow(),
                    lines: &mut lines,
                }
                .arguments();
            }
            _ => lines.add(resource, None, unmodeled::treatment(&resource.address.kind)),
        }
    }
    lines.0.into_values().collect()
}

impl Fidelity {
    /// Every one, the best first.
    pub const ALL: [Self; 4] = [Self::Enforced, Self::Simulated, Self::Ignored, Self::NotApplicable];

    /// `enforced`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Simulated => "simulated",
            Self::Ignored => "ignored",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// An attribute of a resource type, or all below it, and what becomes of it.
#[derive(Debug, Clone, Copy)]
struct Treatment {
    attribute: &'static str,
    fidelity: Fidelity,
    remark: &'static str,
}

const fn enforced(attribute: &'static str) -> Treatment {
    let remark = "";
    Treatment {
        attribute,
        fidelity: Fidelity::Enforced,
        remark,
    }
}

const fn simulated(attribute: &'static str, remark: &'static str) -> Treatment {
    Treatment {
        attribute,
        fidelity: Fidelity::Simulated,
        remark,
    }
}

const fn ignored(attribute: &'static str, remark: &'static str) -> Treatment {
    Treatment {
        attribute,
        fidelity: Fidelity::Ignored,
        remark,
    }
}

const fn not_applicable(attribute: &'static str, remark: &'static str) -> Treatment {
    Treatment {
        attribute,
        fidelity: Fidelity::NotApplicable,
        remark,
    }
}

/// The resource types that the model reads, and their tables.
const TABLES: &[(&[&str], &[&[Treatment]])] = &[
    (links::CLUSTER, &[other::CLUSTER]),
    (links::CLUSTER_CAPACITY_PROVIDERS, &[other::CLUSTER_CAPACITY_PROVIDERS]),
    (links::SERVICE, &[service::SERVICE, service::SERVICE_CONNECT]),
    (
        links::TASK_DEFINITION,
        &[task_definition::TASK_DEFINITION, task_definition::CONTAINER],
    ),
    (links::LOAD_BALANCER, &[load_balancer::LOAD_BALANCER]),
    (links::LISTENER, &[load_balancer::LISTENER]),
    (links::LISTENER_RULE, &[load_balancer::LISTENER_RULE]),
    (links::TARGET_GROUP, &[load_balancer::TARGET_GROUP]),
    (links::SCALABLE_TARGET, &[scaling::TARGET]),
    (links::SCALING_POLICY, &[scaling::POLICY]),
    (links::SCHEDULED_ACTION, &[scaling::SCHEDULED_ACTION]),
    (links::SCHEDULE, &[scaling::SCHEDULE]),
    (links::METRIC_ALARM, &[scaling::METRIC_ALARM]),
    (links::COMPOSITE_ALARM, &[scaling::COMPOSITE_ALARM]),
    (links::METRIC_FILTER, &[scaling::METRIC_FILTER]),
    (links::SAMPLING_RULE, &[other::SAMPLING_RULE]),
    (links::SUBNET, &[other::SUBNET]),
    (links::REPOSITORY, &[other::REPOSITORY]),
    (links::LOG_GROUP, &[other::LOG_GROUP]),
    (links::SECRET, &[other::SECRET]),
];

/// What every resource has.
const COMMON: &[Treatment] = &[
    not_applicable("tags", "labels of objects in AWS"),
    not_applicable("tags_all", "labels of objects in AWS"),
    not_applicable("region", "the run has the provider's"),
    not_applicable("timeouts", "how long Terraform waits for AWS"),
];

const UNKNOWN: Treatment = ignored("", "this version of karma does not know it");

const UNREAD: Treatment = ignored("", "nothing reads it in this combination");

fn table(kind: &str) -> Option<Table> {
    let (_, parts) = TABLES.iter().find(|(kinds, _)| kinds.contains(&kind))?;
    Some(Table(parts))
}

/// The treatments of a resource type.
#[derive(Clone, Copy)]
struct Table(&'static [&'static [Treatment]]);

impl Table {
    fn treatments(self) -> impl Iterator<Item = &'static Treatment> {
        self.0.iter().copied().flatten().chain(COMMON)
    }

    /// The attribute's own, or else that of the block it stands in.
    fn nearest(self, path: &str) -> Option<&'static Treatment> {
        let own = self.treatments().find(|treatment| treatment.attribute == path);
        own.or_else(|| self.nearest(path.rsplit_once('.')?.0))
    }

    fn has_below(self, path: &str) -> bool {
        let is_below = |attribute: &str| attribute.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        self.treatments().any(|treatment| is_below(treatment.attribute))
    }
}

/// The lines by resource type and attribute.
#[derive(Default)]
struct Lines(BTreeMap<(String, Option<String>), FidelityLine>);

impl Lines {
    fn add(&mut self, resource: &ResourceInstance, attribute: Option<&str>, treatment: Treatment) {
        let (resource_type, attribute) = (resource.address.kind.clone(), attribute.map(str::to_owned));
        let key = (resource_type.clone(), attribute.clone());
        let line = self.0.entry(key).or_insert_with(|| FidelityLine {
            resource_type,
            attribute,
            fidelity: treatment.fidelity,
            remark: treatment.remark,
            resources: Vec::new(),
        });
        if line.resources.last() != Some(&resource.address) {
            line.resources.push(resource.address.clone());
        }
    }
}

/// A walk over what one resource sets.
struct Walk<'a> {
    resource: &'a ResourceInstance,
    table: Table,
    reads: &'a Reads,
    lines: &'a mut Lines,
}

impl Walk<'_> {
    /// What is written in the block, and not what the provider fills in.
    fn arguments(&mut self) {
        let resource = self.resource;
        for (name, value) in &resource.attributes {
            if resource.argument_spans.contains_key(name) {
                self.attribute(name, value);
            }
        }
    }

    fn attribute(&mut self, path: &str, value: &Value) {
        if !self.is_set(value) {
            return;
        }
        if self.table.has_below(path) {
            self.members(path, value);
        } else {
            self.line(path, self.table.nearest(path).copied().unwrap_or(UNKNOWN));
        }
    }

    /// The members of a block, of each of several, or of each container.
    fn members(&mut self, path: &str, value: &Value) {
        let is_text = path == container_definitions::ARGUMENT;
        let parsed = is_text.then(|| container_definitions::definitions(value)).flatten();
        let value = parsed.as_deref().unwrap_or_else(|| collection(value));
        let elements = value.as_elements().unwrap_or(std::slice::from_ref(value));
        for object in elements.iter().filter_map(Value::as_object) {
            for (name, member) in object {
                self.attribute(&format!("{path}.{name}"), member);
            }
        }
    }

    /// An attribute that its table calls enforced or simulated, and that nothing has read, is neither.
    fn line(&mut self, path: &str, treatment: Treatment) {
        let acts = matches!(treatment.fidelity, Fidelity::Enforced | Fidelity::Simulated);
        let is_read = self.reads.contains(&self.resource.address.kind, path);
        let treatment = if acts && !is_read { UNREAD } else { treatment };
        self.lines.add(self.resource, Some(path), treatment);
    }

    /// Not null, not an empty list, and not left for AWS to decide.
    fn is_set(&self, value: &Value) -> bool {
        let is_filled_in =
            matches!(value.as_unknown(), Some(Unknown::Attribute { of, .. }) if *of == self.resource.address);
        let is_empty = value.as_elements().is_some_and(<[Value]>::is_empty);
        !value.is_null() && !is_filled_in && !is_empty
    }
}

#[cfg(test)]
mod tests;
