//! Completes a lock whose entries have no manifests: lockfiles of version 1 hold neither commands
//! nor platforms, engines, peers or the kinds of dependencies. Of packages from git and from
//! tarballs they lack the version, too.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_core::Integrity;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use crate::exact::{Elsewhere, ExactVersions};
use crate::external::Externals;
use crate::package::{Origin, label, origin};
use crate::{AcquireError, Context, Counters, ResolverInput};

/// A completed lock.
pub(crate) struct Upgraded {
    pub(crate) lock: Lock,
    /// The packages whose manifests no registry has, for the user: `name@version`.
    pub(crate) unknown: Vec<String>,
}

/// Returns the lock with the manifests of its entries: as the registries have them, and from
/// outside of these as `externals` loads them. Sources, integrities and flags stay as they are.
///
/// # Errors
/// A registry does not answer, another package cannot be loaded, or `--offline` forbids to ask.
/// What optional packages need may be missing.
pub(crate) fn upgrade(
    context: &Context,
    input: &ResolverInput,
    lock: &Lock,
    externals: &Externals<'_>,
    counters: &Arc<Counters>,
) -> Result<Upgraded, AcquireError> {
    let elsewhere = Elsewhere::of_lock(lock, input).with_overrides(&input.requirements.overrides);
    // What is left out stays as it is while the lockfile does.
    let omit = if input.options.frozen { context.config.omit()? } else { Vec::new() };
    let is_left_out = |package: &LockPackage| {
        package.dev && omit.contains(&DependencyType::Dev)
            || package.optional && omit.contains(&DependencyType::Optional)
    };
    let wanted: Vec<&LockPackage> = lock
        .packages
        .iter()
        .filter(|package| elsewhere.is_from_registry(package) && !is_left_out(package))
        .collect();
    let versions = ExactVersions::new(context, input, counters);
    versions.request(wanted.iter().copied());
    let outside = Outside { context, input, lock, elsewhere: &elsewhere };
    let others = lock.packages.iter().filter(|package| !is_left_out(package));
    let others: Vec<&LockPackage> = outside.loadable(others)?;
    let mut found: HashMap<&str, LockPackage> = HashMap::with_capacity(wanted.len() + others.len());
    let mut unknown = Vec::new();
    let of_registries = wanted.into_iter().map(|package| (package, false));
    for (package, is_outside) in of_registries.chain(others.into_iter().map(|one| (one, true))) {
        context.cancel.check()?;
        let loaded = match is_outside {
            true => externals.load_locked(package),
            false => versions.load(package),
        };
        match loaded {
            // The package at the address of the entry is another one, such as an alias whose name
            // npm 6 has lost: the lockfile tells more about it than this manifest.
            Ok(Some(manifest)) if !is_outside && is_other(package, &manifest) => {
                unknown.push(format!("{} with the digest in the lockfile", label(package)));
            }
            Ok(Some(manifest)) => {
                found.insert(&package.path, manifest);
            }
            // Other bytes than the locked ones are an error of the download.
            Ok(None) if is_outside => {}
            Ok(None) => unknown.push(label(package)),
            Err(error) if package.optional && !error.is_of_this_machine() => {
                context.cancel.check()?;
                unknown.push(label(package));
            }
            Err(error) => return Err(error),
        }
    }
    let complete = |package: &LockPackage| match found.remove(package.path.as_str()) {
        Some(manifest) => completed(package, manifest),
        None => package.clone(),
    };
    let packages = lock.packages.iter().map(complete).collect();
    let lock = Lock { format_version: 3, packages, ..lock.clone() };
    Ok(Upgraded { lock, unknown })
}

/// Returns whether the digests of a package tell that the manifest is not its own.
fn is_other(package: &LockPackage, manifest: &LockPackage) -> bool {
    let digest = |package: &LockPackage| Integrity::parse(package.integrity.as_deref()?).ok();
    digest(package).zip(digest(manifest)).is_some_and(|(own, other)| {
        own.strongest().algorithm() == other.strongest().algorithm() && !own.agrees_with(&other)
    })
}

/// The entries of packages from outside the registries.
struct Outside<'l> {
    context: &'l Context,
    input: &'l ResolverInput,
    lock: &'l Lock,
    elsewhere: &'l Elsewhere<'l>,
}

impl<'l> Outside<'l> {
    /// Selects from `entries` those that are packages from outside the registries, may come from
    /// there, and can be verified afterwards: a frozen lockfile cannot record a digest.
    fn loadable(
        &self,
        entries: impl Iterator<Item = &'l LockPackage>,
    ) -> Result<Vec<&'l LockPackage>, AcquireError> {
        let outside: Vec<&LockPackage> = entries.filter(|entry| self.is_outside(entry)).collect();
        if outside.is_empty() {
            return Ok(outside);
        }
        let rules = self.context.sources()?;
        let may_lack =
            !self.input.options.frozen || self.context.config.allow_missing_integrity()?;
        let direct = self.direct();
        let is_loadable = |entry: &&LockPackage| {
            let is_direct = || direct.contains(entry.path.as_str());
            let is_named = || Some(self.elsewhere.names(entry));
            (may_lack || entry.integrity.is_some() || entry.is_from_git())
                && rules.refusal(entry, is_direct, is_named).is_none()
        };
        Ok(outside.into_iter().filter(is_loadable).collect())
    }

    fn is_outside(&self, entry: &LockPackage) -> bool {
        let is_package = entry.path.contains("node_modules/") && !entry.link && !entry.in_bundle;
        is_package
            && match origin(entry) {
                Origin::Registry => false,
                Origin::Address(_) => self.elsewhere.names(entry),
                Origin::File(_) | Origin::Other(_) => true,
            }
    }

    /// Returns the paths of the packages that the project and its workspaces require themselves.
    fn direct(&self) -> HashSet<&'l str> {
        let index = self.lock.index();
        let requirements = &self.input.requirements;
        let importers = std::iter::once(&requirements.root).chain(&requirements.workspaces);
        let names = importers
            .flat_map(|own| own.requirements().map(move |(name, _)| (own.path.as_str(), name)));
        names.filter_map(|(from, name)| Some(index.resolve(from, name)?.path.as_str())).collect()
    }
}

/// Returns the entry with its manifest.
fn completed(entry: &LockPackage, manifest: LockPackage) -> LockPackage {
    // The files of a bundled package come with another one: they have no digest of their own. The
    // commit of a repository is one.
    let digest = manifest.integrity.filter(|_| !entry.in_bundle && !entry.is_from_git());
    // Only its manifest tells the name and version of a package from outside the registries.
    let is_known = entry.version.is_some();
    let name = manifest.name.filter(|name| !is_known && name != name_of_path(&entry.path));
    LockPackage {
        path: entry.path.clone(),
        name: entry.name.clone().or(name),
        version: entry.version.clone().or(manifest.version),
        resolved: entry.resolved.clone(),
        integrity: entry.integrity.clone().or(digest),
        dev: entry.dev,
        optional: entry.optional,
        dev_optional: entry.dev_optional,
        peer: entry.peer,
        in_bundle: entry.in_bundle,
        extraneous: entry.extraneous,
        ..manifest
    }
}
