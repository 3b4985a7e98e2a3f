//! Whether this machine can build a program for a target, and what to do where it cannot.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::karma_toml::TARGET;

/// Something that a build for a target needs and this machine does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// `the linker aarch64-linux-gnu-gcc`
    pub(crate) what: String,
    /// The command that brings it.
    pub(crate) remedy: String,
}

/// What is missing here for a build command that is run in `root`. Of other commands than cargo's nothing is known.
pub(crate) fn missing(build: &[String], root: &Path, target: &str) -> Vec<Missing> {
    if build.first().is_none_or(|program| program != "cargo") {
        return Vec::new();
    }
    let cargo = find("cargo").is_none().then(|| Missing {
        what: "cargo".to_owned(),
        remedy: "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh".to_owned(),
    });
    let library = (!has_library(root, target)).then(|| Missing {
        what: format!("Rust's library for {target}"),
        remedy: format!("rustup target add {target}"),
    });
    let linker = (!is_chosen(target)).then(|| linker(target)).flatten();
    cargo.into_iter().chain(library).chain(linker).collect()
}

/// The linker that cargo takes where the user has chosen none, if it is missing.
fn linker(target: &str) -> Option<Missing> {
    let cross = cross_linker(target);
    let (linker, packages) = match &cross {
        Some(cross) => {
            let (gcc, libc) = (gnu_name(target).replace('_', "-"), debian_name(target));
            (cross.as_str(), format!("gcc-{gcc} libc6-dev-{libc}-cross"))
        }
        None => ("cc", "gcc libc6-dev".to_owned()),
    };
    find(linker).is_none().then(|| Missing {
        what: format!("the linker {linker}"),
        remedy: format!("apt-get install {packages}"),
    })
}

/// The variable that tells cargo its linker for another processor than this machine's, unless the user has chosen one. What `--config` says is
/// stronger: <https://doc.rust-lang.org/cargo/reference/config.html#environment-variables>.
pub(crate) fn variable(target: &str) -> Option<(String, String)> {
    let linker = cross_linker(target).filter(|_| !is_chosen(target))?;
    Some((variable_name(target), linker))
}

/// GCC for another processor, as Debian names it; `None` where this machine's own linker does.
fn cross_linker(target: &str) -> Option<String> {
    (processor(target) != processor(TARGET)).then(|| format!("{}-gcc", gnu_name(target)))
}

fn is_chosen(target: &str) -> bool {
    env::var_os(variable_name(target)).is_some()
}

fn variable_name(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"))
}

fn processor(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

/// `aarch64-linux-gnu`; in names of packages Debian writes `x86-64-linux-gnu`.
fn gnu_name(target: &str) -> String {
    format!("{}-linux-gnu", processor(target))
}

fn debian_name(target: &str) -> &str {
    match processor(target) {
        "aarch64" => "arm64",
        "x86_64" => "amd64",
        other => other,
    }
}

/// Whether rustc, as it is chosen in a directory, has the standard library for a target. Where it does not answer, cargo will say why.
fn has_library(root: &Path, target: &str) -> bool {
    let answer = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    answer.map_or(true, |answer| {
        !answer.status.success() || Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir()
    })
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_processor_needs_another_linker() {
        assert_eq!(variable(TARGET), None);
        let other = match processor(TARGET) {
            "aarch64" => "x86_64-unknown-linux-gnu",
            _ => "aarch64-unknown-linux-gnu",
        };
        let (name, linker) = variable(other).unwrap();
        assert_eq!(
            name,
            format!(
                "CARGO_TARGET_{}_UNKNOWN_LINUX_GNU_LINKER",
                processor(other).to_uppercase()
            )
        );
        assert_eq!(linker, format!("{}-linux-gnu-gcc", processor(other)));
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_brings_it() {
        let build = ["cargo".to_owned()];
        let missing = missing(&build, Path::new("."), "riscv64gc-unknown-linux-gnu");
        assert!(
            missing
                .iter()
                .any(|it| it.remedy.contains("apt-get install gcc-riscv64gc-linux-gnu")),
            "{missing:?}"
        );
        assert_eq!(
            super::missing(&["make".to_owned()], Path::new("."), "riscv64gc-unknown-linux-gnu"),
            []
        );
    }
}
