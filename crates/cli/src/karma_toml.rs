//! `karma.toml`: which program is an image.
//!
//! One definition serves both ends: `karma up` starts exactly the program that an image would pack.
//!
//! ```toml
//! root = ".."                                   # what the paths below are relative to, seen from this file
//!
//! [image."karmacadabra/validator"]              # the ECR repository's name
//! build   = ["cargo", "build", "--release", "--target", "{target}"]
//! program = "target/{target}/release/karma-agent"
//! path    = "/usr/local/bin/karma-agent"        # where the image has it
//! args    = ["validator"]                       # the image's command
//! files   = { "/app/data" = "data" }            # what else the image has
//! labels  = { "org.opencontainers.image.title" = "validator" }
//! ```
//!
//! ```toml
//! [chain]                                       # for `karma up --chain`: what makes the chain ready
//! prepare = ["target/{target}/release/agent", "prepare-chain"]
//! ```
//!
//! ```toml
//! [demo]                                        # for `karma demo`: who visits the running stack, and tells what happens
//! run = ["target/{target}/release/agent", "demo"]
//! ```
//!
//! What stands in `[defaults]` holds for every image that does not say otherwise. `{target}` is a target triple: of this machine where programs
//! are run here, of the stack's CPU architecture where images are built.
//!
//! ```toml
//! [local]                                       # what a variable of the stack is where its tasks are programs of this machine
//! environment = { STORE_URL = "file://{state}/store" }
//! ```
//!
//! It changes variables that containers have, and adds none. `{state}` is the directory where a run keeps what it must remember.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;
use crate::settings::STATE_NAME;

/// The file's name, beside the .tf files.
pub(crate) const FILE_NAME: &str = "karma.toml";

/// The target triple this binary was built for, and so the one its programs are built for.
pub(crate) const TARGET: &str = env!("KARMA_TARGET");

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    root: Option<PathBuf>,
    #[serde(default)]
    defaults: Entry,
    #[serde(default)]
    image: BTreeMap<String, Entry>,
    chain: Option<Chain>,
    demo: Option<Demo>,
    #[serde(default)]
    local: Local,
}

/// What is done to a chain that `karma up --chain` has started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    prepare: Vec<String>,
}

/// Who visits the running stack.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    run: Vec<String>,
}

/// What is otherwise on this machine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Local {
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// One image as it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    build: Option<Vec<String>>,
    program: Option<String>,
    path: Option<String>,
    args: Option<Vec<String>>,
    files: Option<BTreeMap<String, PathBuf>>,
    labels: Option<BTreeMap<String, String>>,
}

/// One image, settled: every path is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// The command that builds the program; it is run in `root`.
    pub(crate) build: Option<Vec<String>>,
    /// The program on this machine.
    pub(crate) program: PathBuf,
    /// Where the image has it.
    pub(crate) path: String,
    /// The image's command.
    pub(crate) args: Vec<String>,
    /// What else the image has, by its path there.
    pub(crate) files: BTreeMap<String, PathBuf>,
    /// What the image says of itself.
    pub(crate) labels: BTreeMap<String, String>,
}

/// The images of a stack by their repositories' names.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    /// What build commands are run in.
    pub(crate) root: PathBuf,
    /// What each repository's image is.
    pub(crate) by_repository: BTreeMap<String, Image>,
    /// What variables of the stack are on this machine.
    pub(crate) environment: BTreeMap<String, String>,
    /// The command that makes a chain ready; it is run in `root`, and its program is a path below it.
    pub(crate) prepare_chain: Option<Vec<String>>,
    /// The command that visits the running stack; it is run in the same way, with the load balancer's URL as its last argument.
    pub(crate) demo: Option<Vec<String>>,
}

/// Reads the `karma.toml` of a stack, for programs that run on this machine. A stack without one has no images.
pub(crate) fn read(directory: &Path) -> Result<Images, Failure> {
    read_for(directory, TARGET)
}

/// The same for programs of another target.
pub(crate) fn read_for(directory: &Path, target: &str) -> Result<Images, Failure> {
    let path = directory.join(FILE_NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::caused_by(format!("cannot read {}", path.display()), &error)),
    };
    let base = fs::canonicalize(directory)
        .map_err(|error| Failure::caused_by(format!("cannot open {}", directory.display()), &error))?;
    parse(&text, &base, target).map_err(|message| Failure::unable(format!("{}: {message}", path.display())))
}

