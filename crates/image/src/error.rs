//! Why an image could not be built.

use std::io;
use std::path::PathBuf;

use crate::elf::UnfitProgram;
use crate::image_path::InvalidImagePath;
use crate::layout::LayoutError;
use crate::tree::Collision;

/// Why images could not be built. What was built before is still there.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// One of them has something wrong in it.
    #[error("cannot build the image {image}")]
    Image {
        /// Which.
        image: String,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
    /// The directory that they go into.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

/// What is wrong with a recipe or with a file that it names.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The program was not built.
    #[error("there is no program {}", .path.display())]
    NoProgram {
        /// Where it should be.
        path: PathBuf,
    },
    /// The program would not start in the image.
    #[error("{} cannot be its program", .path.display())]
    UnfitProgram {
        /// The program.
        path: PathBuf,
        /// Why not.
        source: UnfitProgram,
    },
    /// A file is missing, or somebody else's.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A socket, a device, a pipe.
    #[error("{} is neither a file, a directory nor a link", .path.display())]
    SpecialFile {
        /// Which.
        path: PathBuf,
    },
    /// A link that would lead nowhere in the image, or elsewhere.
    #[error("the link {} leads out of the directory, to {}", .path.display(), .target.display())]
    LinkLeadsOut {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A name that is not a text.
    #[error("{} is not UTF-8", .path.display())]
    NotUtf8 {
        /// Which.
        path: PathBuf,
    },
    /// A path that cannot be one in an image.
    #[error("{path:?} is no path in an image")]
    ImagePath {
        /// Which.
        path: String,
        /// Why not.
        #[source]
        reason: InvalidImagePath,
    },
    /// Two things at one place.
    #[error("{path} is in the image twice, or in what is no directory: {with} is there already")]
    Collision {
        /// What was to be added.
        path: String,
        /// What is there: of `files`, the program, or of what every image has.
        with: String,
    },
}

impl From<Collision> for Problem {
    fn from(Collision { path, with }: Collision) -> Self {
        Self::Collision {
            path: path.to_string(),
            with: with.to_string(),
        }
    }
}

impl BuildError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Image { problem, .. } => problem.hint().map(str::to_owned),
            Self::Layout(LayoutError::Damaged { .. } | LayoutError::NoBlob { .. }) => {
                Some("remove the directory: it is made anew".to_owned())
            }
            Self::Layout(_) => None,
        }
    }
}

impl Problem {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoProgram { .. } => Some("`program` in karma.toml says where `build` leaves it"),
            Self::UnfitProgram {
                source: UnfitProgram::Dynamic { .. },
                ..
            } => Some(
                "link it statically: with Rust `--config 'target.{target}.rustflags = [\"-Ctarget-feature=+crt-static\"]'`, \
                 with Go CGO_ENABLED=0, with C -static",
            ),
            Self::UnfitProgram {
                source: UnfitProgram::WrongMachine { .. },
                ..
            } => Some("build it with `--target {target}`: {target} is what the stack's CPU architecture asks for"),
            Self::ImagePath { .. } => Some("write it from the root and without detours: /app/data"),
            Self::LinkLeadsOut { .. } => Some("put the file itself there, or name it in `files`"),
            _ => None,
        }
    }
}
