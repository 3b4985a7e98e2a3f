//! Files of this machine as an image will have them.
//!
//! The place that a recipe names is followed where it is a link. Links below it stay links, as long as they lead to something below it too:
//! what lies elsewhere on this machine is not in the image.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use crate::error::Problem;
use crate::image_path::ImagePath;
use crate::tree::{Node, Tree};

/// Reads what a recipe lists, by its places in the image.
pub(crate) fn read(files: &BTreeMap<String, PathBuf>) -> Result<Tree, Problem> {
    let mut tree = Tree::default();
    for (place, local) in files {
        let place = place_in_image(place)?;
        let metadata = fs::metadata(local).map_err(|error| unreadable(local, error))?;
        add(&mut tree, &place, local, &metadata, 0)?;
    }
    Ok(tree)
}

/// A path in the image as the recipe writes it.
pub(crate) fn place_in_image(path: &str) -> Result<ImagePath, Problem> {
    ImagePath::parse(path).map_err(|reason| Problem::ImagePath {
        path: path.to_owned(),
        reason,
    })
}

/// `depth` is how far below the place that the recipe names we are.
fn add(tree: &mut Tree, place: &ImagePath, local: &Path, metadata: &Metadata, depth: usize) -> Result<(), Problem> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        tree.insert(place.clone(), Node::Directory)?;
        return add_directory(tree, place, local, depth);
    }
    let node = if kind.is_symlink() {
        link(local, depth)?
    } else if kind.is_file() {
        file(local, metadata)?
    } else {
        return Err(Problem::SpecialFile { path: local.to_owned() });
    };
    Ok(tree.insert(place.clone(), node)?)
}

fn add_directory(tree: &mut Tree, place: &ImagePath, local: &Path, depth: usize) -> Result<(), Problem> {
    for entry in fs::read_dir(local).map_err(|error| unreadable(local, error))? {
        let local = entry.map_err(|error| unreadable(local, error))?.path();
        let place = place_in(place, &local)?;
        let metadata = fs::symlink_metadata(&local).map_err(|error| unreadable(&local, error))?;
        add(tree, &place, &local, &metadata, depth + 1)?;
    }
    Ok(())
}

fn place_in(directory: &ImagePath, local: &Path) -> Result<ImagePath, Problem> {
    let name = local.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Problem::NotUtf8 { path: local.to_owned() })?;
    directory.join(name).map_err(|reason| Problem::ImagePath {
        path: format!("{directory}/{name}"),
        reason,
    })
}

fn file(local: &Path, metadata: &Metadata) -> Result<Node, Problem> {
    let bytes = fs::read(local).map_err(|error| unreadable(local, error))?;
    Ok(Node::File {
        bytes: bytes.into(),
        // Of the rights here only this one is taken along: the others differ with the umask.
        executable: metadata.permissions().mode() & 0o100 != 0,
    })
}

fn link(local: &Path, depth: usize) -> Result<Node, Problem> {
    let target = fs::read_link(local).map_err(|error| unreadable(local, error))?;
    let Some(text) = target.to_str() else {
        return Err(Problem::NotUtf8 { path: local.to_owned() });
    };
    if !stays_below(&target, depth) {
        let path = local.to_owned();
        return Err(Problem::LinkLeadsOut { path, target });
    }
    Ok(Node::Link {
        target: text.to_owned(),
    })
}

/// Whether a link that lies `depth` directories down leads to no place above the first of them.
fn stays_below(target: &Path, depth: usize) -> bool {
    let mut above = depth.checked_sub(1);
    for component in target.components() {
        above = match component {
            Component::Normal(_) => above.map(|depth| depth + 1),
            Component::ParentDir => above.and_then(|depth| depth.checked_sub(1)),
            Component::CurDir => above,
            Component::RootDir | Component::Prefix(_) => None,
        };
    }
    above.is_some()
}

fn unreadable(path: &Path, source: io::Error) -> Problem {
    Problem::Unreadable {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn check(make: impl FnOnce(&Path), expected: Result<&[&str], &str>) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("top");
        fs::create_dir(&root).unwrap();
        make(&root);
        let tree = read(&BTreeMap::from([("/app".to_owned(), root)]));
        let places = tree.map(|tree| tree.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>());
        match (places, expected) {
            (Ok(places), Ok(expected)) => assert_eq!(places, expected),
            (Err(problem), Err(expected)) => assert!(problem.to_string().contains(expected), "{problem}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_directory_comes_with_all_that_is_in_it() {
        let make = |root: &Path| {
            fs::create_dir_all(root.join("b/empty")).unwrap();
            fs::write(root.join("b/c"), "c").unwrap();
            symlink("../b/./c", root.join("b/link")).unwrap();
            symlink("b", root.join("a")).unwrap();
        };
        check(
            make,
            Ok(&["/app", "/app/a", "/app/b", "/app/b/c", "/app/b/empty", "/app/b/link"]),
        );
    }

    #[test]
    fn a_link_that_leads_out_is_refused() {
        for target in ["/etc/passwd", "..", "../top/a", "b/../../c", "/"] {
            check(|root| symlink(target, root.join("a")).unwrap(), Err("leads out"));
        }
    }

    #[test]
    fn what_an_image_cannot_hold_is_refused() {
        let socket = |root: &Path| drop(std::os::unix::net::UnixListener::bind(root.join("s")).unwrap());
        check(socket, Err("is neither a file"));
        check(
            |root| fs::write(root.join("a\nb"), "").unwrap(),
            Err("is no path in an image"),
        );
        let not_utf8: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"\xff");
        check(|root| fs::write(root.join(not_utf8), "").unwrap(), Err("UTF-8"));
        check(|root| fs::remove_dir(root).unwrap(), Err("cannot read"));
    }

    #[test]
    fn only_the_owners_right_to_run_is_taken_along() {
        let directory = tempfile::tempdir().unwrap();
        for (mode, expected) in [(0o600, false), (0o677, false), (0o700, true), (0o755, true)] {
            let path = directory.path().join("file");
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let tree = read(&BTreeMap::from([("/file".to_owned(), path)])).unwrap();
            let Some((_, Node::File { executable, .. })) = tree.iter().next() else {
                panic!("{tree:?}");
            };
            assert_eq!(*executable, expected, "{mode:o}");
        }
    }
}