fn parse(text: &str, directory: &Path, target: &str) -> Result<Images, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let root = normalise(&directory.join(file.root.unwrap_or_default()));
    let images =
        file.image
            .into_iter()
            .map(|(repository, entry)| {
                let image = entry.or(&file.defaults).settle(&root, target).map_err(|missing| {
                    format!("image \"{repository}\" has no `{missing}`, and neither has [defaults]")
                })?;
                Ok((repository, image))
            })
            .collect::<Result<_, String>>()?;
    let with_target = |command: Vec<String>| -> Vec<String> {
        let words = command.iter().map(|word| word.replace("{target}", target));
        words.collect()
    };
    let state = directory.join(STATE_NAME).display().to_string();
    let environment = file.local.environment.into_iter();
    Ok(Images {
        root,
        by_repository: images,
        environment: environment
            .map(|(name, value)| (name, value.replace("{state}", &state)))
            .collect(),
        prepare_chain: file.chain.map(|chain| with_target(chain.prepare)),
        demo: file.demo.map(|demo| with_target(demo.run)),
    })
}

impl Entry {
    fn or(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        Self {
            build: self.build.or(defaults.build),
            program: self.program.or(defaults.program),
            path: self.path.or(defaults.path),
            args: self.args.or(defaults.args),
            files: self.files.or(defaults.files),
            labels: self.labels.or(defaults.labels),
        }
    }

    /// `Err` is the name of a key that is missing.
    fn settle(self, root: &Path, target: &str) -> Result<Image, &'static str> {
        let fill_in = |text: &str| text.replace("{target}", target);
        Ok(Image {
            build: self.build.map(|words| words.iter().map(|word| fill_in(word)).collect()),
            program: root.join(fill_in(&self.program.ok_or("program")?)),
            path: self.path.ok_or("path")?,
            args: self.args.unwrap_or_default(),
            files: self
                .files
                .unwrap_or_default()
                .into_iter()
                .map(|(path, local)| (path, root.join(local)))
                .collect(),
            labels: self.labels.unwrap_or_default(),
        })
    }
}

/// `a/b/..` as `a`, without asking the disk: the directory before it is already canonical.
fn normalise(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"
        root = ".."
        [defaults]
        build = ["cargo", "build", "--target", "{target}"]
        program = "target/{target}/agent"
        path = "/bin/agent"
        [image."k/a"]
        args = ["a"]
        files = { "/app/data" = "data" }
        [image."k/b"]
        program = "b"
    "#;

    #[test]
    fn an_entry_takes_from_the_defaults_what_it_does_not_say() {
        let images = parse(TWO, Path::new("/r/terraform"), "t-t").unwrap();
        assert_eq!(images.root, Path::new("/r"));
        let a = &images.by_repository["k/a"];
        assert_eq!(a.program, Path::new("/r/target/t-t/agent"));
        assert_eq!(a.build.as_deref().unwrap()[3], "t-t");
        assert_eq!(a.args, ["a"]);
        assert_eq!(a.files["/app/data"], Path::new("/r/data"));
        assert_eq!(images.by_repository["k/b"].program, Path::new("/r/b"));
    }

    #[test]
    fn commands_are_programs_of_this_machine() {
        let text = "[chain]\nprepare = [\"{target}/a\", \"x\"]\n[demo]\nrun = [\"{target}/a\", \"y\"]";
        let images = parse(text, Path::new("/r"), "t-t").unwrap();
        assert_eq!(images.prepare_chain.unwrap(), ["t-t/a", "x"]);
        assert_eq!(images.demo.unwrap(), ["t-t/a", "y"]);
    }

    #[test]
    fn a_variable_of_this_machine_may_lie_in_its_state() {
        let local = "[local]\nenvironment = { STORE_URL = \"file://{state}/store\", MODE = \"x\" }";
        let images = parse(local, Path::new("/r/terraform"), "t-t").unwrap();
        assert_eq!(images.environment["STORE_URL"], "file:///r/terraform/.karma/store");
        assert_eq!(images.environment["MODE"], "x");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = parse("[image.\"k/a\"]\npath = \"/a\"", Path::new("/r"), TARGET).unwrap_err();
        assert_eq!(error, "image \"k/a\" has no `program`, and neither has [defaults]");
    }

    #[test]
    fn a_misspelt_key_is_shown_where_it_stands() {
        let error = parse("[image.a]\nprogramm = \"x\"", Path::new("/r"), TARGET).unwrap_err();
        assert!(error.contains("line 2") && error.contains("programm"), "{error}");
    }
}
