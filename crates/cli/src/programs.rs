//! The programs that a fleet's images stand for: built as `karma.toml` says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use karma_fleet::Fleet;
use karma_runtime::{Program, Programs};

use crate::failure::Failure;
use crate::karma_toml::{self, Image, Images};
use crate::local_environment;
use crate::printer::Printer;

/// Reads `karma.toml`, runs each build command that the fleet needs once, and returns the programs by repository. The fleet's variables become
/// those of this machine.
pub(crate) fn prepare(directory: &Path, fleet: &mut Fleet, printer: Printer) -> Result<Programs, Failure> {
    let images = images(directory, fleet)?;
    for line in local_environment::put_into(fleet, &images.environment) {
        printer.talk(&line);
    }
    let commands: BTreeSet<&[String]> = images
        .by_repository
        .values()
        .filter_map(|image| image.build.as_deref())
        .collect();
    for command in commands {
        build(command, &images.root, None, printer)?;
    }
    Ok(programs(images))
}

/// The same without building anything: the programs as they are.
pub(crate) fn read(directory: &Path, fleet: &mut Fleet) -> Result<Programs, Failure> {
    let images = images(directory, fleet)?;
    local_environment::put_into(fleet, &images.environment);
    Ok(programs(images))
}

/// The images that the fleet uses.
fn images(directory: &Path, fleet: &Fleet) -> Result<Images, Failure> {
    let mut images = karma_toml::read(directory)?;
    let used = repositories(fleet);
    images
        .by_repository
        .retain(|repository, _| used.contains(repository.as_str()));
    Ok(images)
}

fn programs(images: Images) -> Programs {
    let images = images.by_repository.into_iter();
    images.map(|(repository, image)| (repository, program(image))).collect()
}

fn repositories(fleet: &Fleet) -> BTreeSet<&str> {
    let containers = fleet
        .task_definitions
        .values()
        .flat_map(|definition| &definition.containers);
    containers
        .map(|container| container.image.repository.as_str())
        .collect()
}

/// Runs a build command in `root`, with a variable where it needs one. What it says on either stream is talk.
pub(crate) fn build(
    command: &[String],
    root: &Path,
    variable: Option<(String, String)>,
    printer: Printer,
) -> Result<(), Failure> {
    let shown = command.join(" ");
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::unable(format!(
            "an empty `build` in {}",
            karma_toml::FILE_NAME
        )));
    };
    printer.talk(&format!("building: {shown}"));
    let begun = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .envs(variable)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| Failure::caused_by(format!("cannot run `{shown}`"), &error))?;
    if !status.success() {
        return Err(Failure::unable(format!("`{shown}` failed ({status})"))
            .hint(format!("run it by hand in {}", root.display())));
    }
    printer.detail(&format!("built in {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

fn program(image: Image) -> Program {
    Program {
        program: image.program,
        image_path: image.path,
        args: image.args,
        files: image.files,
    }
}
