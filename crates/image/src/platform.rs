//! What an image runs on.

use std::fmt;

use oci_spec::image::Arch;

/// A system and processor that Fargate offers to images without a system of their own.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#runtime-platform>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// ECS's `X86_64`.
    LinuxAmd64,
    /// ECS's `ARM64`.
    LinuxArm64,
}

impl Platform {
    /// Rust's name of it, with glibc.
    /// <https://doc.rust-lang.org/rustc/platform-support.html>
    pub fn target(self) -> &'static str {
        match self {
            Self::LinuxAmd64 => "x86_64-unknown-linux-gnu",
            Self::LinuxArm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The image specification's name of the processor.
    pub(crate) fn architecture(self) -> Arch {
        match self {
            Self::LinuxAmd64 => Arch::Amd64,
            Self::LinuxArm64 => Arch::ARM64,
        }
    }
}

/// As image tools write it.
impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.architecture())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_image_tools_write_it() {
        assert_eq!(Platform::LinuxAmd64.to_string(), "linux/amd64");
        assert_eq!(Platform::LinuxArm64.to_string(), "linux/arm64");
    }
}
