//! What `image` of a container names.

use std::fmt;

/// An image reference, with its registry left out where the repository is one of the stack's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// `karmacadabra/validator` for an ECR repository of the stack, else all before the tag or digest (`public.ecr.aws/nginx/nginx`).
    pub repository: String,
    /// `:0.1.0`, `@sha256:…`, or nothing.
    pub version: String,
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.repository, self.version)
    }
}
