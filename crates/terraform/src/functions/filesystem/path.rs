//! Paths as text, with Go's rules: <https://pkg.go.dev/path>.

/// The shortest path that means the same; an empty one is `.`.
pub(super) fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            other => parts.push(other),
        }
    }
    match (absolute, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".into(),
        (false, joined) => joined,
    }
}

/// What stands after the last slash.
pub(super) fn base_name(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// What stands before the last slash, cleaned.
pub(super) fn directory_name(path: &str) -> String {
    clean(&path[..path.rfind('/').map_or(0, |slash| slash + 1)])
}

/// A file's path as seen from a directory; both are clean.
pub(super) fn relative(file: &str, directory: &str) -> String {
    let steps = |path: &str| {
        if path == "." {
            Vec::new()
        } else {
            path.split('/').map(str::to_owned).collect()
        }
    };
    let (file, directory): (Vec<String>, Vec<String>) = (steps(file), steps(directory));
    let common = file.iter().zip(&directory).take_while(|(a, b)| a == b).count();
    let up = directory[common..].iter().map(|_| "..".to_owned());
    up.chain(file[common..].iter().cloned()).collect::<Vec<_>>().join("/")
}
