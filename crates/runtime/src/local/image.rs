//! How the image of a container is run itself, where an engine does that.

use karma_fleet::{Container, Fleet};

/// What the definition says against the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageRun {
    pub(crate) entry_point: Option<Vec<String>>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) working_directory: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) pull: Pull,
}

/// Whether an image is fetched where the engine does not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pull {
    /// From its registry, which is public.
    WhenAbsent,
    /// It is one of the stack's own repositories, for which there are no AWS credentials here. Its name without its registry would lead to
    /// whatever a stranger has put on Docker Hub.
    Never,
}

pub(super) fn run(container: &Container, fleet: &Fleet) -> ImageRun {
    let mut own = fleet.repositories.values();
    ImageRun {
        entry_point: container.entry_point.clone(),
        command: container.command.clone(),
        working_directory: container.working_directory.clone(),
        user: container.user.clone(),
        pull: if own.any(|repository| repository.name == container.image.repository) {
            Pull::Never
        } else {
            Pull::WhenAbsent
        },
    }
}
