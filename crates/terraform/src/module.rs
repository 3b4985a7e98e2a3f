//! A parsed module: its blocks, decoded as far as they can be without evaluating anything.
//!
//! The block types are those of <https://developer.hashicorp.com/terraform/language/syntax/configuration>.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression as Syntax;

use crate::settings::Settings;
use crate::types::Type;
use crate::{Address, Mode, ModuleStep, Sources, Span, Value};

/// A root module and every local module it calls, parsed.
#[derive(Debug, Clone, Default)]
pub struct Module {
    /// The texts it came from: functions such as `file` read them.
    pub(crate) sources: Sources,
    /// The modules by directory, relative to the root module, which is `""`.
    pub(crate) configs: BTreeMap<String, Config>,
}

/// The blocks of one module directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub(crate) directory: String,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) locals: BTreeMap<String, Argument>,
    pub(crate) resources: BTreeMap<ResourceKey, Resource>,
    pub(crate) calls: BTreeMap<String, Call>,
    pub(crate) outputs: BTreeMap<String, OutputBlock>,
    /// By name (`aws`) or name and alias (`aws.west`).
    pub(crate) providers: BTreeMap<String, ProviderBlock>,
    pub(crate) settings: Settings,
    /// A file could not be read: what seems undeclared may stand in it.
    pub(crate) incomplete: bool,
}

/// What a resource is called inside its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceKey {
    pub(crate) mode: Mode,
    pub(crate) kind: String,
    pub(crate) name: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) declared_at: Span,
    pub(crate) description: Option<String>,
    pub(crate) written: Written,
    pub(crate) ty: Type,
    pub(crate) default: Option<Value>,
    pub(crate) notation: Notation,
    pub(crate) nullable: Nullable,
    pub(crate) sensitive: bool,
    pub(crate) validations: Vec<Rule>,
}

/// Type and default of a variable, before anything was made of them.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) ty: Option<Expression>,
    pub(crate) default: Option<Expression>,
}

/// How a value on the command line or in the environment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    /// As it is, for strings, numbers, truth values and variables without a type.
    Literal,
    /// As an expression of the language.
    Expression,
}

/// Whether `null` is a value of a variable or stands for its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nullable {
    Yes,
    No,
}

/// A condition with the message for when it does not hold: `validation`, `precondition`, `postcondition`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) condition: Expression,
    pub(crate) error_message: Expression,
}

#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) declared_at: Span,
    pub(crate) repetition: Repeat,
    /// `aws` or `aws.west`.
    pub(crate) provider: String,
    pub(crate) depends_on: Vec<Expression>,
    pub(crate) preconditions: Vec<Rule>,
    pub(crate) postconditions: Vec<Rule>,
    /// What the resource's own schema speaks of.
    pub(crate) body: Body,
}

/// A `module` block.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) declared_at: Span,
    /// The directory of the called module; `None` where it could not be found.
    pub(crate) directory: Option<String>,
    pub(crate) repetition: Repeat,
    pub(crate) depends_on: Vec<Expression>,
    pub(crate) arguments: BTreeMap<String, Argument>,
    /// What the child calls a provider, and what it is called here.
    pub(crate) providers: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct OutputBlock {
    pub(crate) declared_at: Span,
    pub(crate) description: Option<String>,
    pub(crate) value: Expression,
    pub(crate) sensitive: bool,
    pub(crate) preconditions: Vec<Rule>,
    pub(crate) depends_on: Vec<Expression>,
}

#[derive(Debug, Clone)]
pub(crate) struct ProviderBlock {
    pub(crate) body: Body,
}

/// How often a block stands for.
#[derive(Debug, Clone)]
pub(crate) enum Repeat {
    Once,
    Count(Expression),
    ForEach(Expression),
}

/// One source file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) path: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// An expression and the file it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) file: Arc<File>,
    pub(crate) syntax: Syntax,
}

/// The inside of a block.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) span: Span,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) blocks: Vec<Block>,
}

/// `name = value`
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) value: Expression,
}

/// `kind "label" { ... }`
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) labels: Vec<Label>,
    /// The line that opens it, labels included.
    pub(crate) header: Span,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) span: Span,
}

impl Module {
    /// The root module's blocks.
    pub(crate) fn root(&self) -> Option<&Config> {
        self.configs.get("")
    }
}

impl ResourceKey {
    /// The address of an instance, in the module instance of that path.
    pub(crate) fn address(&self, module: &[ModuleStep], key: Option<crate::InstanceKey>) -> Address {
        Address {
            module: module.to_vec(),
            mode: self.mode,
            kind: self.kind.clone(),
            name: self.name.clone(),
            key,
        }
    }
}

impl File {
    /// A place in this file.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        Span {
            file: Arc::clone(&self.path),
            start: range.start,
            end: range.end,
        }
    }

    /// The text of a place in this file.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

impl Expression {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        self.file.span(range_of(&self.syntax))
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        self.file.slice(range_of(&self.syntax))
    }
}

impl Body {
    /// The argument of that name.
    pub(crate) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// Takes the argument of that name out of the body.
    pub(crate) fn take(&mut self, name: &str) -> Option<Argument> {
        let position = self.arguments.iter().position(|argument| argument.name == name)?;
        Some(self.arguments.remove(position))
    }

    /// Takes all blocks of that kind out of the body.
    pub(crate) fn take_blocks(&mut self, kind: &str) -> Vec<Block> {
        let (taken, kept) = std::mem::take(&mut self.blocks)
            .into_iter()
            .partition(|block| block.kind == kind);
        self.blocks = kept;
        taken
    }
}

/// Where an expression stands in its file.
pub(crate) fn range_of(syntax: &Syntax) -> Range<usize> {
    syntax.span().unwrap_or_default()
}
