//! Files as an image has them, before they are bytes of a layer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use crate::image_path::ImagePath;

/// What lies at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A directory that everybody may read.
    Directory,
    /// A directory that everybody may write, and remove only their own files from: `/tmp`.
    SharedDirectory,
    /// A file.
    File {
        /// What is in it.
        bytes: Arc<[u8]>,
        /// Whether it may be run.
        executable: bool,
    },
    /// A symbolic link.
    Link {
        /// As it is written: relative to where the link lies.
        target: String,
    },
}

/// Places and what lies there, in one order whatever order they came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<ImagePath, Node>);

/// Two things are to lie at one place, or one in another that is no directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collision {
    pub(crate) path: ImagePath,
    pub(crate) with: ImagePath,
}

impl Node {
    fn is_directory(&self) -> bool {
        matches!(self, Self::Directory | Self::SharedDirectory)
    }
}

impl Tree {
    /// A tree of one thing.
    pub(crate) fn of(path: ImagePath, node: Node) -> Self {
        Self(BTreeMap::from([(path, node)]))
    }

    /// Lays something at a place. A directory may be there already.
    pub(crate) fn insert(&mut self, path: ImagePath, node: Node) -> Result<(), Collision> {
        if let Some(with) = self.in_the_way(&path, &node) {
            return Err(Collision { path, with });
        }
        match self.0.entry(path) {
            Entry::Vacant(place) => drop(place.insert(node)),
            Entry::Occupied(directory) => debug_assert!(directory.get().is_directory()),
        }
        Ok(())
    }

    /// Lays everything of another tree at its place.
    pub(crate) fn extend(&mut self, other: Self) -> Result<(), Collision> {
        other.0.into_iter().try_for_each(|(path, node)| self.insert(path, node))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that lies here, a directory before what is in it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ImagePath, &Node)> {
        self.0.iter()
    }

    /// The same with all directories on the way to what lies here.
    pub(crate) fn with_parents(&self) -> Self {
        let mut all = self.0.clone();
        for above in self.0.keys().flat_map(ImagePath::ancestors) {
            all.entry(above.clone()).or_insert_with(|| parent(&above));
        }
        Self(all)
    }

    fn in_the_way(&self, path: &ImagePath, node: &Node) -> Option<ImagePath> {
        let is_file = |place: &ImagePath| self.0.get(place).is_some_and(|there| !there.is_directory());
        if is_file(path) || (self.0.contains_key(path) && !node.is_directory()) {
            return Some(path.clone());
        }
        let above = path.ancestors().find(|above| is_file(above));
        above.or_else(|| self.below(path).filter(|_| !node.is_directory()))
    }

    fn below(&self, path: &ImagePath) -> Option<ImagePath> {
        // Names such as `a-b` lie between `a` and `a/b`.
        let mut behind = self.0.range((Excluded(path), Unbounded)).map(|(other, _)| other);
        behind.find(|other| other.is_below(path)).cloned()
    }
}

/// A layer says anew what each directory on the way is, so one with a program in `/tmp` must not close it for everybody else.
fn parent(path: &ImagePath) -> Node {
    match path.relative() {
        "tmp" => Node::SharedDirectory,
        _ => Node::Directory,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(text: &str) -> ImagePath {
        ImagePath::parse(text).unwrap()
    }

    fn file(text: &str) -> Node {
        Node::File {
            bytes: text.as_bytes().into(),
            executable: false,
        }
    }

    #[test]
    fn a_place_is_taken_once() {
        for (first, second, with) in [
            ("/a", "/a", Some("/a")),
            ("/a", "/a/b", Some("/a")),
            ("/a/b/c", "/a", Some("/a/b/c")),
            ("/a/b", "/a-b", None),
            ("/a/b", "/a/c", None),
        ] {
            let mut tree = Tree::of(path(first), file("1"));
            let collision = tree.insert(path(second), file("2")).err();
            assert_eq!(collision.map(|it| it.with), with.map(path), "{first} {second}");
        }
    }

    #[test]
    fn directories_are_shared_and_files_are_not_directories() {
        let mut tree = Tree::of(path("/a"), Node::Directory);
        assert_eq!(tree.insert(path("/a"), Node::Directory), Ok(()));
        assert_eq!(tree.insert(path("/a/b"), file("1")), Ok(()));
        assert!(tree.insert(path("/a"), file("1")).is_err());
        assert!(tree.insert(path("/a/b"), Node::Directory).is_err());
    }

    #[test]
    fn a_program_in_tmp_leaves_it_open() {
        let tree = Tree::of(path("/tmp/a/b"), file("1")).with_parents();
        let nodes: Vec<_> = tree.iter().map(|(path, node)| (path.relative(), node)).collect();
        assert_eq!(nodes[0], ("tmp", &Node::SharedDirectory));
        assert_eq!(nodes[1], ("tmp/a", &Node::Directory));
    }

    /// Any tree, with short and very long names.
    pub(crate) fn any_tree() -> impl Strategy<Value = Vec<(ImagePath, Node)>> {
        let name = prop_oneof!["[ab]", "[a-z é'\"$*]{1,30}", "[a-z]{120,255}"];
        let place = prop::collection::vec(name, 1..5).prop_filter_map("no path", |names| {
            ImagePath::parse(&format!("/{}", names.join("/"))).ok()
        });
        let node = prop_oneof![
            Just(Node::Directory),
            (prop::collection::vec(any::<u8>(), 0..600), any::<bool>()).prop_map(|(bytes, executable)| Node::File {
                bytes: bytes.into(),
                executable
            }),
            "[a-z]{1,150}".prop_map(|target| Node::Link { target }),
        ];
        prop::collection::vec((place, node), 0..12)
    }

    pub(crate) fn collect(nodes: impl IntoIterator<Item = (ImagePath, Node)>) -> Tree {
        let mut tree = Tree::default();
        for (path, node) in nodes {
            // What collides stays away.
            let _ = tree.insert(path, node);
        }
        tree
    }

    proptest! {
        #[test]
        fn whatever_lies_in_a_tree_lies_in_directories(nodes in any_tree()) {
            let tree = collect(nodes).with_parents();
            for (path, _) in tree.iter() {
                for above in path.ancestors() {
                    prop_assert!(tree.0[&above].is_directory(), "{}", above);
                }
            }
        }
    }
}
