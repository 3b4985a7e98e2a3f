//! In which order the parts of a stack are evaluated: what is referred to comes first.

mod cycle;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use tree::{ModuleId, Tree};

use crate::Diagnostics;
use crate::module::{Body, Config, Expression, Repeat, Resource, ResourceKey, Rule, Variable};
use crate::references::{self, Reference};

/// One thing to evaluate, in every instance of its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node<'m> {
    pub(crate) module: ModuleId,
    pub(crate) item: Item<'m>,
}

/// What a [`Node`] evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item<'m> {
    /// A variable's value.
    Variable(&'m str),
    /// A variable's `validation` blocks, which may refer to other variables.
    Validation(&'m str),
    Local(&'m str),
    Provider(&'m str),
    Resource(&'m ResourceKey),
    /// How many instances a called module has.
    Call(&'m str),
    Output(&'m str),
}

/// The nodes of a stack in an order in which each comes after what it refers to.
#[derive(Debug, Default)]
pub(crate) struct Graph<'m> {
    pub(crate) order: Vec<Node<'m>>,
    /// Nodes that refer to themselves, over others or at once: they have no value.
    pub(crate) cyclic: BTreeSet<Node<'m>>,
}

impl<'m> Graph<'m> {
    /// The order for all modules of the tree. A cycle is reported with its members.
    pub(crate) fn new(tree: &Tree<'m>, diagnostics: &mut Diagnostics) -> Self {
        let mut graph = Self::default();
        let mut edges = BTreeMap::new();
        for module in tree.ids() {
            for item in items(tree.config(module)) {
                let node = Node { module, item };
                let mut wanted = Wanted {
                    tree,
                    module,
                    found: Vec::new(),
                };
                wanted.by(item);
                edges.insert(node, wanted.found);
            }
        }
        let sorted = cycle::sort(&edges);
        for members in &sorted.cycles {
            diagnostics.push(cycle::diagnostic(tree, members));
            graph.cyclic.extend(members);
        }
        graph.order = sorted.order;
        graph
    }
}

fn items(config: &Config) -> impl Iterator<Item = Item<'_>> {
    let variables = config.variables.keys().map(|name| Item::Variable(name));
    let validated = config
        .variables
        .iter()
        .filter(|(_, variable)| !variable.validations.is_empty());
    let validations = validated.map(|(name, _)| Item::Validation(name));
    let locals = config.locals.keys().map(|name| Item::Local(name));
    let providers = config.providers.keys().map(|name| Item::Provider(name));
    let resources = config.resources.keys().map(Item::Resource);
    let calls = config.calls.keys().map(|name| Item::Call(name));
    let outputs = config.outputs.keys().map(|name| Item::Output(name));
    variables
        .chain(validations)
        .chain(locals)
        .chain(providers)
        .chain(resources)
        .chain(calls)
        .chain(outputs)
}

/// Collects what one node refers to.
struct Wanted<'t, 'm> {
    tree: &'t Tree<'m>,
    module: ModuleId,
    found: Vec<Node<'m>>,
}

impl<'m> Wanted<'_, 'm> {
    fn by(&mut self, item: Item<'m>) {
        let config = self.tree.config(self.module);
        self.own_call();
        match item {
            Item::Variable(name) => self.by_variable(name),
            Item::Validation(name) => self.by_validation(name, &config.variables[name]),
            Item::Local(name) => self.by_expression(&config.locals[name].value),
            Item::Provider(name) => self.by_body(&config.providers[name].body),
            Item::Resource(key) => self.by_resource(&config.resources[key]),
            Item::Call(name) => {
                let call = &config.calls[name];
                self.by_repetition(&call.repetition);
                self.by_expressions(&call.depends_on);
            }
            Item::Output(name) => {
                let output = &config.outputs[name];
                self.by_expression(&output.value);
                self.by_rules(&output.preconditions);
                self.by_expressions(&output.depends_on);
            }
        }
    }

    /// Nothing in a called module can be evaluated before it is known how often it is called.
    fn own_call(&mut self) {
        if let Some((parent, call)) = self.tree.parent(self.module) {
            self.found.push(Node {
                module: parent,
                item: Item::Call(call),
            });
        }
    }

    /// A called module's variable is what the caller wrote, which refers to the caller's things.
    fn by_variable(&mut self, name: &str) {
        let Some((parent, call)) = self.tree.parent(self.module) else {
            return;
        };
        if let Some(argument) = self.tree.config(parent).calls[call].arguments.get(name) {
            let own = std::mem::replace(&mut self.module, parent);
            self.by_expression(&argument.value);
            self.module = own;
        }
    }

    /// The rules of one variable do not wait for those of another, which may look back at it.
    fn by_validation(&mut self, name: &'m str, variable: &'m Variable) {
        self.by_rules(&variable.validations);
        self.found.push(Node {
            module: self.module,
            item: Item::Variable(name),
        });
        for node in &mut self.found {
            if let Item::Validation(name) = node.item {
                node.item = Item::Variable(name);
            }
        }
    }

    fn by_resource(&mut self, resource: &'m Resource) {
        self.by_repetition(&resource.repetition);
        self.by_expressions(&resource.depends_on);
        self.by_body(&resource.body);
        self.by_rules(&resource.preconditions);
        self.by_rules(&resource.postconditions);
        if let Some((module, name)) = self.tree.provider(self.module, &resource.provider) {
            self.found.push(Node {
                module,
                item: Item::Provider(name),
            });
        }
    }

    fn by_repetition(&mut self, repetition: &'m Repeat) {
        match repetition {
            Repeat::Once => {}
            Repeat::Count(expression) | Repeat::ForEach(expression) => self.by_expression(expression),
        }
    }

    fn by_body(&mut self, body: &'m Body) {
        for argument in &body.arguments {
            self.by_expression(&argument.value);
        }
        for block in &body.blocks {
            self.by_body(&block.body);
        }
    }

    fn by_rules(&mut self, rules: &'m [Rule]) {
        for rule in rules {
            self.by_expression(&rule.condition);
            self.by_expression(&rule.error_message);
        }
    }

    fn by_expressions(&mut self, expressions: &'m [Expression]) {
        for expression in expressions {
            self.by_expression(expression);
        }
    }

    fn by_expression(&mut self, expression: &Expression) {
        for reference in references::of(&expression.syntax) {
            self.by_reference(reference);
        }
    }

    /// Only what is declared becomes an edge; what is not is reported where it is evaluated.
    fn by_reference(&mut self, reference: Reference) {
        let module = self.module;
        let config = self.tree.config(module);
        let item = match reference {
            Reference::Variable(name) => config.variables.get_key_value(&name).map(valid),
            Reference::Local(name) => config.locals.get_key_value(&name).map(|(name, _)| Item::Local(name)),
            Reference::Output { call, output } => return self.by_output(&call, output.as_deref()),
            Reference::Resource(key) => config.resources.get_key_value(&key).map(|(key, _)| Item::Resource(key)),
        };
        self.found.extend(item.map(|item| Node { module, item }));
    }

    fn by_output(&mut self, call: &str, output: Option<&str>) {
        let Some((call, _)) = self.tree.config(self.module).calls.get_key_value(call) else {
            return;
        };
        self.found.push(Node {
            module: self.module,
            item: Item::Call(call),
        });
        let Some(child) = self.tree.child(self.module, call) else {
            return;
        };
        let outputs = self.tree.config(child).outputs.keys();
        let wanted = outputs.filter(|name| output.is_none_or(|output| output == name.as_str()));
        self.found.extend(wanted.map(|name| Node {
            module: child,
            item: Item::Output(name),
        }));
    }
}

/// What has to be evaluated before a variable is used: its rules, so that a value they refuse goes no further. Rules that refer to more than
/// variables may in turn need what uses the variable; then its value has to do.
fn valid<'m>((name, variable): (&'m String, &'m Variable)) -> Item<'m> {
    let mut references = Vec::new();
    for rule in &variable.validations {
        references.extend(references::of(&rule.condition.syntax));
        references.extend(references::of(&rule.error_message.syntax));
    }
    let only_variables = references
        .iter()
        .all(|reference| matches!(reference, Reference::Variable(_)));
    if only_variables && !variable.validations.is_empty() {
        Item::Validation(name)
    } else {
        Item::Variable(name)
    }
}
