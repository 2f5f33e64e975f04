//! The settings of pnpm in `package.json` that change which packages are installed. pnpm reads
//! them there up to version 10, and so does dx, in a project that names such a pnpm as its package
//! manager.

use dx_pkg_core::Range;
use dx_pkg_resolve::rules::{AllowedPeer, Exceptions};
use serde_json::{Map, Value};

use super::{Manifest, ManifestError};

#[cfg(test)]
mod tests;

/// The first major version of pnpm that does not read them.
const NOT_SINCE: u64 = 11;

/// The settings that are carried out.
const CARRIED_OUT: [&str; 7] = [
    "packageExtensions",
    "patchedDependencies",
    "allowUnusedPatches",
    "allowNonAppliedPatches",
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

/// Returns the settings of `pnpm`, if the project's package manager reads them.
pub(super) fn settings(manifest: &Manifest) -> Option<&Map<String, Value>> {
    let dev_engine =
        manifest.dev_engines.as_ref().and_then(|engines| engines.get("packageManager"));
    let of_engine = || {
        let engine = dev_engine?;
        let version = engine.get("version").and_then(Value::as_str);
        Some((engine.get("name")?.as_str()?, version))
    };
    let of_field = || {
        let field = manifest.package_manager.as_deref()?;
        Some(field.split_once('@').map_or((field, None), |(name, version)| (name, Some(version))))
    };
    let (name, version) = of_field().or_else(of_engine)?;
    let digits =
        version.unwrap_or_default().trim_start_matches(|first: char| !first.is_ascii_digit());
    let major =
        digits.split(|c: char| !c.is_ascii_digit()).next().and_then(|text| text.parse().ok());
    let reads = name == "pnpm" && major.is_none_or(|major: u64| major < NOT_SINCE);
    manifest.raw.get("pnpm").and_then(Value::as_object).filter(|_| reads)
}

/// Returns whether a setting in `pnpm` is carried out.
pub(super) fn is_carried_out(manifest: &Manifest, key: &str) -> bool {
    CARRIED_OUT.contains(&key) && settings(manifest).is_some()
}

impl Manifest {
    /// Returns whether pnpm's settings let a patch be for no package.
    #[must_use]
    pub fn allows_unused_patches(&self) -> bool {
        let keys = ["allowUnusedPatches", "allowNonAppliedPatches"];
        settings(self).is_some_and(|settings| {
            keys.iter().any(|key| settings.get(*key) == Some(&Value::Bool(true)))
        })
    }

    /// Returns the exceptions that pnpm's settings make from what packages require. What they say
    /// of missing peers means nothing here: these are installed.
    ///
    /// # Errors
    /// A setting that cannot be understood.
    pub fn exceptions(&self) -> Result<Exceptions, ManifestError> {
        let Some(settings) = settings(self) else { return Ok(Exceptions::default()) };
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
        let named = settings(self).and_then(|settings| settings.get("supportedArchitectures"));
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
