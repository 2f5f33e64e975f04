//! Decides whether a project's next tree is worth preparing, from what its installs were so far.
//!
//! A tree is **used** when a project gets a whole tree again: a prepared one, or one that is built
//! because none was ready. That is a removed `node_modules`, `dx ci`, another branch without a tree
//! in place, or a second checkout, which counts for the first one too. The rules and their reasons
//! are in docs/design/0004-prepared-trees.md.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_store::preparation::{Habits, PreparedKey, TreeOrigin};
use dx_pkg_store::{PrepareJob, Store, StoreError};

use crate::session::PreparedTrees;
use crate::summary::count;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// After a use, trees are prepared for so long.
pub(crate) const USED_WITHIN: Duration = DAY.saturating_mul(14);
/// For a new project, trees are prepared for so long, if there is a sign that they will be used.
pub(crate) const NEW_FOR: Duration = DAY.saturating_mul(3);
/// For a new project, trees are prepared so often without one being used.
pub(crate) const UNUSED_PREPARATIONS: u32 = 5;

/// Whether the next tree of a project is likely to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// A tree was used so long ago, which is not long.
    Used(Duration),
    /// The project is new: its first install was so long ago. A setting asks for trees, or one was
    /// used in another project of the user's lately.
    New(Duration),
    /// The project is new, and nothing tells that its trees would be used.
    NoSign,
    /// The project is new, and so many trees were prepared without one being used.
    NeverUsed(u32),
    /// No tree was used for so long.
    NotUsedFor(Duration),
}

impl Outlook {
    /// Returns the outlook of a project's habits. `has_sign` is asked where the project itself does
    /// not tell.
    pub(crate) fn of(habits: &Habits, now: SystemTime, has_sign: impl FnOnce() -> bool) -> Self {
        let known_for = since(habits.first_seen, now);
        match habits.last_use.map(|time| since(time, now)) {
            Some(since) if since <= USED_WITHIN => Self::Used(since),
            Some(since) => Self::NotUsedFor(since),
            None if known_for > NEW_FOR => Self::NotUsedFor(known_for),
            None if habits.preparations >= UNUSED_PREPARATIONS => {
                Self::NeverUsed(habits.preparations)
            }
            None if has_sign() => Self::New(known_for),
            None => Self::NoSign,
        }
    }

    /// Returns whether a tree is prepared.
    #[must_use]
    pub(crate) fn is_likely(self) -> bool {
        matches!(self, Self::Used(_) | Self::New(_))
    }
}

/// What a job tells of the habits of its project, and of the one that it shares its lock with.
pub(crate) struct Lesson<'j> {
    job: &'j PrepareJob,
    habits: Habits,
    /// The project that the tree was prepared for, where it was used in another one.
    sharer: Option<(PathBuf, Habits)>,
    now: SystemTime,
}

impl<'j> Lesson<'j> {
    /// Returns what a job tells, before its tree is recorded under `key`.
    pub(crate) fn of(store: &Store, job: &'j PrepareJob, key: PreparedKey) -> Self {
        let now = SystemTime::now();
        let known = store.habits(&job.project);
        let other = store.prepared_project(key).filter(|other| *other != job.project);
        let is_use = match job.tree {
            TreeOrigin::Prepared => true,
            TreeOrigin::Built => known.is_some() || other.is_some(),
            TreeOrigin::Changed => false,
        };
        let mut lesson =
            Lesson { job, habits: known.unwrap_or_else(|| Habits::new(now)), sharer: None, now };
        if is_use {
            let used = |habits| Habits { last_use: Some(now), preparations: 0, ..habits };
            lesson.habits = used(lesson.habits);
            lesson.sharer = other.and_then(|other| {
                let habits = used(store.habits(&other)?);
                Some((other, habits))
            });
        }
        lesson
    }

    pub(crate) fn outlook(&self, store: &Store, trees: PreparedTrees) -> Outlook {
        Outlook::of(&self.habits, self.now, || has_sign(store, trees, self.now))
    }

    /// Records it, once the job is done: a job that is cancelled comes again.
    pub(crate) fn record(mut self, store: &Store, was_prepared: bool) -> Result<(), StoreError> {
        self.habits.preparations = self.habits.preparations.saturating_add(was_prepared.into());
        store.record_habits(&self.job.project, &self.habits)?;
        self.sharer.map_or(Ok(()), |(other, habits)| store.record_habits(&other, &habits))
    }
}

/// Returns whether a new project's trees are likely to be used: a setting asks for them, or a tree
/// was used in any project lately.
fn has_sign(store: &Store, trees: PreparedTrees, now: SystemTime) -> bool {
    trees.is_asked || store.last_use().is_some_and(|time| since(time, now) <= USED_WITHIN)
}

/// Returns how long ago a time was. One in the future only means that the clock was set back.
fn since(time: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(time).unwrap_or_default()
}

/// Returns whether trees are prepared for a project and why, in a sentence.
pub(crate) fn explain(store: &Store, trees: PreparedTrees, project: &Path) -> (bool, String) {
    let now = SystemTime::now();
    let known = store.habits(project);
    let is_known = known.is_some();
    let habits = known.unwrap_or_else(|| Habits::new(now));
    let outlook = Outlook::of(&habits, now, || has_sign(store, trees, now));
    if !is_known && outlook.is_likely() {
        return (
            true,
            "Trees are prepared for this project after its next install: it is new".to_owned(),
        );
    }
    let days = |time: Duration| count(time.as_secs() / DAY.as_secs(), "day");
    let reason = match outlook {
        Outlook::Used(since) if since < DAY => {
            "a whole tree was put in place again today".to_owned()
        }
        Outlook::Used(since) => format!("a whole tree was put in place again {} ago", days(since)),
        Outlook::New(_) => {
            format!("it is new, and so it is for {} or {UNUSED_PREPARATIONS} trees", days(NEW_FOR))
        }
        Outlook::NoSign => format!(
            "it is new, and no project needed a whole tree again for {}; they are once this one does",
            days(USED_WITHIN)
        ),
        Outlook::NeverUsed(trees) => {
            format!("{trees} were, and none was used; they are again once a whole tree was needed")
        }
        Outlook::NotUsedFor(since) => {
            format!("no whole tree was needed for {}; they are again once one was", days(since))
        }
    };
    let begin = if outlook.is_likely() { "Trees are" } else { "No trees are" };
    (outlook.is_likely(), format!("{begin} prepared for this project: {reason}"))
}

#[cfg(test)]
mod tests;
