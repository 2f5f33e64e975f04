//! Completes a lock whose entries have no manifests: lockfiles of version 1 hold neither commands
//! nor platforms, engines, peers or the kinds of dependencies.

use std::collections::HashMap;
use std::sync::Arc;

use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_lock::{Lock, LockPackage};

use crate::exact::{Elsewhere, ExactVersions};
use crate::package::label;
use crate::{AcquireError, Context, Counters, ResolverInput};

/// A completed lock.
pub(crate) struct Upgraded {
    pub(crate) lock: Lock,
    /// The packages whose manifests no registry has, for the user: `name@version`.
    pub(crate) unknown: Vec<String>,
}

/// Returns the lock with the manifests of its entries as the registries have them. Sources,
/// integrities and flags stay as they are.
///
/// # Errors
/// A registry does not answer, or `--offline` forbids to ask it. What optional packages need may
/// be missing.
pub(crate) fn upgrade(
    context: &Context,
    input: &ResolverInput,
    lock: &Lock,
    counters: &Arc<Counters>,
) -> Result<Upgraded, AcquireError> {
    let elsewhere = Elsewhere::of_lock(lock, input);
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
    let mut found: HashMap<&str, LockPackage> = HashMap::with_capacity(wanted.len());
    let mut unknown = Vec::new();
    for package in wanted {
        context.cancel.check()?;
        match versions.load(package) {
            Ok(Some(manifest)) => {
                found.insert(&package.path, manifest);
            }
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

/// Returns the entry with its manifest.
fn completed(entry: &LockPackage, manifest: LockPackage) -> LockPackage {
    // The files of a bundled package come with another one: they have no digest of their own.
    let digest = manifest.integrity.filter(|_| !entry.in_bundle);
    LockPackage {
        path: entry.path.clone(),
        name: entry.name.clone(),
        version: entry.version.clone(),
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
