//! What a document can ask about a stack.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use karma_cost::PriceBook;
use karma_fleet::{Action, Condition, Fleet, Listener, ListenerRule, Service};
use karma_terraform::{Address, Inputs, Mode, Module, ResourceInstance, Sources, Span, Stack, Unknown, Value};

/// A stack from all its sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The way from the document's directory to the stack's: nothing, or `../` for each level.
    pub(crate) to_stack: &'a str,
    pub(crate) sources: &'a Sources,
    pub(crate) module: &'a Module,
    /// What the stack was evaluated with.
    pub(crate) inputs: &'a Inputs,
    pub(crate) stack: &'a Stack,
    pub(crate) fleet: &'a Fleet,
    /// The prices of the stack's region, if they are known.
    pub(crate) prices: Option<&'a PriceBook>,
}

impl<'a> Facts<'a> {
    /// The resources or data sources, of all modules.
    pub(super) fn resources(&self, mode: Mode) -> impl Iterator<Item = &'a ResourceInstance> {
        let all = self.stack.resources.values();
        all.filter(move |resource| resource.address.mode == mode)
    }

    /// The resources of one type.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a ResourceInstance> {
        self.resources(Mode::Managed)
            .filter(move |resource| resource.address.kind == kind)
    }

    /// The resources by type.
    pub(super) fn by_kind(&self) -> BTreeMap<&'a str, Vec<&'a ResourceInstance>> {
        group(self.resources(Mode::Managed), |resource| resource.address.kind.as_str())
    }

    /// The resources by the file that declares them.
    pub(super) fn by_file(&self) -> BTreeMap<&'a str, Vec<&'a ResourceInstance>> {
        group(self.resources(Mode::Managed), |resource| {
            resource.declared_at.file.as_ref()
        })
    }

    /// The names of the root module's files.
    pub(super) fn files(&self) -> impl Iterator<Item = &'a str> {
        let all = self.sources.iter().map(|(path, _)| path.as_ref());
        all.filter(|path| !path.contains('/') && Path::new(path).extension().is_some_and(|it| it == "tf"))
    }

    /// The line of a place, counted from one.
    pub(super) fn line(&self, span: &Span) -> Option<usize> {
        let position = self.sources.position(&span.file, span.start)?;
        Some(position.line)
    }

    /// The subnets that a value refers to: the name of the block, and the zone where it is known.
    pub(super) fn subnets(&self, value: &Value) -> BTreeSet<(&'a str, &'a str)> {
        let resources = references(value)
            .into_iter()
            .filter_map(|of| self.stack.resources.get(of));
        let subnets = resources.filter(|resource| resource.address.kind == "aws_subnet");
        let zone = |subnet: &'a ResourceInstance| subnet.attributes.get("availability_zone")?.as_str();
        subnets
            .filter_map(|subnet| Some((subnet.address.name.as_str(), zone(subnet)?)))
            .collect()
    }

    /// The rules that lead to a service, with the listener they belong to.
    pub(super) fn rules_of(&self, service: &Service) -> Vec<(&'a Listener, &'a ListenerRule)> {
        let groups: BTreeSet<&Address> = service.load_balancers.iter().map(|entry| &entry.target_group).collect();
        let leads_here = |rule: &ListenerRule| matches!(&rule.action, Action::Forward(to) if to.target_groups.iter().any(|to| groups.contains(&to.target_group)));
        let listeners = self.fleet.listeners.values();
        listeners
            .flat_map(|listener| listener.rules.iter().map(move |rule| (listener, rule)))
            .filter(|(_, rule)| leads_here(rule))
            .collect()
    }
}

/// The path patterns of a rule.
pub(super) fn paths(rule: &ListenerRule) -> impl Iterator<Item = &str> {
    rule.conditions.iter().flat_map(|condition| match condition {
        Condition::PathPattern(patterns) => patterns.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    })
}

/// The resources whose attributes a value is made of.
fn references(value: &Value) -> Vec<&Address> {
    match value.unmarked() {
        Value::List(inside) | Value::Set(inside) => inside.iter().flat_map(references).collect(),
        Value::Object(members) => members.values().flat_map(references).collect(),
        Value::Unknown(unknown) => match unknown.as_ref() {
            Unknown::Attribute { of, .. } => vec![of],
            Unknown::Template(inside) | Unknown::Call { arguments: inside, .. } => {
                inside.iter().flat_map(references).collect()
            }
            Unknown::Variable(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn group<'a>(
    all: impl Iterator<Item = &'a ResourceInstance>,
    by: impl Fn(&'a ResourceInstance) -> &'a str,
) -> BTreeMap<&'a str, Vec<&'a ResourceInstance>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for resource in all {
        groups.entry(by(resource)).or_default().push(resource);
    }
    groups
}
