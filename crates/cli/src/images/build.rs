//! Builds the images of a stack: first the programs, by the commands of karma.toml, then what they are packed into.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use karma_fleet::Fleet;
use karma_image::{Built, Layout, Origin, Platform, Recipe};
use karma_ops::Unit;

use super::{StackImage, build_failure, choose, layout, layout_failure, of_stack};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::programs;
use crate::quantity::quantity;
use crate::settings::StackDirectory;
use crate::toolchain;

/// The instant that images say they were made at: <https://reproducible-builds.org/docs/source-date-epoch/>.
const CREATED: &str = "SOURCE_DATE_EPOCH";

/// Builds the images of a stack that are named, all of them where none is; those that it has no more are forgotten. The digests by repository.
pub(crate) fn build(
    directory: &StackDirectory,
    fleet: &Fleet,
    named: &[String],
    printer: Printer,
) -> Result<BTreeMap<String, Built>, Failure> {
    let mut images = of_stack(directory, fleet)?;
    let known: BTreeSet<String> = images.keys().cloned().collect();
    let chosen = choose(images.keys(), named)?;
    images.retain(|repository, _| chosen.contains(repository));
    refuse_what_cannot_be_built(&images)?;
    let origins = build_programs(&images, printer)?;
    let recipes = recipes(images, &origins)?;
    let mut layout = Layout::create(&layout(directory)).map_err(layout_failure)?;
    let begun = Instant::now();
    let built = karma_image::build(&recipes, &mut layout, |repository, built| {
        tell(repository, built, printer);
    })
    .map_err(|error| build_failure(&error))?;
    layout
        .retain(|repository| known.contains(repository))
        .map_err(layout_failure)?;
    printer.detail(&format!("packed in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(built)
}

#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
fn tell(repository: &str, built: &Built, printer: Printer) {
    let size = quantity(built.size as f64, Unit::Bytes);
    printer.talk(&format!("built {repository} ({size})"));
}

fn refuse_what_cannot_be_built(images: &BTreeMap<String, StackImage>) -> Result<(), Failure> {
    for (repository, image) in images {
        let missing = image.missing();
        if let Some(first) = missing.first() {
            let (platform, what) = (image.platform, &first.what);
            let remedies = missing.iter().map(|missing| missing.remedy.clone());
            return Err(
                Failure::unable(format!("{repository} is for {platform}, and {what} is not here")).hints(remedies),
            );
        }
    }
    Ok(())
}

/// A build command, what it is run in, and what for.
type Build = (Option<Vec<String>>, PathBuf, Platform);

fn build_of(image: &StackImage) -> Build {
    (image.image.build.clone(), image.root.clone(), image.platform)
}

/// Runs each build command once, and asks where its program comes from.
fn build_programs(images: &BTreeMap<String, StackImage>, printer: Printer) -> Result<BTreeMap<Build, Origin>, Failure> {
    let builds: BTreeSet<Build> = images.values().map(build_of).collect();
    let mut origins = BTreeMap::new();
    for build in builds {
        let (command, root, platform) = &build;
        if let Some(command) = command {
            programs::build(command, root, toolchain::variable(platform.target()), printer)?;
        }
        let origin = origin(command.as_deref(), root)?;
        origins.insert(build, origin);
    }
    Ok(origins)
}

fn origin(command: Option<&[String]>, root: &Path) -> Result<Origin, Failure> {
    Origin::of_build(command, root)
        .map_err(|error| Failure::caused_by("cannot tell which packages the program is made of", &error))
}

fn recipes(
    images: BTreeMap<String, StackImage>,
    origins: &BTreeMap<Build, Origin>,
) -> Result<BTreeMap<String, Recipe>, Failure> {
    let created = created(env::var(CREATED).ok().as_deref())?;
    let recipe = |(repository, it): (String, StackImage)| {
        let origin = origins[&build_of(&it)].clone();
        let recipe = Recipe {
            program: it.image.program,
            path: it.image.path,
            args: it.image.args,
            files: it.image.files,
            labels: it.image.labels,
            platform: it.platform,
            created,
            origin,
        };
        (repository, recipe)
    };
    Ok(images.into_iter().map(recipe).collect())
}

fn created(seconds: Option<&str>) -> Result<Timestamp, Failure> {
    let Some(text) = seconds else {
        return Ok(Timestamp::UNIX_EPOCH);
    };
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.ok_or_else(|| {
        Failure::unable(format!(
            "{CREATED} is {text:?}, which is no number of seconds since 1970"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_made_at_the_beginning_of_time_unless_it_is_said() {
        assert_eq!(created(None).unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(created(Some("1700000000")).unwrap().to_string(), "2023-11-14T22:13:20Z");
        for wrong in ["", "yesterday", "1e9", "99999999999999999"] {
            assert!(created(Some(wrong)).unwrap_err().render().contains(CREATED), "{wrong}");
        }
    }
}
