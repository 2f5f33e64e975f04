//! The result of an install, as it is shown.

use std::time::Duration;

/// Returns the line that names packages whose scripts were not run, ready to be pasted into
/// `package.json`; `None` where there are none.
#[must_use]
pub fn skipped_scripts(packages: &[String]) -> Option<String> {
    let key = |package: &String| match package.split_once("@file:") {
        Some((_, path)) => format!("\"file:{path}\": true"),
        None => {
            let name = package.rsplit_once('@').map_or(package.as_str(), |(name, _)| name);
            format!("\"{name}\": true")
        }
    };
    let mut keys: Vec<String> = packages.iter().map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    (!packages.is_empty()).then(|| {
        let (packages, keys) = (packages.join(", "), keys.join(", "));
        format!("install scripts not run: {packages}; to run them, add \"allowScripts\": {{ {keys} }} to package.json")
    })
}

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
