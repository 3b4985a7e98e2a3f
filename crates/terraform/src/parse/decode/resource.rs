//! `resource`, `data` and `module` blocks, and the arguments Terraform itself gives them.

use hcl_edit::expr::{Expression as Syntax, ObjectKey, TraversalOperator};

use super::{
    BTreeMap, Block, Body, Config, Diagnostic, Diagnostics, Entry, Expression, Mode, ResourceKey, Sources, Span,
    duplicate, implied_provider, literal, required, rules, shape,
};
use crate::module::{Argument, Call, Repeat, Resource};
use crate::parse::join;

pub(super) fn resource(config: &mut Config, mode: Mode, mut block: Block, diagnostics: &mut Diagnostics) {
    let Some([kind, name]) = shape::labels(&block, ["type", "name"], diagnostics) else {
        return;
    };
    let lifecycle = lifecycle(&mut block.body, diagnostics);
    let provider = block
        .body
        .take("provider")
        .and_then(|argument| provider_name(&argument.value, diagnostics));
    // Never run, so not even read.
    block.body.take_blocks("provisioner");
    block.body.take_blocks("connection");
    let resource = Resource {
        declared_at: block.header.clone(),
        repetition: repetition(&mut block.body, diagnostics),
        provider: provider.unwrap_or_else(|| implied_provider(&kind).to_owned()),
        depends_on: depends_on(&mut block.body, diagnostics),
        preconditions: lifecycle.preconditions,
        postconditions: lifecycle.postconditions,
        body: block.body,
    };
    match config.resources.entry(ResourceKey { mode, kind, name }) {
        Entry::Vacant(place) => drop(place.insert(resource)),
        Entry::Occupied(existing) => {
            let key = existing.key();
            let what = format!("A {} named \"{}\"", key.kind, key.name);
            let summary = match mode {
                Mode::Managed => "Duplicate resource configuration",
                Mode::Data => "Duplicate data configuration",
            };
            diagnostics.push(duplicate(summary, &what, &existing.get().declared_at, &block.header));
        }
    }
}

pub(super) fn call(config: &mut Config, sources: &Sources, mut block: Block, diagnostics: &mut Diagnostics) {
    let Some([name]) = shape::labels(&block, ["name"], diagnostics) else {
        return;
    };
    for nested in &block.body.blocks {
        diagnostics.push(shape::unsupported_block(&nested.kind, []).at(&nested.header));
    }
    let body = &mut block.body;
    body.take("version");
    let source = required(body, "source", &block.header, diagnostics);
    let call = Call {
        declared_at: block.header.clone(),
        directory: source.and_then(|source| called_directory(&source, &config.directory, sources, diagnostics)),
        repetition: repetition(body, diagnostics),
        depends_on: depends_on(body, diagnostics),
        providers: body
            .take("providers")
            .map(|argument| provider_map(&argument, diagnostics))
            .unwrap_or_default(),
        arguments: std::mem::take(&mut body.arguments)
            .into_iter()
            .map(|argument| (argument.name.clone(), argument))
            .collect(),
    };
    match config.calls.entry(name) {
        Entry::Vacant(place) => drop(place.insert(call)),
        Entry::Occupied(existing) => {
            let what = format!("A module call named \"{}\"", existing.key());
            let earlier = &existing.get().declared_at;
            diagnostics.push(duplicate("Duplicate module call", &what, earlier, &block.header));
        }
    }
}

/// Takes `depends_on`, which lists references.
pub(super) fn depends_on(body: &mut Body, diagnostics: &mut Diagnostics) -> Vec<Expression> {
    let Some(argument) = body.take("depends_on") else {
        return Vec::new();
    };
    let Syntax::Array(elements) = argument.value.syntax else {
        let detail = "A list of references is required, such as [aws_iam_role_policy.example].";
        diagnostics.push(Diagnostic::error(
            "Invalid depends_on argument",
            detail,
            argument.value.span(),
        ));
        return Vec::new();
    };
    let file = argument.value.file;
    elements
        .into_iter()
        .map(|syntax| Expression {
            file: file.clone(),
            syntax,
        })
        .collect()
}

#[derive(Default)]
struct Lifecycle {
    preconditions: Vec<crate::module::Rule>,
    postconditions: Vec<crate::module::Rule>,
}

