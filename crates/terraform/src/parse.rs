//! From texts to a [`Module`]: every file of the root directory and of the local modules it calls.

mod decode;
mod overrides;
pub(crate) mod shape;
pub(crate) mod syntax;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::module::{Block, Call, Config, File, Module};
use crate::{Diagnostic, Diagnostics, Sources};

/// Parses the root module and every local module it calls.
///
/// What cannot be parsed is reported and left out; everything else is in the module. Overriding files (`override.tf`, `*_override.tf`) are
/// merged as in <https://developer.hashicorp.com/terraform/language/files/override>.
pub fn parse(sources: &Sources) -> (Module, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let mut module = Module {
        sources: sources.clone(),
        configs: BTreeMap::new(),
    };
    let mut waiting = vec![String::new()];
    while let Some(directory) = waiting.pop() {
        let config = parse_directory(sources, &directory, &mut diagnostics);
        waiting.extend(called_directories(&config).filter(|called| !module.configs.contains_key(called)));
        module.configs.insert(directory, config);
    }
    (module, diagnostics)
}

/// The directory a path leads to from another one, both relative to the root module, as the keys of [`Sources`] spell it.
pub(crate) fn join(directory: &str, path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in directory.split('/').chain(path.split('/')) {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn called_directories(config: &Config) -> impl Iterator<Item = String> {
    config.calls.values().filter_map(|call: &Call| call.directory.clone())
}

fn parse_directory(sources: &Sources, directory: &str, diagnostics: &mut Diagnostics) -> Config {
    let mut config = Config {
        directory: directory.to_owned(),
        ..Config::default()
    };
    let mut primary = Vec::new();
    let mut overriding = Vec::new();
    for (path, text) in files_in(sources, directory) {
        let blocks = if is_override(&path) {
            &mut overriding
        } else {
            &mut primary
        };
        match parse_file(path, text) {
            Ok(parsed) => blocks.extend(top_level(parsed, diagnostics)),
            Err(diagnostic) => {
                config.incomplete = true;
                diagnostics.push(diagnostic);
            }
        }
    }
    overrides::merge(&mut primary, overriding, diagnostics);
    decode::fill(&mut config, sources, primary, diagnostics);
    config
}

/// The Terraform files of one directory, not of those below it.
fn files_in<'a>(sources: &'a Sources, directory: &'a str) -> impl Iterator<Item = (Arc<str>, Arc<str>)> + 'a {
    sources.shared().filter(move |(path, _)| {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        parent == directory && is_terraform(name)
    })
}

/// Terraform looks at the ending as it is written and passes over hidden files.
fn is_terraform(name: &str) -> bool {
    let stem = name.strip_suffix(".tf").or_else(|| name.strip_suffix(".tf.json"));
    stem.is_some() && !name.starts_with('.')
}

fn is_override(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "override.tf" || name.ends_with("_override.tf")
}

fn parse_file(path: Arc<str>, text: Arc<str>) -> Result<crate::module::Body, Diagnostic> {
    if path.ends_with(".json") {
        let detail =
            format!("The file {path} is written in JSON syntax, which is not read: only Terraform's native syntax is.");
        let span = File { path, text }.span(0..0);
        return Err(Diagnostic::error("JSON configuration is not supported", detail, span)
            .with_help("Rewrite the file in native syntax with the ending .tf."));
    }
    syntax::parse(&Arc::new(File { path, text }))
}

/// Only blocks may stand at the top of a file.
fn top_level(body: crate::module::Body, diagnostics: &mut Diagnostics) -> Vec<Block> {
    for argument in body.arguments {
        let detail = format!("An argument named \"{}\" is not expected here.", argument.name);
        diagnostics.push(
            Diagnostic::error("Unsupported argument", detail, argument.name_span)
                .with_help("Values that several blocks share are written in a `locals` block."),
        );
    }
    body.blocks
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn joins_paths_as_sources_spell_them() {
        assert_eq!(join("", "./modules/a"), "modules/a");
        assert_eq!(join("modules/a", "../b"), "modules/b");
        assert_eq!(join("", "../x"), "../x");
        assert_eq!(join("../x", "../y"), "../y");
        assert_eq!(join("a", ".."), "");
    }
}
