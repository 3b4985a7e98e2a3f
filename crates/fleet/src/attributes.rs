//! The typed reader that every family reads its resources with.
//!
//! A family asks for what it needs by name and type. What is not there, not known or of another type becomes a diagnostic that points at
//! the argument; nothing stops at the first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use karma_terraform::{Address, Diagnostic, Diagnostics, Mode, Object, ResourceInstance, Span, Stack, Unknown, Value};

use crate::from_value::FromValue;
use crate::links::{self, Kinds};
use crate::value_text::describe;

/// The summary of warnings about what AWS would do and a local run does not.
pub(crate) const NOT_RUN_YET: &str = "Not run locally yet";

/// What surrounds the reading of one resource.
pub(crate) struct Context<'a> {
    /// The stack that links lead into.
    pub(crate) stack: &'a Stack,
    /// What was found so far.
    pub(crate) diagnostics: RefCell<Diagnostics>,
    /// Which attributes were asked for.
    pub(crate) reads: RefCell<Reads>,
}

/// Which attributes were asked for, by the type of their resource: `container_definitions.healthCheck.interval`.
#[derive(Debug, Default)]
pub(crate) struct Reads(BTreeMap<String, BTreeSet<String>>);

impl Reads {
    /// Whether an attribute of resources of this type was asked for.
    pub(crate) fn contains(&self, kind: &str, path: &str) -> bool {
        self.0.get(kind).is_some_and(|paths| paths.contains(path))
    }

    /// Everything that was asked for, as type and attribute.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(kind, paths)| paths.iter().map(move |path| (kind.as_str(), path.as_str())))
    }

    fn note(&mut self, kind: &str, path: String) {
        match self.0.get_mut(kind) {
            Some(paths) => drop(paths.insert(path)),
            None => drop(self.0.insert(kind.to_owned(), BTreeSet::from([path]))),
        }
    }
}

/// The members of a resource, or of a block in it, and where they stand.
#[derive(Clone)]
pub(crate) struct Attributes<'a> {
    context: &'a Context<'a>,
    resource: &'a ResourceInstance,
    members: &'a Object,
    /// The argument of the resource that `members` lie in; `None` where they are its own.
    argument: Option<&'static str>,
    /// The way to `members`: `container_definitions[0].healthCheck`.
    place: String,
}

/// Something could not be read, and a diagnostic already says why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported;

/// What was read, or the reason why not is [`Reported`].
pub(crate) type Read<T> = Result<T, Reported>;

impl<'a> Attributes<'a> {
    /// The members of a whole resource.
    pub(crate) fn of(context: &'a Context<'a>, resource: &'a ResourceInstance) -> Self {
        Self {
            context,
            resource,
            members: &resource.attributes,
            argument: None,
            place: String::new(),
        }
    }

    /// An element of an argument whose text was taken apart.
    pub(crate) fn within<'b>(&self, argument: &'static str, index: usize, members: &'b Object) -> Attributes<'b>
    where
        'a: 'b,
    {
        let outer: Attributes<'b> = self.clone();
        Attributes {
            members,
            argument: Some(argument),
            place: format!("{argument}[{index}]"),
            ..outer
        }
    }

    /// Another resource of the stack, read with the same diagnostics.
    pub(crate) fn of_other(&self, resource: &'a ResourceInstance) -> Self {
        Self::of(self.context, resource)
    }

