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
    /// The changes that a dry run found, of which none was made.
    pub preview: Option<Preview>,
}

/// What an install would change.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Packages and links that are missing.
    pub(crate) add: Vec<PackageVersion>,
    /// Packages and links that would be replaced.
    pub(crate) change: Vec<PackageChange>,
    /// Packages and links that would be removed.
    pub(crate) remove: Vec<PackageVersion>,
    /// The files of the project that would be written.
    pub files: Vec<&'static str>,
}

/// A package at a place in the tree.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackageVersion {
    /// The name under which it is installed.
    pub(crate) name: String,
    /// Its version; empty where none is known.
    pub(crate) version: String,
    /// Its path, relative to the project.
    pub(crate) path: String,
}

/// A package in place of another.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackageChange {
    /// The package that is there.
    pub(crate) from: PackageVersion,
    /// The one that would be.
    pub(crate) to: PackageVersion,
}

impl PackageVersion {
    fn parts(&self) -> [&str; 3] {
        [&self.name, &self.version, &self.path]
    }
}

impl Preview {
    /// Returns name, version and path of each package that would be added.
    #[must_use]
    pub fn added(&self) -> Vec<[&str; 3]> {
        self.add.iter().map(PackageVersion::parts).collect()
    }

    /// Returns the same of each package that would be removed.
    #[must_use]
    pub fn removed(&self) -> Vec<[&str; 3]> {
        self.remove.iter().map(PackageVersion::parts).collect()
    }

    /// Returns the same of each package that would be replaced, and of the one in its place.
    #[must_use]
    pub fn changed(&self) -> Vec<[[&str; 3]; 2]> {
        self.change.iter().map(|change| [change.from.parts(), change.to.parts()]).collect()
    }

    /// Returns a line for each package, in the order of their names.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |mark: &str, package: &PackageVersion, rest: &str| {
            format!("{mark} {} {}{rest}", package.name, package.version).trim_end().to_owned()
        };
        let added = self.add.iter().map(|package| line("+", package, ""));
        let changed = self
            .change
            .iter()
            .map(|change| line("~", &change.from, &format!(" -> {}", change.to.version)));
        let removed = self.remove.iter().map(|package| line("-", package, ""));
        added.chain(changed).chain(removed).collect()
    }

    /// Returns the sentence that ends a dry run.
    #[must_use]
    pub fn sentence(&self) -> String {
        let packages = |number: usize| match number {
            1 => "1 package".to_owned(),
            number => format!("{number} packages"),
        };
        let counts: Vec<String> =
            [("add", self.add.len()), ("change", self.change.len()), ("remove", self.remove.len())]
                .into_iter()
                .filter(|(_, number)| *number > 0)
                .map(|(word, number)| format!("{word} {}", packages(number)))
                .chain(
                    (!self.files.is_empty()).then(|| format!("write {}", self.files.join(" and "))),
                )
                .collect();
        if counts.is_empty() {
            return "Dry run: nothing would change".to_owned();
        }
        format!("Dry run: would {}; nothing was written", counts.join(", "))
    }

    pub(crate) fn sort(&mut self) {
        self.add.sort();
        self.change.sort();
        self.remove.sort();
    }
}
