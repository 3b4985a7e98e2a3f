//! What was typed, settled: flags, environment and defaults folded into plain values.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// The directory of a stack.
#[derive(Debug, Clone)]
pub(crate) struct StackDirectory {
    path: PathBuf,
}

/// Which stack, for commands whose arguments are services.
#[derive(Debug, Args)]
pub(crate) struct DirectoryArgument {
    /// The directory of the .tf files [default: ./terraform where that exists, else .]
    #[arg(long, env = "KARMA_DIR")]
    dir: Option<PathBuf>,
}

impl DirectoryArgument {
    pub(crate) fn resolve(&self) -> Result<StackDirectory, Failure> {
        StackDirectory::resolve(self.dir.as_deref())
    }
}

impl StackDirectory {
    /// The directory that was named, else `./terraform` where that exists, else `.`.
    pub(crate) fn resolve(named: Option<&Path>) -> Result<Self, Failure> {
        let path = match named {
            Some(path) => path.to_owned(),
            None if Path::new("terraform").is_dir() => PathBuf::from("terraform"),
            None => PathBuf::from("."),
        };
        if path.is_dir() {
            return Ok(Self { path });
        }
        Err(Failure::unable(format!("`{}` is not a directory", path.display()))
            .hint("name the directory that holds your .tf files: karma plan DIR"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a running fleet keeps its pid, socket and logs.
    pub(crate) fn state(&self) -> PathBuf {
        self.path.join(".karma")
    }

    /// A file of the stack as a person would type it from here.
    pub(crate) fn display_file(&self, file: &str) -> String {
        let path = self.path.join(file);
        path.strip_prefix(".").unwrap_or(&path).display().to_string()
    }
}
