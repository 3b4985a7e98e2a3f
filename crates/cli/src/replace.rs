//! Writes files so that at each moment there is the old text or the new one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Puts a text into a file, new or old, in one step. A link stays a link, and a file keeps its permissions.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        path => path?,
    };
    if fs::metadata(&path).is_ok_and(|it| !it.is_file()) {
        // A pipe or a device, such as /dev/stdout, has no text to lose.
        return fs::write(path, text);
    }
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = write_new(&beside, &path, text).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What could not be written is of no use, and need not be there at all.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(path: &Path, like: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(like) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}
