//! A layer: a tree of files as one blob, a tar archive compressed with gzip.
//! <https://github.com/opencontainers/image-spec/blob/main/layer.md>
//!
//! The bytes are a function of the tree alone: entries are in order, nobody's clock, user or umask is in them, and the compressor takes no
//! notice of the processor.

use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::digest::Digest;
use crate::image_path::ImagePath;
use crate::tree::{Node, Tree};

/// gzip's own default: higher levels make a program 1 % smaller, in several times the time.
const LEVEL: u32 = 6;
/// "Unknown": <https://www.rfc-editor.org/rfc/rfc1952#page-8>.
const OPERATING_SYSTEM: u8 = 255;

/// A layer and its two digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Of the archive before it is compressed: what the configuration lists.
    pub(crate) diff_id: Digest,
    /// The compressed archive.
    pub(crate) blob: Vec<u8>,
}

/// Packs a tree, and all directories on the way to what is in it.
pub(crate) fn pack(tree: &Tree) -> Layer {
    let archive = archive(tree).expect("memory takes whatever is written, and an image path fits an archive");
    Layer {
        diff_id: Digest::of(&archive),
        blob: compress(&archive).expect("memory takes whatever is written"),
    }
}

fn archive(tree: &Tree) -> io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    for (path, node) in tree.with_parents().iter() {
        append(&mut archive, path, node)?;
    }
    archive.into_inner()
}

fn append(archive: &mut Builder<Vec<u8>>, path: &ImagePath, node: &Node) -> io::Result<()> {
    let relative = path.relative();
    match node {
        Node::Directory => archive.append_data(&mut directory(0o755), format!("{relative}/"), io::empty()),
        Node::SharedDirectory => archive.append_data(&mut directory(0o1777), format!("{relative}/"), io::empty()),
        Node::File { bytes, executable } => {
            let mut header = header(EntryType::Regular, if *executable { 0o755 } else { 0o644 });
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, relative, &**bytes)
        }
        Node::Link { target } => archive.append_link(&mut header(EntryType::Symlink, 0o777), relative, target),
    }
}

fn directory(mode: u32) -> Header {
    header(EntryType::Directory, mode)
}

/// Everything belongs to root, so that no task can change what it was made from; and comes from the beginning of time.
fn header(kind: EntryType, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

fn compress(archive: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(OPERATING_SYSTEM)
        .write(Vec::new(), Compression::new(LEVEL));
    gzip.write_all(archive)?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;
    use crate::tree::tests::{any_tree, collect};

    /// Reads a layer back.
    fn unpack(layer: &Layer) -> Vec<(ImagePath, Node)> {
        let mut archive = Vec::new();
        GzDecoder::new(&layer.blob[..]).read_to_end(&mut archive).unwrap();
        assert_eq!(Digest::of(&archive), layer.diff_id);
        let mut archive = tar::Archive::new(&archive[..]);
        archive.entries().unwrap().map(|entry| node(entry.unwrap())).collect()
    }

    fn node(mut entry: tar::Entry<'_, &[u8]>) -> (ImagePath, Node) {
        let header = entry.header();
        assert_eq!(
            [header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()],
            [0; 3]
        );
        let mode = header.mode().unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let node = match (header.entry_type(), mode) {
            (EntryType::Directory, 0o755) => Node::Directory,
            (EntryType::Directory, 0o1777) => Node::SharedDirectory,
            (EntryType::Symlink, _) => Node::Link {
                target: String::from_utf8(entry.link_name_bytes().unwrap().into_owned()).unwrap(),
            },
            (EntryType::Regular, 0o755 | 0o644) => Node::File {
                bytes: contents(&mut entry),
                executable: mode == 0o755,
            },
            other => panic!("{path} is {other:?}"),
        };
        (ImagePath::parse(&format!("/{path}")).unwrap(), node)
    }

    fn contents(entry: &mut tar::Entry<'_, &[u8]>) -> std::sync::Arc<[u8]> {
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        bytes.into()
    }

    proptest! {
        #[test]
        fn any_tree_comes_back_with_each_directory_once_and_before_its_files(nodes in any_tree()) {
            let tree = collect(nodes);
            let expected: Vec<_> = tree.with_parents().iter().map(|(path, node)| (path.clone(), node.clone())).collect();
            prop_assert_eq!(unpack(&pack(&tree)), expected);
        }

        #[test]
        fn the_order_of_its_making_does_not_matter(nodes in any_tree(), seed: u64) {
            let tree = collect(nodes);
            let mut entries: Vec<_> = tree.iter().map(|(path, node)| (path.clone(), node.clone())).collect();
            entries.sort_by_key(|(path, _)| Digest::of(format!("{seed}{path}").as_bytes()));
            prop_assert_eq!(pack(&collect(entries)), pack(&tree));
        }
    }
}
