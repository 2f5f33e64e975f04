//! Packages from outside the registries whose lockfile entries have no digest.

use dx_pkg_acquire::exact::Elsewhere;
use dx_pkg_acquire::external::Externals;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_acquire::package::{Origin, copied_folder, label, origin};
use dx_pkg_acquire::{AcquireError, Downloads, ResolverInput, local};
use dx_pkg_lock::{Lock, LockPackage};

use super::Digests;
use crate::InstallError;
use crate::install::Run;
use crate::plan::{Plan, unpacked};
use crate::project::Project;

/// Gives these packages the digest of their bytes now: the project names the place, as it does
/// where there is no lockfile. It is recorded in the lock, unless the entry is one of a commit or
/// of a copied folder. A frozen lockfile cannot record it, so that nothing would vouch for the
/// bytes the next time either.
pub(super) fn load(
    run: &Run<'_>,
    project: &Project,
    input: &ResolverInput,
    downloads: &Downloads,
    (plan, lock): (&mut Plan, &mut Lock),
    digests: &mut Digests,
) -> Result<(), InstallError> {
    for (path, loaded) in loaded(run, project, input, downloads, plan, lock)? {
        let integrity = match loaded {
            Ok(Some(found)) => found.integrity,
            Ok(None) => continue,
            Err(error) => {
                digests.failed.push((path, error));
                continue;
            }
        };
        let is_here = |package: &&mut LockPackage| package.path == path;
        let Some(package) = plan.installed.packages.iter_mut().find(is_here) else { continue };
        package.integrity.clone_from(&integrity);
        if needs_no_digest(package) && !package.is_from_git() {
            warn_of_prepare(run, project, package)?;
            continue;
        }
        // The lockfile is written without that of a commit.
        let is_recorded = !package.is_from_git();
        if is_recorded {
            digests.first.push(label(package));
        }
        if let Some(entry) = lock.packages.iter_mut().find(is_here) {
            entry.integrity = integrity;
        }
    }
    Ok(())
}

/// The paths of packages, each with what was loaded for it.
type Loaded = Vec<(String, Result<Option<LockPackage>, AcquireError>)>;

fn loaded(
    run: &Run<'_>,
    project: &Project,
    input: &ResolverInput,
    downloads: &Downloads,
    plan: &Plan,
    lock: &Lock,
) -> Result<Loaded, InstallError> {
    let elsewhere = Elsewhere::of_lock(lock, input).with_overrides(&input.requirements.overrides);
    let may_lack = !run.frozen || run.session.config().allow_missing_integrity()?;
    let is_taken = |package: &&LockPackage| {
        package.integrity.is_none()
            && elsewhere.names(package)
            && (may_lack || needs_no_digest(package))
    };
    let mut lacking = unpacked(&plan.installed).filter(is_taken).peekable();
    if lacking.peek().is_none() {
        return Ok(Vec::new());
    }
    let (context, counters) = (&run.session.context, &run.counters);
    let places = local::places(&project.root, run.session.config());
    let (nowhere, none) = (|_: &str| false, |_: &str, _: &str, _: &str| None);
    let sources = Externals::new(context, &places, Some(downloads), counters, &nowhere, &none);
    let mut loaded = Vec::new();
    for package in lacking {
        run.cancel().check()?;
        loaded.push((package.path.clone(), sources.load_entry(package)));
    }
    Ok(loaded)
}

/// Returns whether npm records no digest of a package: that of a commit, which names its bytes, or
/// the copy of a folder, which is taken as it is.
fn needs_no_digest(package: &LockPackage) -> bool {
    copied_folder(package).is_some()
        || matches!(origin(package), Origin::Other(place) if place.starts_with("git"))
}

/// Tells the user that the script `prepare` of a folder, which npm runs before it copies it, was
/// not run.
fn warn_of_prepare(
    run: &Run<'_>,
    project: &Project,
    package: &LockPackage,
) -> Result<(), InstallError> {
    let Some(folder) = copied_folder(package) else { return Ok(()) };
    let file = project.root.join(folder).join("package.json");
    let Some(text) = read_text(&file)? else { return Ok(()) };
    if parse_manifest(&file, &text)?.script("prepare").is_some() {
        let label = label(package);
        run.events.warning(&format!(
            "{label} is copied from {folder} as it is: its script prepare was not run"
        ));
    }
    Ok(())
}
