//! [`Digests`]: which image each task runs, in the file beside the stack that Terraform reads them from.
//!
//! ```json
//! { "image_digests": { "validator": "sha256:…" } }
//! ```
//! Terraform stays the only owner of the task definition: the digests are values of one of its variables, and the file is meant to be committed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use karma_fleet::Fleet;
use karma_terraform::{Address, InstanceKey, Stack};
use serde_json::{Map, Value as Json};

use crate::failure::Failure;
use crate::replace;
use crate::settings::StackDirectory;
use crate::variables::VariableArguments;

/// Terraform reads it on its own.
/// <https://developer.hashicorp.com/terraform/language/values/variables#variable-definitions-tfvars-files>
const FILE_NAME: &str = "images.auto.tfvars.json";

/// The stack's variable: digests by the keys of its repositories.
const VARIABLE: &str = "image_digests";

/// What the variable calls the image of each repository: `karmacadabra/validator` is `validator`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageKeys {
    by_repository: BTreeMap<String, String>,
}

/// The file with the digests.
#[derive(Debug, Clone)]
pub(crate) struct Digests {
    path: PathBuf,
    /// The whole of it: it may hold other variables.
    variables: Map<String, Json>,
    text: Option<String>,
}

/// Whether the file had to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Changed,
    Unchanged,
}

impl ImageKeys {
    /// The keys of a stack's repositories: that of `for_each`, else the last part of the name. A stack that has no such variable, or gets its value
    /// from elsewhere, cannot be told which images to run.
    pub(crate) fn of(stack: &Stack, fleet: &Fleet, given: &VariableArguments) -> Result<Self, Failure> {
        if given.names(VARIABLE) {
            return Err(
                Failure::unable(format!("--var {VARIABLE} would hide the digests of the images"))
                    .hint("leave it out, or leave the images as they are: --skip-images"),
            );
        }
        if !stack.variables.contains_key(VARIABLE) {
            return Err(Failure::unable(format!("the stack has no variable `{VARIABLE}`, so it cannot be told which images to run"))
                .hint(format!("variable \"{VARIABLE}\" {{ type = map(string), default = {{}} }}, and in the containers image = \"${{repository_url}}@${{var.{VARIABLE}[key]}}\""))
                .hint("or leave the images as they are: --skip-images"));
        }
        Self::from_repositories(
            fleet
                .repositories
                .iter()
                .map(|(address, repository)| (address, repository.name.as_str())),
        )
    }

    fn from_repositories<'a>(repositories: impl Iterator<Item = (&'a Address, &'a str)>) -> Result<Self, Failure> {
        let mut by_repository = BTreeMap::new();
        for (address, name) in repositories {
            let key = key(address, name);
            if by_repository.values().any(|known| *known == key) {
                return Err(Failure::unable(format!(
                    "two repositories of the stack would both be `{key}` in {VARIABLE}"
                ))
                .hint("make them with for_each, so that each has a key of its own"));
            }
            by_repository.insert(name.to_owned(), key);
        }
        Ok(Self { by_repository })
    }

    #[cfg(test)]
    pub(super) fn for_tests(keys: &[(&str, &str)]) -> Self {
        let by_repository = keys
            .iter()
            .map(|(repository, key)| ((*repository).to_owned(), (*key).to_owned()));
        Self {
            by_repository: by_repository.collect(),
        }
    }

    /// The key of a repository.
    pub(crate) fn key(&self, repository: &str) -> Option<&str> {
        self.by_repository.get(repository).map(String::as_str)
    }

    /// The repositories' names.
    pub(crate) fn repositories(&self) -> impl Iterator<Item = &str> {
        self.by_repository.keys().map(String::as_str)
    }
}

fn key(address: &Address, name: &str) -> String {
    match &address.key {
        Some(InstanceKey::Key(key)) => key.clone(),
        Some(InstanceKey::Index(_)) | None => name.rsplit('/').next().unwrap_or(name).to_owned(),
    }
}

