//! Programs as they were when their revision began: copies by content, so that a rollback starts the old bytes although there has been a
//! new build since. What lies beside a program stays where it is.
//!
//! ```text
//! .karma/programs/<sha256>/<file name>
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use karma_fleet::Fleet;
use sha2::{Digest, Sha256};

use crate::program::Programs;
use crate::state::{StateError, io_error};

/// Where the copies are.
#[derive(Debug)]
pub(crate) struct PinnedPrograms {
    directory: PathBuf,
}

impl PinnedPrograms {
    pub(crate) fn new(state_directory: &Path) -> Self {
        Self {
            directory: state_directory.join("programs"),
        }
    }

    /// Copies the programs that the fleet needs, and returns them all with the copies in their places. A program that is not there is left to
    /// whoever needs it.
    pub(crate) fn pin(&self, programs: &Programs, fleet: &Fleet) -> Result<Programs, StateError> {
        let used = repositories(fleet);
        let mut pinned = programs.clone();
        for (repository, program) in &mut pinned {
            if used.contains(repository.as_str()) && program.program.is_file() {
                program.program = self.copy(&program.program)?;
            }
        }
        Ok(pinned)
    }

    /// Removes the copies that no word names any more: a shell line may start one too. What cannot be removed now is removed another time.
    pub(crate) fn keep_only(&self, words: &BTreeSet<String>) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.path().display().to_string();
            if !words.iter().any(|word| word.contains(&name)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn copy(&self, program: &Path) -> Result<PathBuf, StateError> {
        let digest = digest(program).map_err(io_error("read", program))?;
        let directory = self.directory.join(digest);
        // The name stays: some programs go by it.
        let copy = directory.join(program.file_name().unwrap_or_default());
        if !copy.is_file() {
            let half = directory.join(".new");
            let made = fs::create_dir_all(&directory)
                .and_then(|()| fs::copy(program, &half))
                .and_then(|_| fs::rename(&half, &copy));
            made.map_err(io_error("write", &copy))?;
        }
        Ok(copy)
    }
}

/// The SHA-256 of a file's content, in hexadecimal.
fn digest(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_copy_stays_as_it_was_until_nobody_needs_it() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("agent");
        let pinned = PinnedPrograms::new(directory.path());
        let pin = |content: &str| {
            fs::write(&program, content).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            pinned.copy(&program).unwrap()
        };
        let (old, new) = (pin("old"), pin("new"));
        assert_eq!(pin("new"), new);
        assert_eq!(fs::read_to_string(&old).unwrap(), "old");
        assert_eq!(fs::metadata(&old).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(old.file_name().unwrap(), "agent");
        pinned.keep_only(&[format!("exec {} || exit 1", new.display())].into());
        assert!(new.is_file() && !old.exists());
    }
}
