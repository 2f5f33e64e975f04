//! Which package manager a project belongs to.

use serde_json::Value;

use super::{BUNFIG, PNPM_WORKSPACE, YARNRC};
use crate::manifest::Manifest;

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// npm, and dx.
    Npm,
    /// pnpm
    Pnpm,
    /// Yarn
    Yarn,
    /// Bun
    Bun,
}

impl Manager {
    /// Returns its name, as `packageManager` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Bun => "bun",
        }
    }

    /// Returns the file that it reads settings from, besides npm's.
    #[must_use]
    pub const fn settings_file(self) -> Option<&'static str> {
        match self {
            Self::Npm => None,
            Self::Pnpm => Some(PNPM_WORKSPACE),
            Self::Yarn => Some(YARNRC),
            Self::Bun => Some(BUNFIG),
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Npm, Self::Pnpm, Self::Yarn, Self::Bun].into_iter().find(|one| one.name() == name)
    }
}

/// The package manager that a project belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The manager; npm where nothing names another.
    pub manager: Manager,
    /// Its major version, where the manifest tells.
    pub major: Option<u64>,
    /// Whether the manifest names the manager.
    pub is_named: bool,
}

/// The files that tell whose a project is, the surest first. A `package-lock.json` tells nothing:
/// dx writes one into every project.
const SIGNS: [(&str, Manager); 7] = [
    ("pnpm-lock.yaml", Manager::Pnpm),
    ("bun.lock", Manager::Bun),
    ("bun.lockb", Manager::Bun),
    ("yarn.lock", Manager::Yarn),
    (PNPM_WORKSPACE, Manager::Pnpm),
    (YARNRC, Manager::Yarn),
    (BUNFIG, Manager::Bun),
];

impl Owner {
    /// A project that nothing says anything about.
    pub const NPM: Owner = Owner { manager: Manager::Npm, major: None, is_named: false };

    /// Returns whose a project is: what `packageManager` says, else `devEngines.packageManager`,
    /// else which lockfiles and settings files there are (`has`), else the field `pnpm`.
    pub fn of(manifest: &Manifest, has: impl Fn(&str) -> bool) -> Self {
        if let Some(owner) = manifest.package_manager.as_deref().and_then(package_manager) {
            return owner;
        }
        let engines =
            manifest.dev_engines.as_ref().and_then(|engines| engines.get("packageManager"));
        if let Some(owner) = engines.and_then(dev_engine) {
            return owner;
        }
        let unnamed = |manager| Owner { manager, major: None, is_named: false };
        if let Some((_, manager)) = SIGNS.iter().find(|(file, _)| has(file)) {
            return unnamed(*manager);
        }
        match manifest.raw.get("pnpm") {
            Some(Value::Object(_)) => unnamed(Manager::Pnpm),
            _ => Owner::NPM,
        }
    }

    /// Returns whether npm is named, so that the fields of other managers mean nothing.
    #[must_use]
    pub fn is_npm(self) -> bool {
        self.manager == Manager::Npm && self.is_named
    }

    /// Returns whether pnpm reads nothing in `.npmrc` but registries and credentials.
    #[must_use]
    pub fn keeps_npmrc_to_registries(self) -> bool {
        self.manager == Manager::Pnpm && self.major.is_some_and(|major| major >= 11)
    }
}

/// Reads `pnpm@9.1.0+sha512.abc`; the version may also be an address, which tells nothing.
fn package_manager(text: &str) -> Option<Owner> {
    let (name, version) = text.trim().split_once('@').unwrap_or((text.trim(), ""));
    let manager = Manager::named(name)?;
    Some(Owner { manager, major: major(version), is_named: true })
}

fn dev_engine(value: &Value) -> Option<Owner> {
    let one = |entry: &Value| {
        let manager = Manager::named(entry.get("name")?.as_str()?)?;
        let version = entry.get("version").and_then(Value::as_str).unwrap_or_default();
        Some(Owner { manager, major: major(version), is_named: true })
    };
    match value {
        Value::Array(entries) => entries.iter().find_map(one),
        entry => one(entry),
    }
}

/// Returns the first number of a version or range.
fn major(version: &str) -> Option<u64> {
    let rest = version.trim_start_matches(|first: char| "^~>=v ".contains(first));
    let digits = rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}
