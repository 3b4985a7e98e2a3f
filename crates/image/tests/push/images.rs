//! Layouts written by hand: what is pushed does not depend on who built it.

use std::fs;

use karma_image::{Digest, Layout};
use serde_json::{Value, json};
use tempfile::TempDir;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A layout in a directory of its own.
pub(crate) struct Images {
    directory: TempDir,
    entries: Vec<Value>,
}

impl Images {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir_all(directory.path().join("blobs/sha256")).unwrap();
        let images = Self {
            directory,
            entries: Vec::new(),
        };
        images.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        images
    }

    /// An image of these layers, with a configuration of its own.
    pub(crate) fn image(&mut self, name: &str, layers: &[&[u8]]) -> Digest {
        let config = self.blob(
            "application/vnd.oci.image.config.v1+json",
            format!("{{\"of\":\"{name}\"}}").as_bytes(),
        );
        let layers: Vec<_> = layers
            .iter()
            .map(|layer| self.blob("application/vnd.oci.image.layer.v1.tar+gzip", layer))
            .collect();
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let mut entry = self.blob(MANIFEST, manifest.to_string().as_bytes());
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        self.add(entry)
    }

    /// Something attached to an image.
    pub(crate) fn attach(&mut self, image: Digest, kind: &str, text: &[u8]) -> Digest {
        let subject = json!({ "mediaType": MANIFEST, "digest": image, "size": self.read(image).len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": kind,
            "config": self.blob("application/vnd.oci.empty.v1+json", b"{}"),
            "layers": [self.blob(kind, text)],
            "subject": subject,
            "annotations": { "note": kind },
        });
        let entry = self.blob(MANIFEST, manifest.to_string().as_bytes());
        self.add(entry)
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::open(self.directory.path()).unwrap()
    }

    pub(crate) fn read(&self, digest: Digest) -> Vec<u8> {
        fs::read(self.directory.path().join("blobs/sha256").join(digest.hex())).unwrap()
    }

    /// Puts other bytes of the same length in a blob's place.
    pub(crate) fn damage(&self, digest: Digest) {
        let mut bytes = self.read(digest);
        bytes[0] ^= 1;
        self.write(&format!("blobs/sha256/{}", digest.hex()), &bytes);
    }

    fn add(&mut self, entry: Value) -> Digest {
        let digest = entry["digest"].as_str().unwrap().parse().unwrap();
        self.entries.push(entry);
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.entries,
        });
        self.write("index.json", index.to_string().as_bytes());
        digest
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.write(&format!("blobs/sha256/{}", digest.hex()), bytes);
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.directory.path().join(name), bytes).unwrap();
    }
}

/// Bytes that do not repeat.
pub(crate) fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
