//! A directory of images: <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>.
//!
//! ```text
//! oci-layout             says what the directory is
//! index.json             which blobs are images, under which names, and what is attached to them
//! blobs/sha256/<digest>  manifests, configurations, layers
//! ```
//!
//! Whoever is killed leaves nothing under a wrong digest: a file has its name only when it is whole, and the index comes last.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use oci_spec::image::{
    ANNOTATION_REF_NAME, Descriptor, ImageIndex, ImageIndexBuilder, ImageManifest, MediaType, SCHEMA_VERSION,
};
use serde::de::DeserializeOwned;

use crate::digest::Digest;
use crate::json;

/// The file that makes a directory a layout.
const OCI_LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs/sha256";
/// Not the specification's: who holds its lock writes here, or reads.
const LOCK: &str = ".lock";

/// A directory of images, kept from changing (or from being read) as long as this lives.
#[derive(Debug)]
pub struct Layout {
    directory: PathBuf,
    index: ImageIndex,
    _lock: File,
}

/// Why a layout cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Nothing was ever built here.
    #[error("there are no images in {}", .directory.display())]
    Absent {
        /// What was to be opened.
        directory: PathBuf,
    },
    /// Another process writes here, or reads what would be written.
    #[error("another process is using the images in {}", .directory.display())]
    Busy {
        /// What was to be opened.
        directory: PathBuf,
    },
    /// A blob is not in the directory.
    #[error("the blob {digest} is not in {}", .directory.display())]
    NoBlob {
        /// Which.
        digest: Digest,
        /// Where it should be.
        directory: PathBuf,
    },
    /// A file does not hold what its name promises, or is not JSON of its kind.
    #[error("{} is damaged: {problem}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The disk said no.
    #[error("cannot {verb} {}", .path.display())]
    Disk {
        /// What was tried: `read`, `write`.
        verb: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Layout {
    /// Opens a directory to write images into, and makes it where it is not there. Nobody else can have it meanwhile.
    pub fn create(directory: &Path) -> Result<Self, LayoutError> {
        let blobs = directory.join(BLOBS);
        fs::create_dir_all(&blobs).map_err(|error| disk("create", &blobs, error))?;
        let lock = lock(directory, File::try_lock)?;
        let marker = directory.join(OCI_LAYOUT);
        write(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        let index = match read(&directory.join(INDEX)) {
            Ok(bytes) => parse(&directory.join(INDEX), &bytes)?,
            Err(error) if is_absent(&error) => empty_index(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            directory: directory.to_owned(),
            index,
            _lock: lock,
        })
    }

    /// Opens a directory to read its images. Others can read it meanwhile, and nobody can write.
    pub fn open(directory: &Path) -> Result<Self, LayoutError> {
        let index = directory.join(INDEX);
        if !index.exists() {
            let directory = directory.to_owned();
            return Err(LayoutError::Absent { directory });
        }
        let lock = lock(directory, File::try_lock_shared)?;
        Ok(Self {
            directory: directory.to_owned(),
            index: parse(&index, &read(&index)?)?,
            _lock: lock,
        })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The images by the names that they were built under, which are their repositories'.
    pub fn images(&self) -> BTreeMap<String, Descriptor> {
        let named = |descriptor: &Descriptor| Some((name_of(descriptor)?.to_owned(), descriptor.clone()));
        self.index.manifests().iter().filter_map(named).collect()
    }

    /// What is attached to an image: its bill of materials, its provenance. Descriptors of manifests whose `subject` is the image.
    /// <https://github.com/opencontainers/image-spec/blob/main/manifest.md#image-manifest-property-descriptions>
    pub fn referrers(&self, image: &Digest) -> Result<Vec<Descriptor>, LayoutError> {
        let mut found = Vec::new();
        for descriptor in self.index.manifests().iter().filter(|it| name_of(it).is_none()) {
            let manifest = self.manifest(&self.digest_of(descriptor)?)?;
            let subject = manifest.subject().as_ref().map(|subject| subject.digest().to_string());
            if subject == Some(image.to_string()) {
                found.push(descriptor.clone());
            }
        }
        Ok(found)
    }

    /// Forgets the images whose names `keep` does not want, and what is attached to them.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) -> Result<(), LayoutError> {
        let entries = self.entries(keep)?;
        self.replace(entries)
    }

    /// A manifest by its digest.
    pub fn manifest(&self, digest: &Digest) -> Result<ImageManifest, LayoutError> {
        self.document(digest)
    }

    /// A blob, which is what its digest says.
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>, LayoutError> {
        let path = self.blob_path(digest);
        let bytes = read(&path).map_err(|error| self.no_blob(digest, error))?;
        match Digest::of(&bytes) {
            found if found == *digest => Ok(bytes),
            found => Err(damaged(&path, format!("its digest is {found}"))),
        }
    }

    /// The file of a blob, whether it is there or not: for who streams it.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(BLOBS).join(digest.hex())
    }

    /// A blob that is JSON.
    pub(crate) fn document<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, LayoutError> {
        parse(&self.blob_path(digest), &self.blob(digest)?)
    }

    /// The digest in a descriptor of this layout, which holds nothing but SHA-256.
    pub(crate) fn digest_of(&self, descriptor: &Descriptor) -> Result<Digest, LayoutError> {
        Digest::try_from(descriptor.digest()).map_err(|error| damaged(&self.directory.join(INDEX), error.to_string()))
    }

    /// Puts a blob there. One that already is there, and whole, stays as it is.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest, LayoutError> {
        let digest = Digest::of(bytes);
        if self.blob(&digest).is_err() {
            write(&self.blob_path(&digest), bytes)?;
        }
        Ok(digest)
    }

    /// Makes these the entries of the index, and removes from the disk what none of them leads to.
    pub(crate) fn replace(&mut self, entries: Vec<Descriptor>) -> Result<(), LayoutError> {
        let mut index = empty_index();
        index.set_manifests(entries);
        write(&self.directory.join(INDEX), &json::bytes(&index))?;
        self.index = index;
        self.prune()
    }

    /// The entries of the index that belong to images whose names `keep` wants: they themselves, and what is attached to them.
    pub(crate) fn entries(&self, keep: impl Fn(&str) -> bool) -> Result<Vec<Descriptor>, LayoutError> {
        let mut entries = Vec::new();
        for (_, image) in self.images().into_iter().filter(|(name, _)| keep(name)) {
            entries.extend(self.referrers(&self.digest_of(&image)?)?);
            entries.push(image);
        }
        Ok(entries)
    }

    fn prune(&self) -> Result<(), LayoutError> {
        let used = self.reachable()?;
        let blobs = self.directory.join(BLOBS);
        for entry in fs::read_dir(&blobs).map_err(|error| disk("read", &blobs, error))? {
            let entry = entry.map_err(|error| disk("read", &blobs, error))?;
            if !used.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path()).map_err(|error| disk("remove", &entry.path(), error))?;
            }
        }
        Ok(())
    }

    /// The file names of all blobs that the index leads to.
    fn reachable(&self) -> Result<BTreeSet<String>, LayoutError> {
        let mut used = BTreeSet::new();
        for descriptor in self.index.manifests() {
            let manifest = self.manifest(&self.digest_of(descriptor)?)?;
            let parts = manifest.layers().iter().chain([descriptor, manifest.config()]);
            used.extend(parts.map(|part| part.digest().digest().to_owned()));
        }
        Ok(used)
    }

    fn no_blob(&self, digest: &Digest, error: LayoutError) -> LayoutError {
        if !is_absent(&error) {
            return error;
        }
        LayoutError::NoBlob {
            digest: *digest,
            directory: self.directory.clone(),
        }
    }
}

