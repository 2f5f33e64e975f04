//! The document of a package, and the packument that it makes.

use crate::failure::Failure;
use dx_pkg_core::{PackageName, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A package that is published here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(crate) struct Hosted {
    /// The number of changes, which the revision that clients see is made of.
    pub(crate) changes: u64,
    /// The fields of the packument that come from the latest version's manifest, and its readme.
    pub(crate) fields: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The manifests, in the order of publication; `dist.tarball` is set when they are sent.
    pub(crate) versions: Map<String, Value>,
    /// `created`, `modified`, and the time of each version, removed ones included.
    pub(crate) times: BTreeMap<String, String>,
    /// The versions that were unpublished, with the time: they are never free again.
    pub(crate) removed: BTreeMap<String, String>,
    pub(crate) maintainers: Vec<Maintainer>,
    /// `public` or `restricted`; as the registry's rules have it where it is missing.
    pub(crate) access: Option<String>,
    /// What other parts of the registry keep about the package.
    pub(crate) settings: Map<String, Value>,
}

/// A user who may publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Maintainer {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: String,
}

impl Hosted {
    /// Returns whether it has a version.
    pub(crate) fn is_there(&self) -> bool {
        !self.versions.is_empty()
    }

    /// Returns the name, which each version's manifest has.
    pub(crate) fn name(&self) -> Option<&str> {
        self.versions.values().next()?.get("name")?.as_str()
    }

    /// Returns the revision that clients see.
    pub(crate) fn revision(&self) -> String {
        format!("{}-dx", self.changes)
    }

    /// Refuses a change of an outdated document.
    ///
    /// # Errors
    /// 409.
    pub(crate) fn check_revision(&self, revision: &str) -> Result<(), Failure> {
        if revision == self.revision() {
            return Ok(());
        }
        Err(Failure::conflict(format!(
            "the package was changed meanwhile (its revision is {}, not {revision}): try again",
            self.revision()
        )))
    }

    /// Returns the integrity of a version's tarball.
    pub(crate) fn integrity(&self, version: &str) -> Option<&str> {
        self.versions.get(version)?.get("dist")?.get("integrity")?.as_str()
    }

    /// Writes the packument, with `dist.tarball` still to be set.
    pub(crate) fn packument(&self, name: &PackageName) -> Value {
        let mut packument = json!({ "_id": name.as_str(), "name": name.as_str() });
        if let Some(packument) = packument.as_object_mut() {
            for (key, value) in &self.fields {
                packument.insert(key.clone(), value.clone());
            }
            packument.insert("dist-tags".to_owned(), json!(self.tags));
            packument.insert("maintainers".to_owned(), json!(self.maintainers));
            packument.insert("time".to_owned(), json!(self.times));
            packument.insert("versions".to_owned(), Value::Object(self.versions.clone()));
        }
        packument
    }

    /// Takes note of a change at this time.
    pub(crate) fn touch(&mut self, now: &str) {
        self.changes += 1;
        self.times.entry("created".to_owned()).or_insert_with(|| now.to_owned());
        self.times.insert("modified".to_owned(), now.to_owned());
    }

    /// Unpublishes a version, and drops its tags.
    pub(crate) fn remove(&mut self, version: &str, now: &str) {
        if self.versions.shift_remove(version).is_some() {
            self.removed.insert(version.to_owned(), now.to_owned());
            self.tags.retain(|_, tagged| tagged != version);
        }
    }

    /// Sets `latest` to the highest version if it has none: a full release before a prerelease.
    pub(crate) fn ensure_latest(&mut self) {
        if self.tags.contains_key("latest") {
            return;
        }
        let parsed = self.versions.keys().filter_map(|version| {
            let parsed = Version::parse_loose(version).ok()?;
            Some(((parsed.prerelease().is_empty(), parsed), version))
        });
        if let Some((_, version)) = parsed.max_by(|(a, _), (b, _)| a.cmp(b)) {
            self.tags.insert("latest".to_owned(), version.clone());
        }
    }
}

/// Checks the name of a dist-tag.
///
/// # Errors
/// 400 for one that would be taken for a version or a range, or that no URL can hold.
pub(crate) fn check_tag(tag: &str) -> Result<(), Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()+@".contains(&byte);
    let fits = (1..=214).contains(&tag.len()) && tag.bytes().all(is_plain);
    if !fits || tag.starts_with('.') {
        return Err(Failure::bad_request(format!("{tag:?} cannot be a dist-tag")));
    }
    if dx_pkg_core::Range::parse(tag).is_ok() {
        let message = format!("{tag:?} cannot be a dist-tag: it reads as a version or a range");
        return Err(Failure::bad_request(message));
    }
    Ok(())
}
