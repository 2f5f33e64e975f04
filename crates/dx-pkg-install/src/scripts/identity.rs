//! Whether a package is the one that its name says: scripts are allowed to packages, not to names.
//!
//! A lockfile may give an allowed name to any tarball. So a package counts as the one of its
//! registry only if it comes from where the registry has that very version, or the registry's
//! metadata names the tarball; and its own `package.json` has to have the same name and version.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_acquire::exact::is_offered;
use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::package::label;
use dx_pkg_acquire::{AcquireError, Context};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::Version;
use dx_pkg_lock::LockPackage;
use dx_pkg_store::Store;

use super::policy::registry_name;
use crate::{Events, InstallError};

/// What is known of packages that are allowed by their names.
pub(super) struct Identities {
    context: Arc<Context>,
    /// What the registry says of the packages at these paths.
    asked: Mutex<BTreeMap<String, Answer>>,
}

/// What the registry says of a package.
struct Answer {
    /// The package, as messages name it.
    label: String,
    /// Whether it offers that version with these bytes, or why it did not say so.
    is_offered: Result<bool, AcquireError>,
}

impl Answer {
    fn is_offered(&self) -> bool {
        matches!(self.is_offered, Ok(true))
    }

    /// Returns whether the registry was asked and did not answer.
    fn has_failed(&self) -> bool {
        !matches!(self.is_offered, Ok(_) | Err(AcquireError::Offline { .. }))
    }
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
        if let Some(known) = asked.get(&package.path) {
            return known.is_offered();
        }
        // Of an entry the registry knows its own name only, not one that an address tells.
        let named = LockPackage {
            name: Some(name.to_owned()),
            version: Some(version.to_owned()),
            ..package.clone()
        };
        let is_offered = is_offered(&self.context, &named);
        let answer = Answer { label: label(package), is_offered };
        let is_vouched = answer.is_offered();
        asked.insert(package.path.clone(), answer);
        is_vouched
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
        asked.get(&package.path).is_some_and(|answer| !answer.is_offered())
    }

    /// Reports the packages that are allowed by a name for which nothing vouches.
    ///
    /// # Errors
    /// The registry did not answer, so that it is not known of whom they are.
    pub(super) fn report(&self, events: &dyn Events) -> Result<(), InstallError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = asked.iter().find(|(_, answer)| answer.has_failed());
        let failed = failed.map(|(path, _)| path.clone()).and_then(|path| asked.remove(&path));
        if let Some(Answer { is_offered: Err(error), .. }) = failed {
            return Err(error.into());
        }
        let labels = |is_offline: bool| {
            let of_kind = asked
                .values()
                .filter(|answer| !answer.is_offered() && answer.is_offered.is_err() == is_offline);
            let mut labels: Vec<&str> = of_kind.map(|answer| answer.label.as_str()).collect();
            labels.dedup();
            labels.join(", ")
        };
        let elsewhere = labels(false);
        if !elsewhere.is_empty() {
            events.warning(&format!(
                "install scripts not run: {elsewhere} come from another place than the registry \
                 has them, so their names do not allow it; correct the lockfile, or allow the \
                 address itself"
            ));
        }
        let unknown = labels(true);
        if !unknown.is_empty() {
            events.warning(&format!(
                "install scripts not run: whether the registry has {unknown} at the addresses \
                 in the lockfile cannot be asked offline; run `dx rebuild` with the network"
            ));
        }
        Ok(())
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
