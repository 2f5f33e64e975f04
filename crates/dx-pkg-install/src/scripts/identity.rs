//! Whether a package is the one that its name says: scripts are allowed to packages, not to names.
//!
//! A lockfile may give an allowed name to any tarball. So a package counts as the one of its
//! registry only if it comes from where the registry has that very version, or the registry's
//! metadata names the tarball; and its own `package.json` has to have the same name and version.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_acquire::Context;
use dx_pkg_acquire::exact::is_offered;
use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::package::label;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::Version;
use dx_pkg_lock::LockPackage;
use dx_pkg_store::Store;

use super::policy::registry_name;
use crate::{Events, InstallError};

/// What is known of packages that are allowed by their names.
pub(super) struct Identities {
    context: Arc<Context>,
    /// Whether metadata vouches for the packages at these paths, each with its label.
    asked: Mutex<BTreeMap<String, (bool, String)>>,
}

impl Identities {
    pub(super) fn new(context: Arc<Context>) -> Self {
        Identities { context, asked: Mutex::default() }
    }

    /// Returns whether a package is the registry's package of this name and version. The registry
    /// is asked only where the address does not tell.
    pub(super) fn is_vouched(&self, package: &LockPackage, name: &str, version: &str) -> bool {
        let rules = self.context.sources();
        if rules.is_ok_and(|rules| rules.is_version(package, name, version)) {
            return true;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, _)) = asked.get(&package.path) {
            return *known;
        }
        // Of an entry the registry knows its own name only, not one that an address tells.
        let named = LockPackage {
            name: Some(name.to_owned()),
            version: Some(version.to_owned()),
            ..package.clone()
        };
        // Without an answer nothing vouches.
        let is_offered = is_offered(&self.context, &named).unwrap_or(false);
        asked.insert(package.path.clone(), (is_offered, label(package)));
        is_offered
    }

    pub(super) fn store(&self) -> &Store {
        &self.context.store
    }

    /// Returns whether a package comes from an address at which its registry has no tarballs.
    pub(super) fn is_elsewhere(&self, package: &LockPackage) -> bool {
        self.context.sources().is_ok_and(|rules| rules.is_elsewhere(package))
    }

    /// Returns whether a package was found not to be the one that its name says.
    pub(super) fn is_known_to_differ(&self, package: &LockPackage) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&package.path).is_some_and(|(is_offered, _)| !is_offered)
    }

    /// Reports the packages that are allowed by a name for which nothing vouches.
    pub(super) fn report(&self, events: &dyn Events) {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = asked.values().filter(|(is_offered, _)| !is_offered);
        let mut unknown: Vec<&str> = unknown.map(|(_, label)| label.as_str()).collect();
        unknown.dedup();
        if !unknown.is_empty() {
            events.warning(&format!(
                "install scripts not run: {} come from another place than the registry has them, \
                 so their names do not allow it; correct the lockfile, or allow the address itself",
                unknown.join(", ")
            ));
        }
    }
}

/// Returns whether an installed package's own manifest has the name and version by which its
/// scripts are allowed; else the user is told.
///
/// # Errors
/// The manifest cannot be read.
pub(super) fn agrees(
    package: &LockPackage,
    root: &Path,
    events: &dyn Events,
) -> Result<bool, InstallError> {
    let Some((name, version)) = registry_name(package) else { return Ok(true) };
    let path = root.join(&package.path).join("package.json");
    let manifest = read_text(&path)?;
    let manifest = manifest.and_then(|text| Manifest::parse(&text).ok()).unwrap_or_default();
    let parse = |text: &str| Version::parse_loose(text).ok();
    let own = manifest.version.as_deref().unwrap_or_default();
    let is_same = manifest.name.as_deref() == Some(name)
        && (own == version || parse(own).is_some() && parse(own) == parse(version));
    if !is_same {
        let claimed = manifest.name.as_deref().unwrap_or("nothing");
        events.warning(&format!(
            "install scripts of {name}@{version} not run: its own package.json says that it is \
             {claimed}@{own}"
        ));
    }
    Ok(is_same)
}

#[cfg(test)]
mod tests;
