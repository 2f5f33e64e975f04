//! The result of an install, as it is shown.

use std::time::Duration;

/// The numbers and messages of an install.
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
    /// Packages with scripts that were not run.
    pub scripts_skipped: Vec<String>,
    /// Unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Other warnings.
    pub warnings: Vec<String>,
    /// Counters by name.
    pub statistics: Vec<(&'static str, u64)>,
    /// The time the install took.
    pub elapsed: Duration,
    /// Whether only the lockfile was written.
    pub lockfile_only: bool,
}
