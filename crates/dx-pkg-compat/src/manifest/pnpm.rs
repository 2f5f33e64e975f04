//! The settings of pnpm, and those of Yarn that are the same, that change which packages are
//! installed. [`crate::homes::Home::complete`] has put them into [`Manifest::manager_settings`],
//! from wherever the project's manager reads them.

use dx_pkg_core::Range;
use dx_pkg_resolve::rules::{AllowedPeer, Exceptions};
use serde_json::Value;

use super::{Manifest, ManifestError};

#[cfg(test)]
mod tests;

/// The settings that are carried out.
pub(crate) const CARRIED_OUT: [&str; 8] = [
    "packageExtensions",
    "patchedDependencies",
    "allowUnusedPatches",
    "allowNonAppliedPatches",
    "ignorePatchFailures",
    "peerDependencyRules",
    "ignoredOptionalDependencies",
    "supportedArchitectures",
];

/// The platforms that packages are installed for, each list in the words of Node.js; `current` is
/// this machine's, as is an empty list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Architectures {
    /// Operating systems.
    pub os: Vec<String>,
    /// Processors.
    pub cpu: Vec<String>,
    /// C libraries.
    pub libc: Vec<String>,
}

impl Manifest {
    /// Returns whether pnpm's settings let a patch be for no package.
    #[must_use]
    pub fn allows_unused_patches(&self) -> bool {
        let keys = ["allowUnusedPatches", "allowNonAppliedPatches"];
        keys.iter().any(|key| self.manager_settings.get(*key) == Some(&Value::Bool(true)))
    }

    /// Returns whether pnpm's settings let a package be installed without a patch that does not
    /// fit.
    #[must_use]
    pub fn ignores_patch_failures(&self) -> bool {
        self.manager_settings.get("ignorePatchFailures") == Some(&Value::Bool(true))
    }

    /// Returns the exceptions that pnpm's settings make from what packages require. What they say
    /// of missing peers means nothing here: these are installed.
    ///
    /// # Errors
    /// A setting that cannot be understood.
    pub fn exceptions(&self) -> Result<Exceptions, ManifestError> {
        let settings = &self.manager_settings;
        let rules = settings.get("peerDependencyRules");
        let rule = |key: &str| rules.and_then(|rules| rules.get(key));
        Ok(Exceptions {
            allowed_peers: allowed_peers(rule("allowedVersions"))?,
            any_peers: texts(rule("allowAny"), "peerDependencyRules.allowAny")?,
            ignored_optional: texts(
                settings.get("ignoredOptionalDependencies"),
                "ignoredOptionalDependencies",
            )?,
        })
    }

    /// Returns the platforms that pnpm's settings name.
    ///
    /// # Errors
    /// A setting that cannot be understood.
    pub fn architectures(&self) -> Result<Architectures, ManifestError> {
        let named = self.manager_settings.get("supportedArchitectures");
        let list = |key: &str| {
            let value = named.and_then(|named| named.get(key));
            texts(value, &format!("supportedArchitectures.{key}"))
        };
        Ok(Architectures { os: list("os")?, cpu: list("cpu")?, libc: list("libc")? })
    }
}

fn bad(what: String) -> ManifestError {
    ManifestError::Pnpm { what }
}

fn texts(value: Option<&Value>, key: &str) -> Result<Vec<String>, ManifestError> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
            .ok_or_else(|| bad(format!("{key} is not a list of texts"))),
        Some(_) => Err(bad(format!("{key} is not a list of texts"))),
    }
}

/// Reads `{"react": "17", "a>react": "^16 || 17"}`.
fn allowed_peers(value: Option<&Value>) -> Result<Vec<AllowedPeer>, ManifestError> {
    let key = "peerDependencyRules.allowedVersions";
    let entries = match value {
        None => return Ok(Vec::new()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err(bad(format!("{key} is not an object of peers and ranges"))),
    };
    let entry = |(selector, range): (&String, &Value)| {
        let range = range.as_str().filter(|range| Range::parse(range).is_ok());
        let range = range.ok_or_else(|| bad(format!("{key} has no range for {selector:?}")))?;
        let (dependent, name) = match selector.split_once('>') {
            Some((dependent, name)) => (Some(without_range(dependent)), name),
            None => (None, selector.as_str()),
        };
        let range = range.to_owned();
        Ok(AllowedPeer { dependent, name: name.trim().to_owned(), range })
    };
    entries.iter().map(entry).collect()
}

/// Returns the name of a package that may have a range, which does not count.
fn without_range(selector: &str) -> String {
    let selector = selector.trim();
    let at = selector.char_indices().skip(1).find(|(_, character)| *character == '@');
    at.map_or(selector, |(at, _)| &selector[..at]).to_owned()
}
