//! [`Namespaces`]: what a task gets of its own from the kernel.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{getgid, getuid};

use super::Files;

/// File systems of the kernel's own, which a container can write to however its root is mounted.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// What a task gets of its own from the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// A mount namespace; the orchestrator is privileged.
    Mount,
    /// A mount namespace, and a user namespace that gives the right to it.
    UserAndMount,
    /// Nothing.
    None,
}

impl Namespaces {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Mount => "mount",
            Self::UserAndMount => "user",
            Self::None => "none",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Mount, Self::UserAndMount, Self::None]
            .into_iter()
            .find(|namespaces| text == namespaces.as_str())
    }
}

/// Enters them, and puts the files of `etc` over those of `/etc` there. Files that can only be read do not include those of `writable`.
pub(super) fn enter(namespaces: Namespaces, etc: &Path, files: Files, writable: &[PathBuf]) -> io::Result<()> {
    match namespaces {
        Namespaces::None => return Ok(()),
        Namespaces::Mount => unshare(CloneFlags::CLONE_NEWNS)?,
        Namespaces::UserAndMount => enter_user_namespace()?,
    }
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    for (own, theirs) in covers(etc)? {
        mount(Some(&own), &theirs, none, MsFlags::MS_BIND, none)?;
    }
    match files {
        Files::ReadAndWrite => Ok(()),
        Files::ReadOnly => make_read_only(writable),
    }
}

/// Whether the files of `etc` are to be seen.
pub(super) fn check(namespaces: Namespaces, etc: &Path) -> io::Result<()> {
    for (own, theirs) in covers(etc)? {
        if namespaces != Namespaces::None && fs::read(own)? != fs::read(theirs)? {
            return Err(io::Error::other("the mount is not to be seen"));
        }
    }
    Ok(())
}

/// The user stays who he is; he may only mount now.
/// <https://man7.org/linux/man-pages/man7/user_namespaces.7.html>
fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

/// The files of a directory, and those of `/etc` that they lie over.
fn covers(etc: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let cover =
        |entry: io::Result<fs::DirEntry>| entry.map(|file| (file.path(), Path::new("/etc").join(file.file_name())));
    fs::read_dir(etc)?.map(cover).collect()
}

/// Mounts every file system read-only, except the kernel's own and the directories of `writable`, which become mounts for it. The working directory is entered again, since it is held through the old mount.
fn make_read_only(writable: &[PathBuf]) -> io::Result<()> {
    let writable = writable.iter().map(fs::canonicalize).collect::<io::Result<Vec<_>>>()?;
    for directory in &writable {
        let none = None::<&str>;
        mount(Some(directory), directory, none, MsFlags::MS_BIND, none)?;
    }
    let stays = |place: &PathBuf| KERNEL.iter().any(|kernel| place.starts_with(kernel)) || writable.contains(place);
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    for place in places(&mounts).filter(|place| !stays(place)) {
        remount_read_only(&place)?;
    }
    env::set_current_dir(env::current_dir()?)
}

/// What is forbidden on a mount already must stay so in a user namespace.
/// <https://man7.org/linux/man-pages/man7/mount_namespaces.7.html>
fn remount_read_only(place: &Path) -> io::Result<()> {
    let none = None::<&str>;
    let Ok(present) = statvfs(place) else {
        // Somebody has mounted over it: nobody comes there any more.
        return Ok(());
    };
    let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    for (is_set, flag) in [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ] {
        if present.flags().contains(is_set) {
            flags |= flag;
        }
    }
    match mount(none, place, none, flags, none) {
        // Not the top of its place any more, or gone.
        Ok(()) | Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The fifth field of each line, where spaces are `\040`.
/// <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>
fn places(mounts: &str) -> impl Iterator<Item = PathBuf> {
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).map(|place| {
        place
            .replace("\\040", " ")
            .replace("\\011", "\t")
            .replace("\\134", "\\")
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_mounts_are_read_with_their_spaces() {
        let mounts = "22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 0:5 / /mnt/a\\040b rw - tmpfs tmpfs rw\n\n";
        let places: Vec<_> = places(mounts).collect();
        assert_eq!(places, [Path::new("/"), Path::new("/mnt/a b")]);
    }
}
