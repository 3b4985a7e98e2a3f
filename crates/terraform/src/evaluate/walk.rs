//! The state of a walk: what was evaluated so far, in every instance of every module.

use std::collections::BTreeMap;

use super::expand::{Repetition, Shape};
use super::scope::{Evaluated, Names, Poisoned, Scope, Shared, Surroundings};
use crate::graph::{Graph, ModuleId, Tree};
use crate::inputs::{self, Given};
use crate::module::{Config, File, Module, ResourceKey};
use crate::schema;
use crate::{Diagnostic, Diagnostics, Inputs, ModuleStep, Object, Output, Provider, Stack};

/// An instance of a module: the root's is the first.
pub(crate) type InstanceId = usize;

/// The evaluation of one stack.
#[derive(Debug)]
pub(crate) struct Walk<'m> {
    pub(super) shared: Shared<'m>,
    pub(super) tree: Tree<'m>,
    pub(super) graph: Graph<'m>,
    pub(super) inputs: &'m Inputs,
    pub(super) provider: &'m Provider,
    pub(super) given: BTreeMap<String, Given>,
    /// The resource that Terraform itself brings along.
    pub(super) terraform_data: schema::Block,
    pub(super) instances: Vec<Instance<'m>>,
    /// The instances of each module of the tree.
    by_module: Vec<Vec<InstanceId>>,
    nowhere: File,
    pub(super) stack: Stack,
}

/// What was evaluated in one instance of a module.
#[derive(Debug)]
pub(crate) struct Instance<'m> {
    pub(super) module: ModuleId,
    pub(super) path: Vec<ModuleStep>,
    pub(super) parent: Option<InstanceId>,
    /// What `each` and `count` mean where the module is called.
    pub(super) repetition: Repetition,
    pub(super) variables: BTreeMap<&'m str, Evaluated>,
    pub(super) locals: BTreeMap<&'m str, Evaluated>,
    pub(super) providers: BTreeMap<&'m str, Object>,
    pub(super) resources: BTreeMap<&'m ResourceKey, Evaluated>,
    pub(super) calls: BTreeMap<&'m str, Result<Calls, Poisoned>>,
    pub(super) outputs: BTreeMap<&'m str, Evaluated>,
}

/// The instances a module call stands for.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(super) shape: Shape,
    pub(super) instances: Vec<InstanceId>,
}

impl Calls {
    /// The instance of a call without `count` and `for_each`.
    pub(super) fn only(&self) -> Option<InstanceId> {
        self.instances.first().copied().filter(|_| self.shape == Shape::One)
    }
}

impl<'m> Walk<'m> {
    /// A walk that has not begun.
    pub(crate) fn new(module: &'m Module, inputs: &'m Inputs, provider: &'m Provider) -> Self {
        let mut diagnostics = Diagnostics::default();
        let tree = Tree::new(module, &mut diagnostics);
        let graph = Graph::new(&tree, &mut diagnostics);
        let shared = Shared::new(&module.sources, &inputs.workspace, inputs.now);
        let given = inputs::given(module, inputs, &mut shared.diagnostics.borrow_mut());
        shared.diagnostics.borrow_mut().extend(diagnostics);
        Self {
            shared,
            by_module: vec![Vec::new(); tree.ids().len()],
            tree,
            graph,
            inputs,
            provider,
            given,
            terraform_data: super::resource::terraform_data(),
            instances: Vec::new(),
            nowhere: File {
                path: "".into(),
                text: "".into(),
            },
            stack: Stack::default(),
        }
    }

    /// Evaluates everything in order.
    pub(crate) fn run(mut self) -> (Stack, Diagnostics) {
        if !self.tree.ids().is_empty() {
            self.add_instance(0, None, Vec::new(), Repetition::Once);
        }
        for node in std::mem::take(&mut self.graph.order) {
            for instance in self.by_module[node.module].clone() {
                let cyclic = self.graph.cyclic.contains(&node);
                self.visit(instance, node.item, if cyclic { Err(Poisoned) } else { Ok(()) });
            }
        }
        self.finish()
    }

    pub(super) fn instance(&self, id: InstanceId) -> &Instance<'m> {
        &self.instances[id]
    }

    pub(super) fn config(&self, id: InstanceId) -> &'m Config {
        self.tree.config(self.instances[id].module)
    }

    /// "the root module" or "module.network"
    pub(super) fn place(&self, id: InstanceId) -> String {
        let names = self.tree.names(self.instances[id].module);
        match names.as_slice() {
            [] => "the root module".to_owned(),
            names => names
                .iter()
                .map(|name| format!("module.{name}"))
                .collect::<Vec<_>>()
                .join("."),
        }
    }

    /// The scope of a block in a module instance.
    pub(super) fn scope<'s>(&'s self, instance: InstanceId, repetition: &'s Repetition) -> Scope<'s> {
        let surroundings = Surroundings {
            walk: self,
            instance,
            repetition,
            this: None,
        };
        Scope {
            shared: &self.shared,
            names: Names::Module(surroundings),
            file: &self.nowhere,
            bound: None,
        }
    }

    /// The evaluated provider block that serves a provider's name in a module instance.
    pub(super) fn provider_block(&self, id: InstanceId, name: &str) -> Option<&Object> {
        let (module, name) = self.tree.provider(self.instances[id].module, name)?;
        let mut ancestors = std::iter::successors(Some(id), |id| self.instances[*id].parent);
        let owner = ancestors.find(|id| self.instances[*id].module == module)?;
        self.instances[owner].providers.get(name)
    }

    pub(super) fn add_instance(
        &mut self,
        module: ModuleId,
        parent: Option<InstanceId>,
        path: Vec<ModuleStep>,
        repetition: Repetition,
    ) -> InstanceId {
        let id = self.instances.len();
        self.by_module[module].push(id);
        self.instances.push(Instance {
            module,
            path,
            parent,
            repetition,
            variables: BTreeMap::new(),
            locals: BTreeMap::new(),
            providers: BTreeMap::new(),
            resources: BTreeMap::new(),
            calls: BTreeMap::new(),
            outputs: BTreeMap::new(),
        });
        id
    }

    /// What the root module shows of itself.
    fn finish(self) -> (Stack, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        diagnostics.extend(tidy(self.shared.diagnostics.take()));
        let mut stack = self.stack;
        if let Some(root) = self.instances.into_iter().next() {
            let config = self.tree.config(0);
            let known = |values: BTreeMap<&str, Evaluated>| {
                values
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value.ok()?)))
                    .collect::<Vec<_>>()
            };
            stack.variables = known(root.variables).into_iter().collect();
            stack.providers = root
                .providers
                .into_iter()
                .map(|(name, block)| (name.to_owned(), block))
                .collect();
            stack.outputs = known(root.outputs)
                .into_iter()
                .map(|(name, value)| {
                    let sensitive = config.outputs[&name].sensitive;
                    (name, Output { value, sensitive })
                })
                .collect();
        }
        (stack, diagnostics)
    }
}

/// In the order of the source, each once: what stands in a loop or in a repeated block fails in every round.
fn tidy(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| a.span.cmp(&b.span));
    diagnostics.dedup();
    diagnostics
}
