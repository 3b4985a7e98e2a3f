//! Asks cargo and git where a program comes from.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo;
use crate::digest::Digest;
use crate::recipe::Origin;

/// Why it cannot be said what a program is made of.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// cargo was not found.
    #[error("cannot run cargo")]
    NoCargo(#[source] io::Error),
    /// It refused to say which packages it links.
    #[error("`cargo {arguments}` failed: {said}")]
    Refused {
        /// What it was asked.
        arguments: String,
        /// What it said.
        said: String,
    },
    /// The lock file cannot be read.
    #[error("cannot read {}", .path.display())]
    LockFile {
        /// Where it lies.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The lock file is not one of cargo's.
    #[error("{} is not a lock file of cargo", .path.display())]
    NotALockFile {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
}

impl Origin {
    /// Where a program comes from that this command built in this directory: its packages where the command is a `cargo build`, and the
    /// commit of its source where nothing in the directory differs from that.
    pub fn of_build(build: Option<&[String]>, directory: &Path) -> Result<Self, OriginError> {
        let mut origin = Self {
            build: build.map(<[String]>::to_vec),
            commit: commit(directory),
            ..Self::default()
        };
        if let Some(arguments) = build.and_then(cargo::tree_arguments) {
            let lock_file = lock_file(directory)?;
            let checksums = lock_file
                .as_ref()
                .map(|(path, text)| checksums(path, text))
                .transpose()?;
            let tree = tree(&arguments, directory)?;
            origin.lock_file = lock_file.map(|(_, text)| Digest::of(text.as_bytes()));
            origin.packages = cargo::packages(&tree, &checksums.unwrap_or_default());
        }
        Ok(origin)
    }
}

type Checksums = std::collections::BTreeMap<(String, String), Digest>;

fn checksums(path: &Path, text: &str) -> Result<Checksums, OriginError> {
    cargo::checksums(text).map_err(|error| OriginError::NotALockFile {
        path: path.to_owned(),
        source: Box::new(error),
    })
}

/// The lock file that cargo takes in a directory: the workspace's, which lies there or above.
fn lock_file(directory: &Path) -> Result<Option<(PathBuf, String)>, OriginError> {
    let mut candidates = directory.ancestors().map(|above| above.join("Cargo.lock"));
    let Some(path) = candidates.find(|path| path.is_file()) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(OriginError::LockFile { path, source }),
    }
}

fn tree(arguments: &[String], directory: &Path) -> Result<String, OriginError> {
    let answer = Command::new("cargo")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(OriginError::NoCargo)?;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    Err(OriginError::Refused {
        arguments: arguments.join(" "),
        said: String::from_utf8_lossy(&answer.stderr).trim().to_owned(),
    })
}

/// The commit that a directory is at, if it is in a git repository and exactly as that commit has it.
fn commit(directory: &Path) -> Option<String> {
    let differs = git(directory, &["status", "--porcelain", "--", "."])?;
    let commit = git(directory, &["rev-parse", "HEAD"])?;
    differs.is_empty().then_some(commit)
}

fn git(directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(directory).stdin(Stdio::null());
    let answer = command.output().ok().filter(|answer| answer.status.success())?;
    Some(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cargo_build_of_this_package_lists_what_it_links() {
        let build = ["cargo", "build", "--release", "-p", "karma-image", "--offline"].map(str::to_owned);
        let origin = Origin::of_build(Some(&build), Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let names: Vec<_> = origin.packages.iter().map(|package| package.name.as_str()).collect();
        assert!(names.contains(&"tar") && names.contains(&"karma-image"), "{names:?}");
        assert!(
            !names.contains(&"proptest") && !names.contains(&"serde_derive"),
            "{names:?}"
        );
        let tar = origin.packages.iter().find(|package| package.name == "tar").unwrap();
        assert!(
            tar.checksum.is_some() && tar.licence.as_deref() == Some("MIT OR Apache-2.0"),
            "{tar:?}"
        );
        assert!(origin.lock_file.is_some());
    }

    #[test]
    fn another_build_has_no_packages_and_a_directory_without_git_no_commit() {
        let directory = tempfile::tempdir().unwrap();
        let build = ["make".to_owned()];
        let expected = Origin {
            build: Some(build.to_vec()),
            ..Origin::default()
        };
        assert_eq!(Origin::of_build(Some(&build), directory.path()).unwrap(), expected);
    }
}
