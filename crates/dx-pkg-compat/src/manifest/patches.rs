//! `patchedDependencies`: which patch file is for which version of a package.

use std::path::{Component, Path};

use dx_pkg_core::{Range, Version};
use serde_json::Value;

use super::ManifestError;

#[cfg(test)]
mod tests;

/// An entry of `patchedDependencies`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchRule {
    /// Its key: a name, or a name with a version or range.
    pub key: String,
    /// The name of the package, in the folder that it is installed in.
    pub name: String,
    /// The patch file, relative to the project.
    pub file: String,
    /// Whether the package is installed without it where it does not fit.
    pub is_optional: bool,
    /// Whether it is that of a requirement, which is its key.
    pub is_required: bool,
    versions: Versions,
}

/// The versions that a patch is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Versions {
    All,
    One(Version),
    In(Range),
    /// What is neither a version nor a range is for none.
    None,
}

/// The failure to choose between patches for a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbiguousPatch {
    /// The keys of two of them.
    pub keys: [String; 2],
}

/// Returns the entries of a `patchedDependencies`.
pub(super) fn rules(value: &Value) -> Result<Vec<PatchRule>, ManifestError> {
    let Value::Object(entries) = value else {
        return if super::foreign::is_filled(value) {
            Err(bad("it is not an object of packages and patch files".to_owned()))
        } else {
            Ok(Vec::new())
        };
    };
    entries.iter().map(|(key, value)| rule(key, value)).collect()
}

fn bad(what: String) -> ManifestError {
    ManifestError::PatchedDependencies { what }
}

fn rule(key: &str, value: &Value) -> Result<PatchRule, ManifestError> {
    let Value::String(file) = value else {
        return Err(bad(format!("{key:?} has no text as path of a patch file")));
    };
    if !is_inside(file) {
        return Err(bad(format!("{file:?}, the patch file of {key:?}, is outside the project")));
    }
    let at = key.char_indices().skip(1).find(|(_, character)| *character == '@');
    let (name, versions) = match at.map(|(at, _)| (&key[..at], &key[at + 1..])) {
        None => (key, Versions::All),
        Some((name, text)) => (name, versions(text)),
    };
    Ok(PatchRule {
        key: key.to_owned(),
        name: name.to_owned(),
        file: file.clone(),
        is_optional: false,
        is_required: false,
        versions,
    })
}

fn versions(text: &str) -> Versions {
    match (Version::parse(text), Range::parse(text)) {
        (Ok(version), _) => Versions::One(version),
        (_, Ok(range)) => Versions::In(range),
        _ => Versions::None,
    }
}

/// Returns whether a path relative to the project is one in it.
#[must_use]
pub fn is_inside(path: &str) -> bool {
    let mut depth = 0_i64;
    let path = Path::new(path);
    let stays = path.components().all(|component| {
        match component {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return false,
        }
        depth >= 0
    });
    stays && depth > 0
}

impl PatchRule {
    /// Returns the rule of a requirement `spec` for `name`, for the versions in `range`; for all
    /// where it has none.
    pub(crate) fn required(
        name: &str,
        range: Option<&str>,
        spec: &str,
        file: &str,
        is_optional: bool,
    ) -> Self {
        let versions = range.map_or(Versions::All, versions);
        let (key, name, file) = (spec.to_owned(), name.to_owned(), file.to_owned());
        PatchRule { key, name, file, is_optional, is_required: true, versions }
    }

    /// Returns whether another rule says the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.file, &self.versions) == (&other.name, &other.file, &other.versions)
    }

    /// Returns whether it is for this version.
    #[must_use]
    pub fn is_for(&self, version: &str) -> bool {
        match (&self.versions, Version::parse_loose(version)) {
            (Versions::All, _) => true,
            (Versions::One(one), Ok(version)) => *one == version,
            (Versions::In(range), Ok(version)) => range.satisfies(&version),
            _ => false,
        }
    }

    /// Returns the place that has it, in words.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self.is_required {
            true => self.key.clone(),
            false => format!("{} in patchedDependencies", self.key),
        }
    }

    /// Returns the patch for a package: the one for its version, or else the one with the
    /// narrowest range, or else the one for all versions.
    ///
    /// # Errors
    /// Two ranges have the version, and neither is part of the other.
    pub fn select<'r>(
        rules: &'r [PatchRule],
        name: &str,
        version: &str,
    ) -> Result<Option<&'r PatchRule>, AmbiguousPatch> {
        let version = Version::parse_loose(version).ok();
        let mut narrowest: Option<(&PatchRule, &Range)> = None;
        let mut general = None;
        for rule in rules.iter().filter(|rule| rule.name == name) {
            match (&rule.versions, &version) {
                (Versions::One(one), Some(version)) if one == version => return Ok(Some(rule)),
                (Versions::In(range), Some(version)) if range.satisfies(version) => {
                    narrowest = match narrowest {
                        Some((_, known)) if range.is_subset_of(known) => Some((rule, range)),
                        Some((first, known)) if !known.is_subset_of(range) => {
                            // One for the version itself settles it.
                            let one = Versions::One(version.clone());
                            let is_exact =
                                |rule: &&PatchRule| rule.name == name && rule.versions == one;
                            if let Some(exact) = rules.iter().find(is_exact) {
                                return Ok(Some(exact));
                            }
                            let keys = [first.key.clone(), rule.key.clone()];
                            return Err(AmbiguousPatch { keys });
                        }
                        Some(known) => Some(known),
                        None => Some((rule, range)),
                    };
                }
                (Versions::All, _) => general = general.or(Some(rule)),
                _ => {}
            }
        }
        Ok(narrowest.map(|(rule, _)| rule).or(general))
    }
}
