//! [`Watch`]: notices when a file changes that a fleet is made of.
//!
//! It looks again and again instead of being told: that works on every file system, and the directories are small.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use crate::karma_toml;
use crate::settings::StackDirectory;

/// How often to look.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Directories that builds write into. Hidden ones are left out too.
const LEFT_OUT: &[&str] = &["target", "node_modules", "__pycache__"];

/// The files of a stack and of the programs it is built from.
#[derive(Debug)]
pub(crate) struct Watch {
    directory: StackDirectory,
    /// Files beside them: those of `--var-file`.
    files: Vec<PathBuf>,
    seen: Stamps,
    /// What has changed and was not told yet.
    changed: Option<PathBuf>,
}

/// When each file was last changed, and how long it was then.
type Stamps = BTreeMap<PathBuf, (SystemTime, u64)>;

impl Watch {
    /// Begins with the files as they are.
    pub(crate) fn new(directory: StackDirectory, files: Vec<PathBuf>) -> Self {
        let seen = stamps(&directory, &files);
        Self {
            directory,
            files,
            seen,
            changed: None,
        }
    }

    /// Waits until something has changed, and then until nothing more does: an editor writes several files, and so does a checkout. The
    /// answer is one of the files. Nothing is missed if the future is dropped before it resolves.
    pub(crate) async fn changed(&mut self) -> PathBuf {
        loop {
            sleep(LOOK_AGAIN).await;
            let now = self.look().await;
            let another = difference(&self.seen, &now);
            self.seen = now;
            if another.is_some() {
                self.changed = another;
            } else if let Some(path) = self.changed.take() {
                return path;
            }
        }
    }

    async fn look(&self) -> Stamps {
        let (directory, files) = (self.directory.clone(), self.files.clone());
        let looking = tokio::task::spawn_blocking(move || stamps(&directory, &files));
        // A look that failed has seen nothing new.
        looking.await.unwrap_or_else(|_| self.seen.clone())
    }
}

/// Everything in the stack's directory, and where karma.toml has programs built, in the directory they are built in. The programs themselves
/// count as well, for who builds them by hand.
fn stamps(directory: &StackDirectory, files: &[PathBuf]) -> Stamps {
    let mut stamps = Stamps::new();
    walk(directory.path(), &mut stamps);
    if let Ok(images) = karma_toml::read(directory.path()) {
        if images.by_repository.values().any(|image| image.build.is_some()) {
            walk(&images.root, &mut stamps);
        }
        for image in images.by_repository.values() {
            stamp(&image.program, &mut stamps);
        }
    }
    for file in files {
        stamp(file, &mut stamps);
    }
    stamps
}

/// What cannot be read is not there.
fn walk(directory: &Path, stamps: &mut Stamps) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_left_out(&entry.file_name()) => walk(&path, stamps),
            Ok(kind) if kind.is_file() => stamp(&path, stamps),
            _ => {}
        }
    }
}

fn is_left_out(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || LEFT_OUT.contains(&&*name)
}

fn stamp(path: &Path, stamps: &mut Stamps) {
    if let Ok(data) = fs::metadata(path) {
        let modified = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        stamps.insert(path.to_owned(), (modified, data.len()));
    }
}

/// A file that is new, gone or another than before.
fn difference(before: &Stamps, now: &Stamps) -> Option<PathBuf> {
    let changed = now.iter().find(|(path, stamp)| before.get(*path) != Some(stamp));
    let gone = || before.iter().find(|(path, _)| !now.contains_key(*path));
    changed.or_else(gone).map(|(path, _)| path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_changed_and_gone_files_are_noticed_and_what_builds_write_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let stack = StackDirectory::resolve(Some(directory.path())).unwrap();
        let look = || stamps(&stack, &[]);
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let noticed = |before: &Stamps| difference(before, &look()).map(|path| path.file_name().unwrap().to_owned());
        let empty = look();
        write("main.tf", "a");
        assert_eq!(noticed(&empty).unwrap(), "main.tf");
        let one = look();
        write("main.tf", "ab");
        assert_eq!(noticed(&one).unwrap(), "main.tf");
        let two = look();
        for left_out in [".karma/logs/x", "target/debug/x", "modules/m/.terraform/x"] {
            write(left_out, "x");
        }
        assert_eq!(noticed(&two), None);
        write("modules/m/main.tf", "x");
        assert_eq!(noticed(&two).unwrap(), "main.tf");
        fs::remove_dir_all(directory.path().join("modules")).unwrap();
        fs::remove_file(directory.path().join("main.tf")).unwrap();
        assert_eq!(noticed(&two).unwrap(), "main.tf");
    }

    #[tokio::test(start_paused = true)]
    async fn several_changes_at_once_are_one() {
        let directory = tempfile::tempdir().unwrap();
        let stack = StackDirectory::resolve(Some(directory.path())).unwrap();
        let mut watch = Watch::new(stack, Vec::new());
        fs::write(directory.path().join("a.tf"), "a").unwrap();
        fs::write(directory.path().join("b.tf"), "b").unwrap();
        assert!(watch.changed().await.ends_with("a.tf"));
        let again = tokio::time::timeout(Duration::from_secs(5), watch.changed()).await;
        assert!(again.is_err());
    }
}
