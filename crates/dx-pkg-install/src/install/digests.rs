//! Digests for packages whose lockfile entries have none: the registry's, or else that of the first
//! download.

mod elsewhere;

use std::collections::HashSet;

use dx_pkg_acquire::exact::{Elsewhere, ExactVersions};
use dx_pkg_acquire::package::label;
use dx_pkg_acquire::{AcquireError, Downloads, ResolverInput};
use dx_pkg_lock::{Lock, LockPackage};

use super::Run;
use super::sources::SourceCheck;
use crate::InstallError;
use crate::plan::{Plan, unpacked};
use crate::project::Project;

/// How the plan's packages without integrity were completed.
#[derive(Default)]
pub(super) struct Digests {
    /// Whether the lock still lacks some that its plan has now.
    pub(super) lock_lacks: bool,
    /// The packages whose first download's digest was taken: `name@version`.
    pub(super) first: Vec<String>,
    /// The paths of packages that failed, each with its error.
    pub(super) failed: Vec<(String, AcquireError)>,
}

/// Gives each package of the plan an integrity. That of the registry serves this install only: as
/// with npm, the lockfile stays as it is. Where the registry has none either, the package fails,
/// unless `allow-missing-integrity` is set: then the digest of the bytes that come now is recorded
/// in the lock.
pub(super) fn complete(
    run: &Run<'_>,
    project: &Project,
    input: &ResolverInput,
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
) -> Result<Digests, InstallError> {
    let mut digests = Digests::default();
    let lacking = unpacked(&plan.installed).filter(|package| package.integrity.is_none());
    let lacking: HashSet<String> = lacking.map(|package| package.path.clone()).collect();
    if lacking.is_empty() {
        return Ok(digests);
    }
    elsewhere::load(run, project, input, downloads, (&mut *plan, &mut *lock), &mut digests)?;
    let elsewhere = Elsewhere::of_lock(lock, input).with_overrides(&input.requirements.overrides);
    let is_wanted = |package: &LockPackage| {
        lacking.contains(&package.path) && elsewhere.is_from_registry(package)
    };
    let versions = ExactVersions::new(&run.session.context, input, &run.counters);
    versions.request(plan.installed.packages.iter().filter(|package| is_wanted(package)));
    let sources = SourceCheck::new(run.session, project, lock)?;
    let may_lack = run.session.config().allow_missing_integrity()?;
    let mut without = Vec::new();
    for (at, package) in plan.installed.packages.iter_mut().enumerate() {
        if !is_wanted(package) {
            continue;
        }
        run.cancel().check()?;
        match versions.load(package) {
            Ok(found) => {
                let found = found.unwrap_or_default();
                package.resolved = package.resolved.take().or(found.resolved);
                package.integrity = found.integrity;
                // The address may be the registry's, which is checked like one of the lockfile.
                if let Some(refusal) = sources.refusal(package) {
                    digests.failed.push((package.path.clone(), refusal));
                } else if package.integrity.is_none() && may_lack {
                    without.push(at);
                } else if package.integrity.is_none() {
                    let refusal = AcquireError::NoDigest { package: label(package) };
                    digests.failed.push((package.path.clone(), refusal));
                }
            }
            Err(error) => digests.failed.push((package.path.clone(), error)),
        }
    }
    drop((elsewhere, sources));
    take_first(downloads, plan, lock, &without, &mut digests)?;
    let known = lock.index();
    digests.lock_lacks = plan.installed.packages.iter().any(|package| {
        known.get(&package.path).is_some_and(|entry| entry.integrity != package.integrity)
    });
    Ok(digests)
}

/// Takes the digests of these packages from their first downloads.
fn take_first(
    downloads: &Downloads,
    plan: &mut Plan,
    lock: &mut Lock,
    without: &[usize],
    digests: &mut Digests,
) -> Result<(), InstallError> {
    let packages = &mut plan.installed.packages;
    let asked: Vec<&LockPackage> = without.iter().map(|at| &packages[*at]).collect();
    let taken = downloads.first(&asked)?;
    for (at, taken) in without.iter().zip(taken) {
        let package = &mut packages[*at];
        match taken {
            Ok(integrity) => {
                package.integrity = Some(integrity.to_string());
                digests.first.push(label(package));
                if let Some(entry) = lock.packages.iter_mut().find(|e| e.path == package.path) {
                    entry.integrity.clone_from(&package.integrity);
                }
            }
            Err(error) => digests.failed.push((package.path.clone(), error)),
        }
    }
    Ok(())
}

/// Tells the user what was done about packages for whose bytes nothing vouched.
pub(super) fn report(run: &Run<'_>, first: &[String]) {
    if first.is_empty() {
        return;
    }
    let mut packages: Vec<&str> = first.iter().map(String::as_str).collect();
    packages.sort_unstable();
    packages.dedup();
    let packages = packages.join(", ");
    let what = if run.saves() {
        "the lockfile records the digest of what was downloaded now, and requires it from now on"
    } else {
        "what was downloaded could not be verified; dx install records its digest in the lockfile"
    };
    let missing = format!("no digest of {packages} in the lockfile or the registry");
    run.events.warning(&format!("{missing}: {what}"));
}
