//! The result of an install, as it is shown.

mod changes;
pub mod conflicts;
mod direct;
mod fewer;
mod json;
mod text;

use std::time::Duration;

use dx_pkg_compat::manifest::Section;

use conflicts::ExplainedConflict;

pub(crate) use changes::{Changes, Lists, Scope, of_record, version_in};
pub(crate) use direct::{Direct, Named};
pub use dx_pkg_resolve::dedupe::{Fewer, Score};
pub use text::count;

/// The numbers, lists and messages of an install.
#[derive(Debug, Default, Clone)]
pub struct Summary {
    /// Packages put in place where there was none.
    pub added: u64,
    /// Packages removed.
    pub removed: u64,
    /// Packages put in place of another.
    pub changed: u64,
    /// Packages installed in all.
    pub packages: usize,
    /// The packages that were added, changed and removed, in this order, each by path: those that
    /// the project requires, or all ([`crate::Options::lists_all`]).
    pub changes: Vec<ChangedPackage>,
    /// Packages that a change of requirements names and that stay as they are, in words.
    pub unchanged: Vec<String>,
    /// The deprecated packages that were added or changed, direct dependencies first.
    pub deprecated: Vec<Deprecation>,
    /// Packages with scripts that were not run.
    pub scripts_skipped: Vec<String>,
    /// Unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Those that an earlier install here has told of.
    pub told_before: Vec<String>,
    /// The reasons of those that are new, and the changes that would end them.
    pub explained: Vec<ExplainedConflict>,
    /// Packages that have another version than by npm's rules, so that peers agree, in words.
    pub solved: Vec<String>,
    /// What a search for fewer versions came to.
    pub fewer: Option<Fewer>,
    /// Other warnings.
    pub warnings: Vec<String>,
    /// Counters by name.
    pub statistics: Vec<(&'static str, u64)>,
    /// The time the install took.
    pub elapsed: Duration,
    /// Whether only the lockfile was written.
    pub lockfile_only: bool,
    /// The files of the project that would be written, after a dry run: nothing was changed.
    pub would_write: Option<Vec<String>>,
}

/// A package that was added to the tree, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPackage {
    /// The change.
    pub kind: ChangeKind,
    /// The name of its folder; for an alias not the package's name.
    pub name: String,
    /// Its path relative to the project.
    pub path: String,
    /// The version before, where that is known.
    pub before: Option<String>,
    /// The version now, where the package has one.
    pub version: Option<String>,
    /// The section in which the project or a workspace requires it, if they do.
    pub section: Option<Section>,
}

/// The change of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was put where there was none.
    Added,
    /// It was put in place of another, or restored.
    Changed,
    /// It was taken away.
    Removed,
}

/// A deprecated package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    /// The package's name; of an alias not that of its folder.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its path relative to the project.
    pub path: String,
    /// The registry's message.
    pub message: String,
    /// Whether the project or a workspace requires it.
    pub is_direct: bool,
}
