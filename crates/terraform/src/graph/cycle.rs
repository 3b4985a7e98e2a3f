//! Topological order, and what stands in its way.

use std::collections::BTreeMap;

use super::{Item, Node, Tree};
use crate::{Diagnostic, Mode, Span};

/// The outcome of sorting.
pub(super) struct Sorted<'m> {
    pub(super) order: Vec<Node<'m>>,
    pub(super) cycles: Vec<Vec<Node<'m>>>,
}

/// A node on the way down and how many of its edges were followed already.
struct Step<'m> {
    node: Node<'m>,
    followed: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    OnTheWay,
    Done,
}

/// Depth-first: what a node refers to is placed before it. Without recursion, since a chain of references can be long.
pub(super) fn sort<'m>(edges: &BTreeMap<Node<'m>, Vec<Node<'m>>>) -> Sorted<'m> {
    let mut sorted = Sorted {
        order: Vec::with_capacity(edges.len()),
        cycles: Vec::new(),
    };
    let mut marks: BTreeMap<Node<'m>, Mark> = BTreeMap::new();
    for &start in edges.keys() {
        let mut way = Vec::new();
        enter(start, &mut way, &mut marks);
        while let Some(step) = way.last_mut() {
            let next = edges
                .get(&step.node)
                .and_then(|targets| targets.get(step.followed))
                .copied();
            step.followed += 1;
            match next {
                Some(next) if marks.get(&next) == Some(&Mark::OnTheWay) => sorted.cycles.push(members(&way, next)),
                Some(next) => enter(next, &mut way, &mut marks),
                None => {
                    marks.insert(step.node, Mark::Done);
                    sorted.order.push(step.node);
                    way.pop();
                }
            }
        }
    }
    sorted
}

fn enter<'m>(node: Node<'m>, way: &mut Vec<Step<'m>>, marks: &mut BTreeMap<Node<'m>, Mark>) {
    if let std::collections::btree_map::Entry::Vacant(place) = marks.entry(node) {
        place.insert(Mark::OnTheWay);
        way.push(Step { node, followed: 0 });
    }
}

/// The part of the way that leads from a node back to itself.
fn members<'m>(way: &[Step<'m>], back_to: Node<'m>) -> Vec<Node<'m>> {
    let nodes = way.iter().map(|step| step.node);
    nodes.skip_while(|node| *node != back_to).collect()
}

/// "Cycle: local.a, local.b", at the first member.
pub(super) fn diagnostic(tree: &Tree<'_>, members: &[Node<'_>]) -> Diagnostic {
    let names: Vec<String> = members.iter().map(|node| name(tree, *node)).collect();
    let detail = match names.as_slice() {
        [only] => format!("{only} refers to itself."),
        several => format!("These refer to one another in a circle: {}.", several.join(", ")),
    };
    Diagnostic::error("Cycle", detail, members.first().map(|node| place(tree, *node)))
}

fn name(tree: &Tree<'_>, node: Node<'_>) -> String {
    let path = tree
        .names(node.module)
        .iter()
        .fold(String::new(), |path, call| path + "module." + call + ".");
    match node.item {
        Item::Variable(name) => format!("{path}var.{name}"),
        Item::Validation(name) => format!("{path}var.{name} (validation)"),
        Item::Local(name) => format!("{path}local.{name}"),
        Item::Provider(name) => format!("{path}provider.{name}"),
        Item::Call(name) => format!("{path}module.{name}"),
        Item::Output(name) => format!("{path}output.{name}"),
        Item::Resource(key) if key.mode == Mode::Data => format!("{path}data.{}.{}", key.kind, key.name),
        Item::Resource(key) => format!("{path}{}.{}", key.kind, key.name),
    }
}

fn place(tree: &Tree<'_>, node: Node<'_>) -> Span {
    let config = tree.config(node.module);
    match node.item {
        Item::Variable(name) | Item::Validation(name) => config.variables[name].declared_at.clone(),
        Item::Local(name) => config.locals[name].name_span.clone(),
        Item::Provider(name) => config.providers[name].body.span.clone(),
        Item::Call(name) => config.calls[name].declared_at.clone(),
        Item::Output(name) => config.outputs[name].declared_at.clone(),
        Item::Resource(key) => config.resources[key].declared_at.clone(),
    }
}
