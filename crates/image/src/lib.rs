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

// What both ends speak of.
mod digest;
mod json;
mod layout;
mod manifest;

pub use digest::{Digest, InvalidDigest};
pub use layout::{Layout, LayoutError};
