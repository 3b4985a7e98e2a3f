//! What goes into an image.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::platform::Platform;

/// What makes an image. What is not in here is not in the image either: no shell, no package manager, nothing of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The program on this machine: a static executable.
    pub program: PathBuf,
    /// Where the image has it: the image's entry point.
    pub path: String,
    /// The program's arguments: the image's command.
    pub args: Vec<String>,
    /// What else the image has, files and directories, by their paths there.
    pub files: BTreeMap<String, PathBuf>,
    /// What it runs on.
    pub platform: Platform,
    /// <https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys>
    pub labels: BTreeMap<String, String>,
    /// The instant that the image says it was made at. It goes into the digest, so it has to be the same each time:
    /// <https://reproducible-builds.org/docs/source-date-epoch/>.
    pub created: Timestamp,
    /// Where the program comes from. It is attached to the image and takes no part in its digest.
    pub origin: Origin,
}

/// Where a program comes from, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The command that built it.
    pub build: Option<Vec<String>>,
    /// The commit of its source, where the source is exactly that commit's.
    pub commit: Option<String>,
    /// The lock file that the build took its packages from.
    pub lock_file: Option<Digest>,
    /// What is linked into it.
    pub packages: Vec<Package>,
}

/// A package that is linked into a program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// `serde`
    pub name: String,
    /// `1.0.228`
    pub version: String,
    /// As its author writes it: `MIT OR Apache-2.0`.
    pub licence: Option<String>,
    /// The digest of its archive, where it comes from a registry.
    pub checksum: Option<Digest>,
}
