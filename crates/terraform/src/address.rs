//! Addresses of resource instances: `module.x.aws_lb.main["k"]`.

use std::fmt;

/// Which instance of a block with `count` or `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// `[0]`, from `count`.
    Index(usize),
    /// `["validator"]`, from `for_each`.
    Key(String),
}

/// `resource` or `data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A `resource` block.
    Managed,
    /// A `data` block.
    Data,
}

/// One step of a module path: `module.network["eu"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The call's name.
    pub name: String,
    /// Its instance, where the call has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// The address of one resource instance: `module.x.aws_lb.main["k"]`, `data.aws_region.current`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The modules it lives in, outermost first; empty for the root module.
    pub module: Vec<ModuleStep>,
    /// Resource or data source.
    pub mode: Mode,
    /// `aws_lb`.
    pub kind: String,
    /// `main`.
    pub name: String,
    /// The instance, where the block has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// A path to an attribute inside a resource: `arn`, `network_interface[0].id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct AttributePath(pub Vec<PathStep>);

/// One step of an [`AttributePath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep {
    /// `.name`
    Attribute(String),
    /// `[0]`
    Index(usize),
    /// `["k"]`
    Key(String),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "module.{}", step.name)?;
            step.key.iter().try_for_each(|key| write!(f, "{key}"))?;
            f.write_str(".")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if position == 0 => f.write_str(name)?,
                PathStep::Attribute(name) => write!(f, ".{name}")?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}
