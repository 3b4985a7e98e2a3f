//! The revisions of task definitions: `family:revision`, counted as ECS counts them, in a file that outlives the run.
//!
//! A definition whose content is not that of its last revision is a new one. The content itself is not written down, only its digest: values of
//! variables may be secrets. So a service can go back to the revisions of this run only.
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskDefinition.html>

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::{StateError, io_error, replace};

/// The form of the file.
const VERSION: u32 = 1;

const FILE: &str = "revisions.json";

/// The revisions of every family.
#[derive(Debug)]
pub(crate) struct Revisions {
    path: PathBuf,
    families: BTreeMap<String, Family>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Family {
    latest: u32,
    /// By the address of the resource that defines it: two may share a family.
    definitions: BTreeMap<String, Revision>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Revision {
    revision: u32,
    digest: String,
}

#[derive(Serialize)]
struct WrittenFile<'a> {
    version: u32,
    families: &'a BTreeMap<String, Family>,
}

#[derive(Deserialize)]
struct ReadFile {
    version: u32,
    families: BTreeMap<String, Family>,
}

impl Revisions {
    /// Reads the file of a state directory. One that cannot be understood is set aside, and the note says so: the count begins anew.
    pub(crate) fn read(state_directory: &Path) -> Result<(Self, Option<String>), StateError> {
        let path = state_directory.join(FILE);
        let (families, note) = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => (BTreeMap::new(), None),
            Err(error) => return Err(io_error("read", &path)(error)),
            Ok(text) => match understand(&text) {
                Ok(families) => (families, None),
                Err(problem) => (BTreeMap::new(), Some(set_aside(&path, &problem)?)),
            },
        };
        Ok((Self { path, families }, note))
    }

    /// The revision of a definition with this content: its last one where nothing has changed, else the family's next.
    pub(crate) fn number(&mut self, family: &str, address: &str, digest: &str) -> u32 {
        let family = self.families.entry(family.to_owned()).or_default();
        if let Some(known) = family.definitions.get(address).filter(|known| known.digest == digest) {
            return known.revision;
        }
        family.latest = family.latest.saturating_add(1);
        let revision = Revision {
            revision: family.latest,
            digest: digest.to_owned(),
        };
        family.definitions.insert(address.to_owned(), revision);
        family.latest
    }

    /// Writes them down.
    pub(crate) fn write(&self) -> Result<(), StateError> {
        let file = WrittenFile {
            version: VERSION,
            families: &self.families,
        };
        let text = serde_json::to_vec_pretty(&file).expect("names and numbers are JSON");
        replace(&self.path, &text).map_err(io_error("write", &self.path))
    }
}

fn understand(text: &[u8]) -> Result<BTreeMap<String, Family>, String> {
    let file: ReadFile = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match file.version {
        VERSION => Ok(file.families),
        other => Err(format!("its form is {other}, here it is {VERSION}")),
    }
}

fn set_aside(path: &Path, problem: &str) -> Result<String, StateError> {
    let aside = path.with_extension("json.broken");
    fs::rename(path, &aside).map_err(io_error("set aside", path))?;
    Ok(format!(
        "{} could not be understood ({problem}) and is {} now: revisions are counted from 1 again",
        path.display(),
        aside.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(directory: &Path) -> Revisions {
        let (revisions, note) = Revisions::read(directory).unwrap();
        assert_eq!(note, None);
        revisions
    }

    #[test]
    fn a_changed_definition_is_the_next_revision_of_its_family_also_in_the_next_run() {
        let directory = tempfile::tempdir().unwrap();
        let mut revisions = read(directory.path());
        assert_eq!(revisions.number("hello", "a", "one"), 1);
        assert_eq!(revisions.number("hello", "a", "one"), 1);
        assert_eq!(revisions.number("hello", "a", "two"), 2);
        assert_eq!(revisions.number("other", "b", "one"), 1);
        revisions.write().unwrap();
        let mut revisions = read(directory.path());
        assert_eq!(revisions.number("hello", "a", "two"), 2);
        assert_eq!(revisions.number("hello", "a", "one"), 3, "what comes back is new");
    }

    #[test]
    fn two_definitions_of_one_family_share_the_count() {
        let directory = tempfile::tempdir().unwrap();
        let mut revisions = read(directory.path());
        let numbers = |revisions: &mut Revisions| ["a", "b"].map(|address| revisions.number("hello", address, address));
        assert_eq!(numbers(&mut revisions), [1, 2]);
        assert_eq!(numbers(&mut revisions), [1, 2]);
    }

    #[test]
    fn a_broken_file_is_set_aside_and_told() {
        for text in [
            "",
            "{",
            "[]",
            "{\"version\":2,\"families\":{}}",
            "{\"version\":1}",
            "\u{0}\u{ff}",
        ] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(FILE), text).unwrap();
            let (mut revisions, note) = Revisions::read(directory.path()).unwrap();
            assert!(note.unwrap().contains("revisions.json.broken"));
            assert_eq!(
                fs::read_to_string(directory.path().join("revisions.json.broken")).unwrap(),
                text
            );
            assert_eq!(revisions.number("hello", "a", "one"), 1);
            revisions.write().unwrap();
            read(directory.path());
        }
    }
}