impl Digests {
    /// Reads the file of a stack; there need not be one yet.
    pub(crate) fn read(stack: &StackDirectory) -> Result<Self, Failure> {
        let path = stack.path().join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::caused_by(format!("cannot read {}", path.display()), &error)),
        };
        let variables = text.as_deref().map_or_else(|| Ok(Map::new()), serde_json::from_str);
        let variables = variables.map_err(|error| {
            Failure::caused_by(format!("{} is no JSON object", path.display()), &error)
                .hint("karma writes this file: mend it, or delete it and run this again")
        })?;
        Ok(Self { path, variables, text })
    }

    /// Puts back what was read, and not what was written since.
    pub(crate) fn restore(&self) -> Result<(), Failure> {
        let restored = match &self.text {
            Some(text) => replace::replace(&self.path, text),
            None => fs::remove_file(&self.path),
        };
        restored.map_err(|error| Failure::caused_by(format!("cannot write {}", self.path.display()), &error))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The digests by key, as they are.
    pub(crate) fn by_key(&self) -> BTreeMap<String, String> {
        let digests = self.variables.get(VARIABLE).and_then(Json::as_object);
        let digest = |(key, digest): (&String, &Json)| Some((key.clone(), digest.as_str()?.to_owned()));
        digests.into_iter().flatten().filter_map(digest).collect()
    }

    /// Puts these digests in place of those with the same keys. Keys that the stack no longer has go: the variable refuses them.
    pub(crate) fn write(&mut self, new: BTreeMap<String, String>, keys: &ImageKeys) -> Result<Written, Failure> {
        let mut digests = self.by_key();
        digests.retain(|key, _| keys.by_repository.values().any(|known| known == key));
        digests.extend(new);
        self.variables.insert(VARIABLE.to_owned(), Json::from_iter(digests));
        let text = serde_json::to_string_pretty(&self.variables).expect("JSON can be written") + "\n";
        if self.text.as_ref() == Some(&text) {
            return Ok(Written::Unchanged);
        }
        replace::replace(&self.path, &text)
            .map_err(|error| Failure::caused_by(format!("cannot write {}", self.path.display()), &error))?;
        self.text = Some(text);
        Ok(Written::Changed)
    }
}

#[cfg(test)]
mod tests {
    use karma_terraform::Mode;

    use super::*;

    fn address(key: Option<InstanceKey>) -> Address {
        Address {
            module: Vec::new(),
            mode: Mode::Managed,
            kind: "aws_ecr_repository".to_owned(),
            name: "agents".to_owned(),
            key,
        }
    }

    fn keys(repositories: &[(&str, Option<InstanceKey>)]) -> Result<ImageKeys, Failure> {
        let repositories: Vec<_> = repositories
            .iter()
            .map(|(name, key)| (address(key.clone()), *name))
            .collect();
        ImageKeys::from_repositories(repositories.iter().map(|(address, name)| (address, *name)))
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// What becomes of the file's text when the digests of `a` and `b` are these.
    fn check(before: Option<&str>, new: &[(&str, &str)], expected: &str, written: Written) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
        }
        let stack = StackDirectory::resolve(Some(directory.path())).unwrap();
        let named = |name: &str| Some(InstanceKey::Key(name.to_owned()));
        let keys = keys(&[("k/a", named("a")), ("k/b", named("b"))]).unwrap();
        let mut digests = Digests::read(&stack).unwrap();
        assert_eq!(digests.write(map(new), &keys).unwrap(), written);
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        assert_eq!(digests.write(map(new), &keys).unwrap(), Written::Unchanged);
        assert_eq!(Digests::read(&stack).unwrap().by_key(), digests.by_key());
    }

    const A1: &str = "{\n  \"image_digests\": {\n    \"a\": \"sha256:1\"\n  }\n}\n";

    #[test]
    fn the_file_has_what_the_variable_takes() {
        check(None, &[("a", "sha256:1")], A1, Written::Changed);
        check(Some(A1), &[("a", "sha256:1")], A1, Written::Unchanged);
        let both = "{\n  \"image_digests\": {\n    \"a\": \"sha256:1\",\n    \"b\": \"sha256:2\"\n  }\n}\n";
        check(Some(A1), &[("b", "sha256:2")], both, Written::Changed);
    }

    #[test]
    fn other_variables_stay_and_lost_agents_go() {
        check(
            Some(r#"{"image_tag":"1.0","image_digests":{"gone":"sha256:3","a":"sha256:0"}}"#),
            &[("a", "sha256:1")],
            "{\n  \"image_tag\": \"1.0\",\n  \"image_digests\": {\n    \"a\": \"sha256:1\"\n  }\n}\n",
            Written::Changed,
        );
    }

    #[test]
    fn a_file_that_is_no_json_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE_NAME), "<<<<<<< ours\n").unwrap();
        let stack = StackDirectory::resolve(Some(directory.path())).unwrap();
        let told = Digests::read(&stack).unwrap_err().render();
        assert!(told.contains("is no JSON object"), "{told}");
    }

    #[test]
    fn a_repository_has_the_key_of_its_instance_or_the_end_of_its_name() {
        let keys = keys(&[("k/a-name", Some(InstanceKey::Key("a".to_owned()))), ("k/b", None)]).unwrap();
        assert_eq!(
            (keys.key("k/a-name"), keys.key("k/b"), keys.key("k/c")),
            (Some("a"), Some("b"), None)
        );
        assert_eq!(keys.repositories().collect::<Vec<_>>(), ["k/a-name", "k/b"]);
    }

    #[test]
    fn one_key_for_two_repositories_is_refused() {
        let told = keys(&[("k/b", None), ("l/b", None)]).unwrap_err().render();
        assert!(told.contains("two repositories"), "{told}");
    }
}
