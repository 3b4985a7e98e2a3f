//! Reading a stack's directory: the only place of this crate that touches the disk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use crate::Sources;
use crate::parse::join;

/// Directories that hold no part of a stack.
const SKIPPED: [&str; 5] = [".git", ".karma", ".terraform", "node_modules", "target"];

/// Larger files are no text that a stack reads.
const LARGEST_FILE: u64 = 1 << 20;

/// Reads every text file of a stack's directory and of the local modules it calls, also those outside of it (`../network`).
///
/// Skipped are directories that hold no part of a stack (`.terraform`, `.git`, `.karma`, `target`, `node_modules`), files that are not
/// UTF-8 and files beyond 1 MiB. The error is that of the directory itself; a file that cannot be read is as if it were not there.
pub fn read(dir: &Path) -> io::Result<Sources> {
    let mut sources = Sources::default();
    let mut seen = BTreeSet::new();
    read_directory(dir, "", &mut sources, &mut seen)?;
    loop {
        let outside: Vec<String> = modules_outside(&sources)
            .filter(|module| !seen.contains(module))
            .collect();
        if outside.is_empty() {
            return Ok(sources);
        }
        for module in outside {
            // A directory that is not there is reported where it is called.
            let _missing = read_directory(&dir.join(&module), &module, &mut sources, &mut seen);
            seen.insert(module);
        }
    }
}

/// Directories outside the stack that its modules, as far as they are read, call.
fn modules_outside(sources: &Sources) -> impl Iterator<Item = String> {
    sources
        .iter()
        .filter(|(path, _)| path.ends_with(".tf"))
        .flat_map(|(path, text)| {
            let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
            quoted_parents(text)
                .map(move |source| join(directory, source))
                .filter(|module| module.starts_with(".."))
        })
}

/// What stands in quotes and begins with `../`: a superset of the module sources, cheap to find before anything is parsed.
fn quoted_parents(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| line.trim_start().starts_with("source"))
        .filter_map(|line| line.split('"').nth(1))
        .filter(|source| source.starts_with("../"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that touches the disk"
)]
fn read_directory(dir: &Path, key: &str, sources: &mut Sources, seen: &mut BTreeSet<String>) -> io::Result<()> {
    if !seen.insert(key.to_owned()) {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let key = if key.is_empty() {
            name.to_owned()
        } else {
            format!("{key}/{name}")
        };
        if path.is_dir() && !path.is_symlink() && !SKIPPED.contains(&name) {
            // A directory below that cannot be listed is as if it were empty.
            let _unreadable = read_directory(&path, &key, sources, seen);
        } else if let Some(text) = read_text(&path) {
            sources.insert(key, text);
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this crate that touches the disk"
)]
fn read_text(path: &Path) -> Option<String> {
    path.metadata()
        .ok()
        .filter(|metadata| metadata.is_file() && metadata.len() <= LARGEST_FILE)?;
    let text = std::fs::read_to_string(path).ok()?;
    // A byte order mark is not part of the text.
    Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
