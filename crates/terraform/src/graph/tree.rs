//! The tree of module calls, before `count` and `for_each` multiply them.

use std::collections::BTreeMap;

use crate::module::{Config, Module};
use crate::{Diagnostic, Diagnostics};

/// A module in the [`Tree`]: the root is the first.
pub(crate) type ModuleId = usize;

/// Which module calls which.
#[derive(Debug, Default)]
pub(crate) struct Tree<'m> {
    modules: Vec<Place<'m>>,
}

#[derive(Debug)]
struct Place<'m> {
    config: &'m Config,
    parent: Option<(ModuleId, &'m str)>,
    children: BTreeMap<&'m str, ModuleId>,
}

/// More calls than any stack has; a module that calls itself would never end.
const MOST_MODULES: usize = 2_000;

impl<'m> Tree<'m> {
    /// The calls of a module and of those it calls.
    pub(crate) fn new(module: &'m Module, diagnostics: &mut Diagnostics) -> Self {
        let mut tree = Self::default();
        let Some(root) = module.root() else { return tree };
        tree.modules.push(Place {
            config: root,
            parent: None,
            children: BTreeMap::new(),
        });
        let mut next = 0;
        while next < tree.modules.len() {
            tree.add_children(next, module, diagnostics);
            next += 1;
        }
        tree
    }

    /// All modules, callers before what they call.
    pub(crate) fn ids(&self) -> std::ops::Range<ModuleId> {
        0..self.modules.len()
    }

    /// What a module declares.
    pub(crate) fn config(&self, module: ModuleId) -> &'m Config {
        self.modules[module].config
    }

    /// Who calls a module, and under which name.
    pub(crate) fn parent(&self, module: ModuleId) -> Option<(ModuleId, &'m str)> {
        self.modules[module].parent
    }

    /// The module that a call leads to.
    pub(crate) fn child(&self, module: ModuleId, call: &str) -> Option<ModuleId> {
        self.modules[module].children.get(call).copied()
    }

    /// The module of a call and the names on the way to it: `module.a.module.b`.
    pub(crate) fn names(&self, mut module: ModuleId) -> Vec<&'m str> {
        let mut names = Vec::new();
        while let Some((parent, call)) = self.parent(module) {
            names.push(call);
            module = parent;
        }
        names.reverse();
        names
    }

    /// The provider block that serves a provider's name in a module: its own, else the one its callers hand down.
    pub(crate) fn provider(&self, mut module: ModuleId, name: &str) -> Option<(ModuleId, &'m str)> {
        let mut name = name;
        loop {
            if let Some((found, _)) = self.config(module).providers.get_key_value(name) {
                return Some((module, found));
            }
            let (parent, call) = self.parent(module)?;
            name = self.config(parent).calls[call]
                .providers
                .get(name)
                .map_or(name, String::as_str);
            module = parent;
        }
    }

    fn add_children(&mut self, parent: ModuleId, module: &'m Module, diagnostics: &mut Diagnostics) {
        for (name, call) in &self.config(parent).calls {
            let Some(config) = call
                .directory
                .as_ref()
                .and_then(|directory| module.configs.get(directory))
            else {
                continue;
            };
            if self.calls_itself(parent, config) || self.modules.len() == MOST_MODULES {
                let detail =
                    format!("The module \"{name}\" leads back to a module that calls it, which would never end.");
                diagnostics.push(Diagnostic::error(
                    "Module calls itself",
                    detail,
                    call.declared_at.clone(),
                ));
                continue;
            }
            let id = self.modules.len();
            self.modules.push(Place {
                config,
                parent: Some((parent, name)),
                children: BTreeMap::new(),
            });
            self.modules[parent].children.insert(name, id);
        }
    }

    fn calls_itself(&self, mut caller: ModuleId, config: &Config) -> bool {
        loop {
            if self.config(caller).directory == config.directory {
                return true;
            }
            match self.parent(caller) {
                Some((parent, _)) => caller = parent,
                None => return false,
            }
        }
    }
}