    pub(crate) fn stack(&self) -> &'a Stack {
        self.context.stack
    }

    pub(crate) fn address(&self) -> &'a Address {
        &self.resource.address
    }

    pub(crate) fn declared_at(&self) -> Span {
        self.resource.declared_at.clone()
    }

    /// All names that are set.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str)
    }

    /// The value, unless it is absent, null, or left for AWS to fill in.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        let path = without_indexes(&self.place_of(name));
        self.context.reads.borrow_mut().note(&self.address().kind, path);
        self.glance(name)
    }

    /// The same without meaning to act on it: who only glances at an attribute has not read it.
    pub(crate) fn glance(&self, name: &str) -> Option<&'a Value> {
        let value = self.members.get(name).map(collection)?;
        (!value.is_null() && !self.is_filled_in(value)).then_some(value)
    }

    /// A value of any type that must be there.
    pub(crate) fn value_of(&self, name: &'static str) -> Read<&'a Value> {
        self.get(name).ok_or_else(|| self.missing(name))
    }

    /// A value that must be there.
    pub(crate) fn required<T: FromValue>(&self, name: &'static str) -> Read<T> {
        self.convert(name, self.value_of(name)?)
    }

    /// A value that may be left out; one that cannot be read is reported and taken for left out.
    pub(crate) fn optional<T: FromValue>(&self, name: &'static str) -> Option<T> {
        self.convert(name, self.get(name)?).ok()
    }

    /// A duration that may be left out, given in whole seconds.
    pub(crate) fn seconds(&self, name: &'static str) -> Option<Duration> {
        self.optional::<u32>(name)
            .map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// The resource's name: see [`links::name_of`].
    pub(crate) fn name(&self) -> String {
        self.get("name");
        self.get("name_prefix");
        links::name_of(self.resource)
    }

    /// The one nested block or object of this name; one that is none is reported and taken for left out.
    pub(crate) fn block(&self, name: &'static str) -> Option<Self> {
        self.blocks(name).ok()?.into_iter().next()
    }

    /// The one nested block or object of this name, which must be there.
    pub(crate) fn required_block(&self, name: &'static str) -> Read<Self> {
        self.blocks(name)?.into_iter().next().ok_or_else(|| self.missing(name))
    }

    /// The one nested block or object of this name, read, if there is one.
    pub(crate) fn at_most_one<T>(&self, name: &'static str, read: impl Fn(&Self) -> Read<T>) -> Read<Option<T>> {
        self.blocks(name)?.first().map(read).transpose()
    }

    /// Every nested block or object of this name, read in one way. Each is tried, so that all that is wrong is reported.
    pub(crate) fn each<T>(&self, name: &'static str, read: impl Fn(&Self) -> Read<T>) -> Read<Vec<T>> {
        let read: Vec<Read<T>> = self.blocks(name)?.iter().map(read).collect();
        read.into_iter().collect()
    }

    /// The same where there must be one at least.
    pub(crate) fn at_least_one<T>(&self, name: &'static str, read: impl Fn(&Self) -> Read<T>) -> Read<Vec<T>> {
        let all = self.each(name, read)?;
        if all.is_empty() {
            Err(self.missing(name))
        } else {
            Ok(all)
        }
    }

    /// The managed resource that an attribute refers to, which must be there.
    pub(crate) fn link(&self, name: &'static str, kinds: Kinds) -> Read<Address> {
        let value = self.value_of(name)?;
        match links::resolve(self.stack(), value, kinds).filter(|resource| is_managed(&resource.address)) {
            Some(resource) => Ok(resource.address.clone()),
            None => Err(self.unresolved(name, value, kinds)),
        }
    }

    /// The managed resource that an attribute refers to; `None` without a word where the reference leads out of the stack.
    pub(crate) fn outward_link(&self, name: &'static str, kinds: Kinds) -> Option<Address> {
        let value = self.get(name)?;
        let found = links::resolve(self.stack(), value, kinds);
        if found.is_none() && links::origin(value).is_some_and(is_managed) {
            self.unresolved(name, value, kinds);
        }
        found.map(|resource| resource.address.clone()).filter(is_managed)
    }

    /// Adds an error about one of the members.
    pub(crate) fn error(&self, name: &str, summary: &'static str, detail: impl Into<String>) -> Reported {
        self.push(Diagnostic::error(summary, detail, self.span(name)))
    }

    /// Adds a warning about one of the members.
    pub(crate) fn warning(&self, name: &str, summary: &'static str, detail: impl Into<String>) -> Reported {
        self.push(Diagnostic::warning(summary, detail, self.span(name)))
    }

    /// Adds an error about one of the members that says what to do next.
    pub(crate) fn error_with_help(
        &self,
        name: &str,
        summary: &'static str,
        detail: impl Into<String>,
        help: &str,
    ) -> Reported {
        self.push(Diagnostic::error(summary, detail, self.span(name)).with_help(help))
    }

    /// How a member is called in a sentence: `` `condition[0].values` of `aws_lb_listener_rule.x` ``.
    pub(crate) fn called(&self, name: &str) -> String {
        format!("`{}` of `{}`", self.place_of(name), self.address())
    }

    /// Reports that a value is of the wrong type, or not known.
    pub(crate) fn unsuitable(&self, name: &str, value: &Value, expected: &str) -> Reported {
        if is_told(value) {
            return Reported;
        }
        let (called, found) = (self.called(name), describe(value));
        if value.as_unknown().is_some() {
            let detail = format!("{called} must be known before apply, but it is made of {found}.");
            return self.error(name, "Value not known before apply", detail);
        }
        self.error(
            name,
            "Invalid value",
            format!("{called} must be {expected}, but it is {found}."),
        )
    }

    /// Reports that a value is not there. An argument that is written and yet left to AWS is one that could not be evaluated, and that has
    /// been reported.
    pub(crate) fn missing(&self, name: &str) -> Reported {
        let is_written = self.argument.is_none() && self.resource.argument_spans.contains_key(name);
        if is_written && self.members.get(name).is_some_and(|value| self.is_filled_in(value)) {
            return Reported;
        }
        let detail = format!("{} is required here, but it is not set.", self.called(name));
        self.error(name, "Missing required argument", detail)
    }

    fn unresolved(&self, name: &str, value: &Value, kinds: Kinds) -> Reported {
        if is_told(value) {
            return Reported;
        }
        let (called, found) = (self.called(name), describe(value));
        let detail = format!(
            "{called} must refer to an `{}` of this stack, but {found} does not.",
            kinds[0]
        );
        self.error(name, "Unresolved reference", detail)
    }

    fn push(&self, diagnostic: Diagnostic) -> Reported {
        self.context.diagnostics.borrow_mut().push(diagnostic);
        Reported
    }

    fn span(&self, name: &str) -> Span {
        let argument = self.argument.unwrap_or(name);
        self.resource
            .argument_spans
            .get(argument)
            .unwrap_or(&self.resource.declared_at)
            .clone()
    }

    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    fn inside(&self, name: &'static str, place: String, members: &'a Object) -> Self {
        Self {
            members,
            argument: self.argument.or(Some(name)),
            place,
            ..self.clone()
        }
    }

    fn blocks(&self, name: &'static str) -> Read<Vec<Self>> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        if let Some(members) = value.as_object() {
            return Ok(vec![self.inside(name, self.place_of(name), members)]);
        }
        let elements = value
            .as_elements()
            .ok_or_else(|| self.unsuitable(name, value, "a list of objects"))?;
        let read = |(index, element)| self.element(name, index, element);
        let blocks: Vec<Read<Self>> = elements.iter().enumerate().map(read).collect();
        blocks.into_iter().collect()
    }

    fn element(&self, name: &'static str, index: usize, element: &'a Value) -> Read<Self> {
        let members = element.as_object();
        let members = members.ok_or_else(|| self.unsuitable(&format!("{name}[{index}]"), element, "an object"))?;
        Ok(self.inside(name, format!("{}[{index}]", self.place_of(name)), members))
    }

    fn convert<T: FromValue>(&self, name: &'static str, value: &Value) -> Read<T> {
        T::from_value(value).ok_or_else(|| self.unsuitable(name, value, T::EXPECTED))
    }

    /// An attribute that was not written and that AWS decides is an unknown that refers to its own resource.
    fn is_filled_in(&self, value: &Value) -> bool {
        matches!(value.as_unknown(), Some(Unknown::Attribute { of, .. }) if of == self.address())
    }
}

/// `container_definitions[0].healthCheck` as `container_definitions.healthCheck`.
fn without_indexes(place: &str) -> String {
    let mut depth = 0;
    let mut outside = |letter: &char| match letter {
        '[' => {
            depth += 1;
            false
        }
        ']' => {
            depth -= 1;
            false
        }
        _ => depth == 0,
    };
    place.chars().filter(|letter| outside(letter)).collect()
}

/// A required variable that nobody set has been reported as such.
fn is_told(value: &Value) -> bool {
    match value.as_unknown() {
        Some(Unknown::Variable(_)) => true,
        Some(Unknown::Template(parts) | Unknown::Call { arguments: parts, .. }) => parts.iter().any(is_told),
        Some(Unknown::Attribute { .. }) | None => false,
    }
}

/// A set or map with an unknown member is unknown as a whole to the provider; what it is made of is still there.
pub(crate) fn collection(value: &Value) -> &Value {
    match value.as_unknown() {
        Some(Unknown::Call {
            function: "toset" | "tolist" | "tomap",
            arguments,
        }) => arguments.first().unwrap_or(value),
        _ => value,
    }
}

fn is_managed(address: &Address) -> bool {
    address.mode == Mode::Managed
}
