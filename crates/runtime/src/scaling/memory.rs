//! What alarms and autoscaling remember from run to run: `alarms.json`.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use karma_ops::{AlarmChange, ScalingActivity};
use serde::{Deserialize, Serialize};

/// The form of the file.
const VERSION: u32 = 1;

/// What has happened, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Remembered {
    pub(super) history: VecDeque<AlarmChange>,
    pub(super) activities: VecDeque<ScalingActivity>,
}

/// The file that it is kept in.
#[derive(Debug)]
pub(super) struct MemoryFile(PathBuf);

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    history: &'a VecDeque<AlarmChange>,
    activities: &'a VecDeque<ScalingActivity>,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    history: VecDeque<AlarmChange>,
    activities: VecDeque<ScalingActivity>,
}

impl MemoryFile {
    /// What the file of a state directory remembers. One that cannot be read is set aside, and the note says where.
    pub(super) fn open(state_directory: &Path) -> (Self, Remembered, Option<String>) {
        let path = state_directory.join("alarms.json");
        let (remembered, note) = match read(&path) {
            Ok(remembered) => (remembered, None),
            Err(error) => (Remembered::default(), Some(set_aside(&path, &error))),
        };
        (Self(path), remembered, note)
    }

    /// Writes all of it. Whoever reads the file sees the old text or the new one.
    pub(super) fn write(
        &self,
        history: &VecDeque<AlarmChange>,
        activities: &VecDeque<ScalingActivity>,
    ) -> io::Result<()> {
        let written = Written {
            version: VERSION,
            history,
            activities,
        };
        let text = serde_json::to_vec(&written).expect("names, times and numbers are JSON");
        let temporary = self.0.with_extension("new");
        fs::write(&temporary, text)?;
        fs::rename(&temporary, &self.0)
    }
}

fn read(path: &Path) -> io::Result<Remembered> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Remembered::default()),
        text => text?,
    };
    let Read {
        version,
        history,
        activities,
    } = serde_json::from_slice(&text)?;
    if version == VERSION {
        Ok(Remembered { history, activities })
    } else {
        Err(io::Error::other(format!("its form is {version}, here it is {VERSION}")))
    }
}

fn set_aside(path: &Path, error: &io::Error) -> String {
    let aside = path.with_extension("json.unreadable");
    let (path_text, aside_text) = (path.display(), aside.display());
    match fs::rename(path, &aside) {
        Ok(()) => {
            format!("{path_text} cannot be read ({error}): it is set aside as {aside_text}, and alarms begin anew")
        }
        Err(_) => format!("{path_text} cannot be read ({error}): alarms begin anew"),
    }
}

#[cfg(test)]
mod tests {
    use karma_ops::AlarmState;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let (file, remembered, note) = MemoryFile::open(directory.path());
        assert_eq!((remembered, note), (Remembered::default(), None));
        let change = AlarmChange {
            at: "2026-11-23T15:00:00Z".parse().unwrap(),
            alarm: "errors".to_owned(),
            from: AlarmState::Ok,
            to: AlarmState::Alarm,
            reason: "Threshold Crossed".to_owned(),
            actions: Vec::new(),
        };
        let history = VecDeque::from([change]);
        file.write(&history, &VecDeque::new()).unwrap();
        let (_, remembered, note) = MemoryFile::open(directory.path());
        assert_eq!((remembered.history, note), (history, None));
    }

    #[test]
    fn what_cannot_be_read_is_kept() {
        let check = |text: &str| {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("alarms.json"), text).unwrap();
            let (_, remembered, note) = MemoryFile::open(directory.path());
            assert_eq!(remembered, Remembered::default());
            assert!(note.unwrap().contains("set aside"));
            let kept = fs::read_to_string(directory.path().join("alarms.json.unreadable")).unwrap();
            assert_eq!(kept, text);
        };
        check("{");
        check(r#"{"version":9,"history":[],"activities":[]}"#);
    }
}
