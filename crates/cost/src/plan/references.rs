//! What an argument refers to, by the configuration in a plan: through variables into the module that calls, through outputs into modules
//! that are called.

use std::collections::{BTreeMap, BTreeSet};

use karma_terraform::{Address, AttributePath, InstanceKey, Mode, ModuleStep, Object, PathStep, Unknown, Value};
use serde_json::Value as Json;

use super::members;

/// The configuration of a plan.
pub(super) struct Configuration<'j> {
    root: Option<&'j Json>,
    provider_config: Option<&'j Json>,
    /// The managed resources by their block.
    instances: BTreeMap<Block, Vec<Address>>,
}

/// A reference may lead through so many modules; more are a circle.
const DEEPEST: u32 = 64;

/// What was found of one argument's references.
#[derive(Default)]
struct Found {
    /// The blocks, and which of their instances, where one is named.
    blocks: BTreeMap<Block, BTreeSet<InstanceKey>>,
    /// Whether the instance's own key chooses among theirs.
    by_key: bool,
    /// What was followed already, and in which module.
    seen: BTreeSet<(Vec<String>, String)>,
}

/// A resource block in a module.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    /// The names of the modules, without keys.
    module: Vec<String>,
    kind: String,
    name: String,
}

impl<'j> Configuration<'j> {
    pub(super) fn of<'a>(plan: &'j Json, addresses: impl Iterator<Item = &'a Address>) -> Self {
        let configuration = plan.get("configuration");
        let mut instances = BTreeMap::<_, Vec<_>>::new();
        for address in addresses.filter(|address| address.mode == Mode::Managed) {
            instances.entry(Block::of(address)).or_default().push(address.clone());
        }
        Self {
            instances,
            root: configuration.and_then(|it| it.get("root_module")),
            provider_config: configuration.and_then(|it| it.get("provider_config")),
        }
    }

    /// What a resource's arguments that are not known are made of.
    pub(super) fn unknowns(&self, address: &Address, known: &Object) -> Object {
        let path = names(&address.module);
        let Some(resource) = self.module(&path).and_then(|module| block(module, address)) else {
            return Object::new();
        };
        let arguments = members(resource.get("expressions")).filter(|(name, _)| !known.contains_key(*name));
        let unknown = |(name, expression): (&String, &'j Json)| {
            let mut found = Found::default();
            self.follow(expression, &path, &mut found, 0);
            Some((name.clone(), value(&self.meant(&found, address))?))
        };
        arguments.filter_map(unknown).collect()
    }

    /// The known arguments of the root module's providers, by name.
    pub(super) fn providers(&self, plan: &Json) -> BTreeMap<String, Object> {
        let provider = |(name, provider): (&String, &'j Json)| {
            let known = members(provider.get("expressions")).filter_map(|(name, expression)| {
                let constant = expression.get("constant_value");
                let variable = || {
                    let references = expression.get("references")?.as_array()?;
                    let name = references.first()?.as_str()?.strip_prefix("var.")?;
                    plan.get("variables")?.get(name)?.get("value")
                };
                Some((name.clone(), Value::from_json(constant.or_else(variable)?)))
            });
            (name.clone(), known.collect())
        };
        members(self.provider_config).map(provider).collect()
    }

    fn module(&self, path: &[String]) -> Option<&'j Json> {
        path.iter().try_fold(self.root?, |module, name| {
            module.get("module_calls")?.get(name)?.get("module")
        })
    }

    /// Every reference of an expression, also of the blocks inside of it.
    fn follow(&self, expression: &'j Json, path: &[String], found: &mut Found, depth: u32) {
        match expression {
            Json::Array(blocks) => blocks.iter().for_each(|block| self.follow(block, path, found, depth)),
            Json::Object(expression) => {
                for (name, part) in expression {
                    match part {
                        Json::Array(references) if name == "references" => {
                            let texts = references.iter().filter_map(Json::as_str);
                            texts.for_each(|reference| self.refer(reference, path, found, depth));
                        }
                        Json::Array(_) | Json::Object(_) => self.follow(part, path, found, depth),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn refer(&self, reference: &str, path: &[String], found: &mut Found, depth: u32) {
        if depth > DEEPEST || !found.seen.insert((path.to_vec(), reference.to_owned())) {
            return;
        }
        let mut steps = reference.split(['.', '[']);
        let (first, second) = (steps.next().unwrap_or_default(), steps.next().unwrap_or_default());
        match first {
            "each" | "count" => found.by_key = true,
            "var" => self.follow_variable(second, path, found, depth),
            "module" => self.follow_output(reference, second, path, found, depth),
            "local" | "data" | "path" | "self" | "terraform" => {}
            kind => {
                let block = Block {
                    module: path.to_vec(),
                    kind: kind.to_owned(),
                    name: second.to_owned(),
                };
                found.blocks.entry(block).or_default().extend(instance_key(reference));
            }
        }
    }

    /// A variable is what the calling module says it is.
    fn follow_variable(&self, variable: &str, path: &[String], found: &mut Found, depth: u32) {
        let Some((name, caller)) = path.split_last() else {
            return;
        };
        let call = self
            .module(caller)
            .and_then(|module| module.get("module_calls")?.get(name));
        if let Some(expression) = call.and_then(|call| call.get("expressions")?.get(variable)) {
            self.follow(expression, caller, found, depth + 1);
        }
    }

    /// An output is what the called module says it is: `module.network.subnet_ids`, `module.network["eu"].subnet_ids[0]`.
    fn follow_output(&self, reference: &str, module: &str, path: &[String], found: &mut Found, depth: u32) {
        let called = [path, &[module.to_owned()]].concat();
        let Some(outputs) = self.module(&called).and_then(|module| module.get("outputs")) else {
            return;
        };
        let mut steps = reference.split(['.', '[']).skip(2);
        let output = steps.find_map(|step| outputs.get(step));
        if let Some(expression) = output.and_then(|output| output.get("expression")) {
            self.follow(expression, &called, found, depth + 1);
        }
    }

    /// The instances that are meant: those nearest in the tree of modules, and the one with the same key where that is named.
    fn meant<'a>(&'a self, found: &Found, from: &Address) -> Vec<&'a Address> {
        let shared = |address: &Address| {
            let pairs = address.module.iter().zip(&from.module);
            pairs.take_while(|(one, other)| one == other).count()
        };
        let mut candidates = Vec::new();
        for (block, keys) in &found.blocks {
            let instances = self.instances.get(block).into_iter().flatten();
            // A reference to one instance is also told as one to its block.
            let is_named = |it: &&Address| keys.is_empty() || it.key.as_ref().is_some_and(|key| keys.contains(key));
            candidates.extend(instances.filter(is_named));
        }
        let nearest = candidates.iter().map(|address| shared(address)).max().unwrap_or(0);
        candidates.retain(|address| shared(address) == nearest);
        let has_same_key = |it: &&Address| it.key.is_some() && it.key == from.key;
        if found.by_key && candidates.iter().any(has_same_key) {
            candidates.retain(has_same_key);
        }
        candidates
    }
}

impl Block {
    fn of(address: &Address) -> Self {
        Self {
            module: names(&address.module),
            kind: address.kind.clone(),
            name: address.name.clone(),
        }
    }
}

/// The key in `aws_subnet.public["a"].id`, `aws_subnet.public[0]`.
pub(super) fn instance_key(reference: &str) -> Option<InstanceKey> {
    let (block, inside) = reference.split_once('[')?;
    if block.matches('.').count() != 1 {
        return None;
    }
    let (json, _) = super::bracketed(inside)?;
    super::key(&json)
}

fn block<'j>(module: &'j Json, address: &Address) -> Option<&'j Json> {
    let text = |resource: &Json, name: &str| resource.get(name).and_then(Json::as_str).map(str::to_owned);
    let is_meant = |resource: &&Json| {
        let mode = if address.mode == Mode::Data { "data" } else { "managed" };
        text(resource, "mode").as_deref() == Some(mode)
            && text(resource, "type").as_ref() == Some(&address.kind)
            && text(resource, "name").as_ref() == Some(&address.name)
    };
    super::elements(module, "resources").find(is_meant)
}

fn names(path: &[ModuleStep]) -> Vec<String> {
    path.iter().map(|step| step.name.clone()).collect()
}

/// One resource is a reference to it, several are a set of references.
fn value(instances: &[&Address]) -> Option<Value> {
    let reference = |of: &&Address| {
        let path = AttributePath(vec![PathStep::Attribute("id".to_owned())]);
        Value::Unknown(Box::new(Unknown::Attribute {
            of: (*of).clone(),
            path,
        }))
    };
    match instances {
        [] => None,
        [one] => Some(reference(one)),
        many => Some(Value::Unknown(Box::new(Unknown::Call {
            function: "toset",
            arguments: vec![Value::List(many.iter().map(reference).collect())],
        }))),
    }
}
