//! What is known of a project's installs: whether trees prepared for it were used.
//!
//! `prepared/projects/<digest>` has two lines: version 1, the time at which the project was first
//! seen, that of the last use or `-`, and the preparations since, separated by spaces; then the
//! project's folder. Times are in seconds since 1970. The digest is that of the folder. A file that
//! does not read like this counts as missing. What to make of it is the caller's business.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dx_pkg_os::files::Dir;

use crate::jobs::project_name;
use crate::layout::{NOTE_LIMIT, absolute_path};
use crate::{Store, StoreError};

const PROJECTS: &str = "projects";
/// The age at which the file of a project that installs nothing any more is removed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// What is known of a project's installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// When maintenance first saw the project.
    pub first_seen: SystemTime,
    /// When a prepared tree was last used for it, or a whole tree was put in place again.
    pub last_use: Option<SystemTime>,
    /// How often a tree was prepared since then.
    pub preparations: u32,
}

impl Habits {
    /// Returns the habits of a project that was not seen before.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        Habits { first_seen: now, last_use: None, preparations: 0 }
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next();
        let time = |word: &str| UNIX_EPOCH.checked_add(Duration::from_secs(word.parse().ok()?));
        (next()? == "1").then_some(())?;
        let first_seen = time(next()?)?;
        let last_use = match next()? {
            "-" => None,
            word => Some(time(word)?),
        };
        let preparations = next()?.parse().ok()?;
        words.next().is_none().then_some(Habits { first_seen, last_use, preparations })
    }

    fn line(&self) -> String {
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string()
        };
        let used = self.last_use.map_or_else(|| "-".to_owned(), seconds);
        format!("1 {} {used} {}", seconds(self.first_seen), self.preparations)
    }
}

impl Store {
    /// Returns what is known of a project; `None` if it was not seen yet.
    #[must_use]
    pub fn habits(&self, project: &Path) -> Option<Habits> {
        let projects = self.prepared_part(PROJECTS)?;
        let text = read_note(&projects, &project_name(project))?;
        let (line, folder) = text.split_once('\n')?;
        let habits = Habits::parse(line)?;
        (absolute_path(folder.as_bytes())? == project).then_some(habits)
    }

    /// Returns when a tree was last used in any project; `None` if in none.
    #[must_use]
    pub fn last_use(&self) -> Option<SystemTime> {
        let projects = self.prepared_part(PROJECTS)?;
        let used = |name: OsString| {
            let text = read_note(&projects, name.to_str()?)?;
            Habits::parse(text.lines().next()?)?.last_use
        };
        projects.entries().ok()?.into_iter().filter_map(|entry| used(entry.name)).max()
    }

    /// Records what is known of a project.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn record_habits(&self, project: &Path, habits: &Habits) -> Result<(), StoreError> {
        let text =
            [habits.line().as_bytes(), b"\n", project.as_os_str().as_encoded_bytes()].concat();
        self.write_prepared_part(PROJECTS, project_name(project), &text)
    }

    /// Removes the files of projects that have installed nothing for long. One that cannot be
    /// removed stays.
    pub(crate) fn forget_old_habits(&self, now: SystemTime) {
        let Some(projects) = self.prepared_part(PROJECTS) else { return };
        for entry in projects.entries().unwrap_or_default() {
            let modified = projects.modified(&entry.name);
            let age = modified.and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > FORGOTTEN_AFTER) {
                let _ = projects.remove_file(&entry.name);
            }
        }
    }
}

fn read_note(projects: &Dir, name: &str) -> Option<String> {
    String::from_utf8(projects.read_file(name, NOTE_LIMIT).ok()?).ok()
}

#[cfg(test)]
mod tests;
