//! Which program is Terraform here.

use std::env;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::fs::{Access, access};

use crate::failure::Failure;

/// What is looked for, the first choice first.
const NAMES: [&str; 2] = ["terraform", "tofu"];

/// Which Terraform.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Terraform")]
pub(crate) struct TerraformArguments {
    /// The program [default: terraform, else tofu, where PATH has them]
    #[arg(long = "terraform-bin", env = "KARMA_TERRAFORM_BIN", value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// The program that was named, else the first that `PATH` has.
pub(crate) fn find(arguments: &TerraformArguments) -> Result<PathBuf, Failure> {
    match &arguments.program {
        Some(named) => on_path(named).ok_or_else(|| {
            Failure::unable(format!("`{}` is no program that can be run", named.display()))
                .hint("name Terraform or OpenTofu: --terraform-bin PROGRAM")
        }),
        None => NAMES.iter().find_map(|name| on_path(Path::new(name))).ok_or_else(|| {
            Failure::unable("neither terraform nor tofu is installed")
                .hint("install one: https://developer.hashicorp.com/terraform/install")
                .hint("or say where it is: --terraform-bin PROGRAM")
        }),
    }
}

/// A name without a slash is looked for where a shell would look.
fn on_path(program: &Path) -> Option<PathBuf> {
    let is_program = |path: &Path| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if program.components().count() > 1 || program.is_absolute() {
        return is_program(program).then(|| program.to_owned());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|path| is_program(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn named(program: &Path) -> TerraformArguments {
        TerraformArguments {
            program: Some(program.to_owned()),
        }
    }

    #[test]
    fn what_was_named_is_taken_if_it_can_be_run() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("tofu-1.9");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(find(&named(&program)).is_err(), "it has no permission to be run");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(find(&named(&program)).unwrap(), program);
        assert!(find(&named(directory.path())).is_err(), "a directory is no program");
    }

    #[test]
    fn a_bare_name_is_looked_for_on_the_path() {
        assert!(find(&named(Path::new("sh"))).unwrap().is_absolute());
        assert!(find(&named(Path::new("no-such-terraform"))).is_err());
    }
}
