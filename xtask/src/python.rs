//! Sets up the Python environments that end-to-end tests use: moto, which speaks AWS's API, Checkov, an embedding model, a client of the
//! agents' protocol, and GitHub's schemas; and the one that `bench` holds an agent against.
//!
//! Each lies below `target/python/` and is made once for the versions that its requirements name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Report;
use crate::workspace;

/// An environment and the step that makes it are called after the directory of `e2e/` whose `requirements.txt` it follows.
const ENVIRONMENTS: [&str; 5] = ["moto", "checkov", "embeddings", "a2a", "pipelines"];

/// Makes every environment that is not there yet.
pub(crate) fn set_up(report: &mut Report) {
    if !runs(Command::new("python3").args(["-m", "venv", "--help"])) {
        return report.skip("python", "python3 with venv is not installed");
    }
    for name in ENVIRONMENTS {
        let environment = Environment::named(name);
        if !environment.is_there() && environment.install().is_none() {
            report.skip(name, "its packages could not be installed: pip says why");
        }
    }
}

/// The Python with the packages of `requirements.txt` in this directory, which is below the workspace's root; made where it is not there yet.
pub(crate) fn with_packages_of(directory: &str) -> Option<PathBuf> {
    let environment = Environment::of(Path::new(directory));
    let is_there = environment.is_there() || environment.install().is_some();
    is_there.then(|| environment.python())
}

struct Environment {
    directory: PathBuf,
    requirements: PathBuf,
}

impl Environment {
    fn named(name: &str) -> Self {
        Self::of(&Path::new("e2e").join(name))
    }

    fn of(directory: &Path) -> Self {
        let name = directory.file_name().unwrap_or_default();
        Self {
            directory: workspace::target().join("python").join(name),
            requirements: workspace::root().join(directory).join("requirements.txt"),
        }
    }

    /// Whether it was made, to its end, for the requirements as they are.
    fn is_there(&self) -> bool {
        let made_for = fs::read(self.stamp()).ok();
        made_for.is_some() && made_for == fs::read(&self.requirements).ok()
    }

    fn install(&self) -> Option<()> {
        println!("installing {}, once: a minute", shown(&self.requirements));
        let made = runs(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&self.directory),
        );
        let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
        let installed = made && runs(Command::new(self.python()).args(pip).arg(&self.requirements));
        installed
            .then(|| fs::copy(&self.requirements, self.stamp()).ok())
            .flatten()
            .map(drop)
    }

    fn python(&self) -> PathBuf {
        self.directory.join("bin/python")
    }

    /// A copy of the requirements, made last.
    fn stamp(&self) -> PathBuf {
        self.directory.join("requirements.txt")
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(workspace::root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn runs(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_once_for_its_requirements() {
        let directory = workspace::target().join("python-of-a-test");
        fs::create_dir_all(&directory).unwrap();
        let environment = Environment {
            requirements: directory.join("asked.txt"),
            directory,
        };
        let asks = |text: &str| fs::write(&environment.requirements, text).unwrap();
        let is_stamped = |text: &str| fs::write(environment.stamp(), text).unwrap();

        asks("a==1");
        is_stamped("");
        assert!(!environment.is_there(), "it was made for nothing");
        is_stamped("a==1");
        assert!(environment.is_there());
        asks("a==2");
        assert!(!environment.is_there(), "another version is asked for");
        fs::remove_dir_all(&environment.directory).unwrap();
    }

    #[test]
    fn every_requirement_names_its_version() {
        let of_the_bench = Environment::of(Path::new("xtask/bench/fastapi"));
        for environment in ENVIRONMENTS.into_iter().map(Environment::named).chain([of_the_bench]) {
            let text = fs::read_to_string(environment.requirements).unwrap();
            let mut packages = text.lines().filter(|line| !line.starts_with('#'));
            assert!(packages.all(|package| package.contains("==")), "{text}");
        }
    }
}
