//! The images of a stack: which there are, where they lie when they are built, and how they get to a registry.

mod bars;
mod build;
mod destination;
mod docker_login;
mod push;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use karma_fleet::{CpuArchitecture, Fleet};
use karma_image::{BuildError, LayoutError, Platform};

use crate::failure::Failure;
use crate::karma_toml::{self, Image};
use crate::settings::StackDirectory;
use crate::toolchain::{self, Missing};

pub(crate) use build::build;
pub(crate) use destination::{Destination, is_ecr};
pub(crate) use docker_login::docker_login;
pub(crate) use push::{Target, push};

/// An image that karma.toml describes and the fleet runs.
#[derive(Debug)]
pub(crate) struct StackImage {
    /// What it is made of, for its platform.
    pub(crate) image: Image,
    /// What its build command is run in.
    pub(crate) root: PathBuf,
    /// What the task definitions that name it run on.
    pub(crate) platform: Platform,
}

impl StackImage {
    /// What this machine lacks to build it.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        let build = self.image.build.as_deref().unwrap_or_default();
        toolchain::missing(build, &self.root, self.platform.target())
    }
}

/// Where the built images of a stack lie: an OCI image layout.
pub(crate) fn layout(directory: &StackDirectory) -> PathBuf {
    directory.state().join("images")
}

/// The images that the fleet runs and karma.toml describes, by repository.
pub(crate) fn of_stack(directory: &StackDirectory, fleet: &Fleet) -> Result<BTreeMap<String, StackImage>, Failure> {
    let platforms = platforms(fleet)?;
    let mut images = BTreeMap::new();
    for platform in platforms.values().collect::<BTreeSet<_>>() {
        let described = karma_toml::read_for(directory.path(), platform.target())?;
        for (repository, image) in described.by_repository {
            if platforms.get(&repository) == Some(platform) {
                let (root, platform) = (described.root.clone(), *platform);
                images.insert(repository, StackImage { image, root, platform });
            }
        }
    }
    if images.is_empty() {
        let file = directory.display_file(karma_toml::FILE_NAME);
        return Err(Failure::unable(format!(
            "{file} describes no image that a task definition of the stack names"
        ))
        .hint("give it an entry for each: [image.\"REPOSITORY\"] with `program` and `path`"));
    }
    Ok(images)
}

/// The images with these names, which may leave out all before the last slash; all of them where nothing is named.
pub(crate) fn choose<'a>(
    images: impl Iterator<Item = &'a String>,
    named: &[String],
) -> Result<BTreeSet<String>, Failure> {
    let images: BTreeSet<String> = images.cloned().collect();
    if named.is_empty() {
        return Ok(images);
    }
    named.iter().map(|name| choose_one(&images, name)).collect()
}

fn choose_one(images: &BTreeSet<String>, name: &str) -> Result<String, Failure> {
    let last = |image: &&String| image.rsplit('/').next() == Some(name);
    let mut candidates = images.iter().filter(last);
    match (images.get(name), candidates.next(), candidates.next()) {
        (Some(image), _, _) | (None, Some(image), None) => Ok(image.clone()),
        (None, Some(first), Some(second)) => Err(Failure::unable(format!("{name} is {first} and {second}"))),
        (None, None, _) => {
            let known: Vec<_> = images.iter().map(String::as_str).collect();
            Err(Failure::unable(format!("the stack has no image {name}")).hint(format!("it has {}", known.join(", "))))
        }
    }
}

/// What each repository's images run on. One repository has one image, and that has one processor.
fn platforms(fleet: &Fleet) -> Result<BTreeMap<String, Platform>, Failure> {
    let mut platforms = BTreeMap::new();
    for definition in fleet.task_definitions.values() {
        let platform = match definition.cpu_architecture {
            CpuArchitecture::X86_64 => Platform::LinuxAmd64,
            CpuArchitecture::Arm64 => Platform::LinuxArm64,
        };
        for container in &definition.containers {
            let repository = &container.image.repository;
            if platforms
                .insert(repository.clone(), platform)
                .is_some_and(|other| other != platform)
            {
                return Err(
                    Failure::unable(format!("{repository} is run on linux/amd64 and on linux/arm64"))
                        .hint("give each CPU architecture a repository of its own"),
                );
            }
        }
    }
    Ok(platforms)
}

/// What the image crate says, with its hint.
pub(crate) fn build_failure(error: &BuildError) -> Failure {
    Failure::from_error(error).hints(error.hint())
}

/// The same of a layout that cannot be read.
pub(crate) fn layout_failure(error: LayoutError) -> Failure {
    let absent = matches!(error, LayoutError::Absent { .. });
    build_failure(&BuildError::from(error)).hints(absent.then(|| "build them: karma image build".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(named: &[&str], expected: Result<&[&str], &str>) {
        let images = ["k/a", "k/b", "l/b", "c"].map(str::to_owned);
        let named: Vec<_> = named.iter().map(|name| (*name).to_owned()).collect();
        match (choose(images.iter(), &named), expected) {
            (Ok(chosen), Ok(expected)) => assert_eq!(chosen.iter().collect::<Vec<_>>(), expected),
            (Err(failure), Err(expected)) => assert!(failure.render().contains(expected), "{}", failure.render()),
            other => panic!("{named:?}: {other:?}"),
        }
    }

    #[test]
    fn images_are_chosen_by_their_names_or_the_ends_of_them() {
        check(&[], Ok(&["c", "k/a", "k/b", "l/b"]));
        check(&["a"], Ok(&["k/a"]));
        check(&["l/b", "c", "c"], Ok(&["c", "l/b"]));
        check(&["b"], Err("b is k/b and l/b"));
        check(&["k"], Err("the stack has no image k\nhint: it has c, k/a, k/b, l/b"));
    }
}
