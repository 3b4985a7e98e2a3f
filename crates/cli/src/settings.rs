//! What was typed, settled: flags, environment and defaults folded into plain values.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;

/// What can be said once for every command, instead of by a flag each time; `karma --help` shows it.
pub(crate) const VARIABLES: &str = "\
Environment variables, each in place of a flag, which is stronger:
  KARMA_ACCOUNT_ID  the AWS account that the stack is evaluated for
  KARMA_CHAIN       `karma up` starts a chain of its own
  KARMA_COLOR       when to colour the output: auto, always, never
  KARMA_DATA        a file of values for data sources
  KARMA_DETACH      `karma up` leaves the fleet running
  KARMA_DIR         the directory of the .tf files
  KARMA_JSON        print the answer as JSON
  KARMA_ON          which fleet is meant: local, aws
  KARMA_PORT        the port of the first HTTP listener
  KARMA_PRICES      the prices that `karma prices refresh -o FILE` wrote
  KARMA_QUIET       say nothing but the answer and errors
  KARMA_REGION      the region whose prices `karma cost` takes
  KARMA_RESOLVE     hosts that are elsewhere: HOST:PORT:ADDRESS:PORT,...
  KARMA_RUNNER      what tasks are made of: process, container
  KARMA_SPEED       how many times as fast the control loops' time passes
  KARMA_STRICT      `karma up` refuses what has no effect here
  KARMA_TERRAFORM_BIN  Terraform or OpenTofu, for `karma deploy`
  KARMA_TIMEOUT     how long to wait for what was begun: 90s, 10m
  KARMA_USAGE       a file with what a month is like, for `karma cost`
  KARMA_VERBOSE     say more
  KARMA_WATCH       `karma up` follows the files
TF_VAR_name and NO_COLOR mean what they mean elsewhere.";

/// The directory beside the .tf files where a run keeps what it must remember.
pub(crate) const STATE_NAME: &str = ".karma";

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
        self.path.join(STATE_NAME)
    }

    /// A file of the stack as a person would type it from here.
    pub(crate) fn display_file(&self, file: &str) -> String {
        let path = self.path.join(file);
        path.strip_prefix(".").unwrap_or(&path).display().to_string()
    }
}
