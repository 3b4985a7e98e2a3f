//! OCI images without Docker: built from a program, byte for byte the same each time, and pushed.
//!
//! ```text
//!  Recipe ──build──▶ Layout ──push──▶ registry
//!  a program,        a directory as the OCI image layout has it:
//!  its files         blobs by their digests, and which of them are images
//! ```
//!
//! The seam between building and pushing is a directory on disk, in the format that other tools read as well:
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>.
//!
//! An image has a static program, the files that its recipe names, certificates to trust, a user who is not root, and nothing else. Images
//! with the same program share the layer that it is in. What an image is made of and how it was built is attached to it
//! ([referrers](https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage)).

// What both ends speak of.
mod digest;
mod json;
mod layout;
mod manifest;
mod platform;

// What an image is made of.
mod cargo;
mod image_path;
mod origin;
mod recipe;
mod tree;

// How it is made: pure, but for `files`.
mod base;
mod config;
mod elf;
mod files;
mod layer;
mod materials;
mod provenance;

// The verbs.
mod build;
mod error;
mod inspect;

// Where it goes.
mod reference;
mod registry;

pub use build::{Built, build};
pub use digest::{Digest, InvalidDigest};
pub use elf::{Machine, UnfitProgram};
pub use error::{BuildError, Problem};
pub use image_path::InvalidImagePath;
pub use inspect::{Attachment, InspectedLayer, Inspection, inspect};
pub use layout::{Layout, LayoutError};
pub use origin::OriginError;
pub use platform::Platform;
pub use recipe::{Origin, Package, Recipe};
pub use reference::{InvalidReference, Reference};
pub use registry::{
    Account, BlobProgress, Broken, CredentialHelper, Credentials, DockerConfig, HelperError, InvalidDockerConfig,
    Manifest, Outcome, Password, Patience, Progress, Pushed, Registry, RegistryError, RegistryOptions, Resolution,
    Scheme, push, push_all,
};
