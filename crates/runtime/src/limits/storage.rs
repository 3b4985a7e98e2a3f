//! How much of the disk a directory takes.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The unit of `st_blocks`, whatever the file system's own is.
/// <https://man7.org/linux/man-pages/man3/stat.3type.html>
const BLOCK: u64 = 512;

/// So many files are looked at; a larger tree counts for at least what they take.
const MOST_FILES: usize = 100_000;

/// What the files of a directory take on the disk, in bytes. Links are not followed; a file with several names counts once, and what is gone not
/// at all.
pub(crate) fn size(directory: &Path) -> u64 {
    let mut waiting = vec![directory.to_owned()];
    let (mut seen, mut size) = (HashSet::new(), 0);
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if seen.len() == MOST_FILES {
                return size;
            }
            if seen.insert((metadata.dev(), metadata.ino())) {
                size += metadata.blocks() * BLOCK;
            }
            if metadata.is_dir() {
                waiting.push(entry.path());
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_count_once_and_links_do_not_lead_out() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let write = |directory: &Path, name: &str| fs::write(directory.join(name), vec![7; 1 << 20]).unwrap();
        fs::create_dir(inside.path().join("deep")).unwrap();
        write(&inside.path().join("deep"), "one");
        write(outside.path(), "other");
        fs::hard_link(inside.path().join("deep/one"), inside.path().join("same")).unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("out")).unwrap();
        let size = size(inside.path());
        assert!((1 << 20..2 << 20).contains(&size), "{size}");
        assert_eq!(super::size(Path::new("/nowhere/at/all")), 0);
    }
}