/// Of `lifecycle` only the conditions matter to a first plan.
fn lifecycle(body: &mut Body, diagnostics: &mut Diagnostics) -> Lifecycle {
    let mut lifecycle = Lifecycle::default();
    for (position, mut block) in body.take_blocks("lifecycle").into_iter().enumerate() {
        if position > 0 {
            let detail = "A lifecycle block was already written for this resource.";
            diagnostics.push(Diagnostic::error(
                "Duplicate lifecycle block",
                detail,
                block.header.clone(),
            ));
        }
        shape::check(&block.body, &shape::LIFECYCLE, diagnostics);
        lifecycle
            .preconditions
            .extend(rules(&mut block.body, "precondition", diagnostics));
        lifecycle
            .postconditions
            .extend(rules(&mut block.body, "postcondition", diagnostics));
    }
    lifecycle
}

fn repetition(body: &mut Body, diagnostics: &mut Diagnostics) -> Repeat {
    match (body.take("count"), body.take("for_each")) {
        (Some(_), Some(for_each)) => {
            let detail = "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.";
            diagnostics.push(Diagnostic::error(
                "Invalid combination of \"count\" and \"for_each\"",
                detail,
                for_each.name_span,
            ));
            Repeat::ForEach(for_each.value)
        }
        (Some(count), None) => Repeat::Count(count.value),
        (None, Some(for_each)) => Repeat::ForEach(for_each.value),
        (None, None) => Repeat::Once,
    }
}

/// `aws.west` as it is written in `provider = aws.west`.
fn provider_name(expression: &Expression, diagnostics: &mut Diagnostics) -> Option<String> {
    let name = match &expression.syntax {
        Syntax::Variable(name) => Some(name.to_string()),
        Syntax::String(name) => Some(name.to_string()),
        Syntax::Traversal(traversal) => match (&traversal.expr, traversal.operators.as_slice()) {
            (Syntax::Variable(name), [operator]) => match operator.value() {
                TraversalOperator::GetAttr(alias) => Some(format!("{}.{}", name.as_str(), alias.as_str())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    if name.is_none() {
        let detail = "A provider is named by its local name or by name and alias: aws or aws.west.";
        diagnostics.push(Diagnostic::error(
            "Invalid provider configuration reference",
            detail,
            expression.span(),
        ));
    }
    name
}

fn provider_map(argument: &Argument, diagnostics: &mut Diagnostics) -> BTreeMap<String, String> {
    let Syntax::Object(entries) = &argument.value.syntax else {
        let detail = "A map of providers is required: { aws = aws.west }.";
        diagnostics.push(Diagnostic::error(
            "Invalid providers argument",
            detail,
            argument.value.span(),
        ));
        return BTreeMap::new();
    };
    let named = |syntax: &Syntax, diagnostics: &mut Diagnostics| {
        provider_name(
            &Expression {
                file: argument.value.file.clone(),
                syntax: syntax.clone(),
            },
            diagnostics,
        )
    };
    let mut providers = BTreeMap::new();
    for (key, value) in entries {
        let inner = match key {
            ObjectKey::Ident(name) => Some(name.to_string()),
            ObjectKey::Expression(expression) => named(expression, diagnostics),
        };
        let outer = named(value.expr(), diagnostics);
        providers.extend(inner.zip(outer));
    }
    providers
}

/// The directory of a local module, if its files are there.
fn called_directory(source: &Argument, from: &str, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<String> {
    let path = literal(&source.value, diagnostics)?;
    let span: Span = source.value.span();
    if !path.starts_with("./") && !path.starts_with("../") {
        let detail = format!(
            "The module source \"{path}\" is not a local path. Modules from registries and repositories cannot be read offline."
        );
        diagnostics.push(
            Diagnostic::error("Unsupported module source", detail, span)
                .with_help("Copy the module beside the stack and refer to it as \"./name\" or \"../name\"."),
        );
        return None;
    }
    let directory = join(from, &path);
    let found = super::super::files_in(sources, &directory).next().is_some();
    if !found {
        let detail = format!("The directory \"{path}\" has no Terraform files, or does not exist.");
        diagnostics.push(Diagnostic::error("Unreadable module directory", detail, span));
    }
    found.then_some(directory)
}