/// The name an image was built under; what is attached to one has none.
fn name_of(descriptor: &Descriptor) -> Option<&str> {
    let annotations = descriptor.annotations().as_ref()?;
    annotations.get(ANNOTATION_REF_NAME).map(String::as_str)
}

fn empty_index() -> ImageIndex {
    ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(Vec::new())
        .build()
        .expect("an index needs nothing else")
}

/// Takes the lock of a directory without waiting: who waited would not know for what.
fn lock(directory: &Path, take: fn(&File) -> Result<(), TryLockError>) -> Result<File, LayoutError> {
    let path = directory.join(LOCK);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| disk("open", &path, error))?;
    match take(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LayoutError::Busy {
            directory: directory.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(disk("lock", &path, error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, LayoutError> {
    fs::read(path).map_err(|error| disk("read", path, error))
}

/// Writes a file that is there whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), LayoutError> {
    let mut beside = path.as_os_str().to_owned();
    // The lock leaves one writer, whose predecessor's remains are written over or pruned.
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| disk("write", path, error))
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, LayoutError> {
    serde_json::from_slice(bytes).map_err(|error| damaged(path, error.to_string()))
}

fn damaged(path: &Path, problem: String) -> LayoutError {
    LayoutError::Damaged {
        path: path.to_owned(),
        problem,
    }
}

fn disk(verb: &'static str, path: &Path, source: io::Error) -> LayoutError {
    LayoutError::Disk {
        verb,
        path: path.to_owned(),
        source,
    }
}

fn is_absent(error: &LayoutError) -> bool {
    matches!(error, LayoutError::Disk { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests;
