//! What the store has of a lockfile's packages, compared with the tarballs that it vouches for.
//!
//! A package that came by DXRP is what a registry has signed. Whether that is what its tarball
//! holds is known once the tarball was unpacked: here it is fetched over HTTP into a store of its
//! own, and the contents of both are compared.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_acquire::input::platform;
use dx_pkg_acquire::package::{copied_folder, label};
use dx_pkg_acquire::{Counters, Downloads};
use dx_pkg_core::PackageId;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_format::dxp::{content_root_of, digest_of};
use dx_pkg_lock::LockPackage;
use dx_pkg_store::{Store, StoreMode};

use super::fetching::plan_of;
use crate::events::tell_notes;
use crate::project::{lockfile_in, read_lock};
use crate::{Events, InstallError, Session, SessionOptions};

/// How many packages are fetched together: their files take room until they are compared.
const TOGETHER: usize = 128;

/// What a lockfile vouches for, and what came of the comparison.
#[derive(Debug, Default)]
pub struct VerifiedLock {
    /// The number of packages that are installed on this machine, those of one tarball once.
    pub packages: usize,
    /// Those of them from a registry for which the lockfile has no integrity: `name@version`.
    pub without_integrity: Vec<String>,
    /// The number of tarballs that were fetched and that have the lockfile's integrity.
    pub tarballs: usize,
    /// The number of those whose contents were compared with what the store has.
    pub compared: usize,
    /// Why optional packages could not be fetched.
    pub left_out: Vec<String>,
    /// The packages whose contents differ.
    pub different: Vec<Difference>,
}

/// A package of which the store has other contents than its tarball.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The package: `name@version`.
    pub package: String,
    /// The content root of the tarball, in hexadecimal.
    pub in_tarball: String,
    /// That of the package in the store.
    pub in_store: String,
}

/// Checks that the lockfile in `root` vouches for every package; `deep`, also fetches each tarball
/// and compares its contents with those that the store has. `options` are those that the session
/// was opened with.
///
/// # Errors
/// There is no lockfile, or a tarball cannot be fetched or has another integrity.
pub fn verify_lockfile(
    session: &Arc<Session>,
    root: &Path,
    options: &SessionOptions,
    deep: bool,
    events: &dyn Events,
) -> Result<VerifiedLock, InstallError> {
    let path = lockfile_in(root)?;
    let mut lock = read_lock(&path, session.store())?;
    // Patches are the project's, and no registry vouches for them.
    lock.packages.iter_mut().for_each(|package| package.patched = None);
    let config = session.config();
    let mut plan = plan_of(&lock, &platform(config)?, &config.omit()?, config.force()?);
    let rules = session.context.sources()?;
    plan.installed.packages.retain(|package| {
        copied_folder(package).is_none() && !package.in_bundle && rules.is_from_registry(package)
    });
    let lacks = |package: &&LockPackage| !package.link && package.integrity.is_none();
    let without_integrity = plan.installed.packages.iter().filter(lacks).map(label).collect();
    plan.installed.packages.retain(|package| package.integrity.is_some());
    let mut seen = HashSet::new();
    let wanted = plan.wanted()?;
    let wanted: Vec<_> = wanted.into_iter().filter(|(id, _)| seen.insert(*id)).collect();
    let mut verified =
        VerifiedLock { packages: wanted.len(), without_integrity, ..VerifiedLock::default() };
    if !deep {
        return Ok(verified);
    }
    let counters = Arc::<Counters>::default();
    events.work_began(session, &counters);
    let outcome = wanted.chunks(TOGETHER).enumerate().try_for_each(|(number, packages)| {
        let folder = Folder::new(session.store(), number);
        let others = second_session(session, root, options, &folder.0)?;
        compare(session.store(), &others, root, (packages, &counters), &mut verified)
    });
    events.work_ended();
    tell_notes(session, events);
    outcome.map(|()| verified)
}

/// A folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(store: &Store, number: usize) -> Self {
        let name = format!("tarballs-{}-{number}", std::process::id());
        Self(store.root().join("tmp").join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is removed with other unfinished entries.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Opens a session that has the same settings and a store in `folder`, and to which packages come
/// as tarballs only.
fn second_session(
    session: &Session,
    root: &Path,
    options: &SessionOptions,
    folder: &Path,
) -> Result<Session, InstallError> {
    let mut environment = session.environment.clone();
    environment.set(&[("DX_STORE".to_owned(), folder.display().to_string())]);
    let mut options = options.clone();
    options.flags.retain(|(key, _)| key != "dxrp");
    options.flags.push(("dxrp".to_owned(), "off".to_owned()));
    Session::open(environment, root, options)
}

/// Fetches the tarballs of packages, and compares what they hold with what the store has.
fn compare(
    store: &Store,
    others: &Session,
    root: &Path,
    (packages, counters): (&[(PackageId, &LockPackage)], &Arc<Counters>),
    verified: &mut VerifiedLock,
) -> Result<(), InstallError> {
    let offline = others.config().offline()?;
    let downloads =
        Downloads::new(&others.context, offline, StoreMode::Now, counters.clone()).in_project(root);
    let mut missing = HashSet::new();
    for (path, error) in downloads.wait(packages.iter().copied())? {
        let failed = packages.iter().find(|(_, package)| package.path == path);
        match failed {
            Some((id, package)) if package.optional => {
                missing.insert(*id);
                verified.left_out.push(message_with_causes(&error));
            }
            _ => return Err(error.into()),
        }
    }
    for (id, package) in packages.iter().filter(|(id, _)| !missing.contains(id)) {
        others.context.cancel.check()?;
        verified.tarballs += 1;
        let (Some(in_store), Some(in_tarball)) =
            (root_in(store, *id)?, root_in(others.store(), *id)?)
        else {
            continue;
        };
        verified.compared += 1;
        if in_store != in_tarball {
            let package = label(package);
            verified.different.push(Difference { package, in_tarball, in_store });
        }
    }
    Ok(())
}

/// Returns the content root of the files that a store has of a package, in hexadecimal.
fn root_in(store: &Store, id: PackageId) -> Result<Option<String>, InstallError> {
    let Some(package) = store.open_package(id)? else { return Ok(None) };
    let dxp = package.dxp();
    let mut files = Vec::new();
    for entry in dxp.entries() {
        // The digests of its tables need not be those of the files.
        let Ok(data) = package.read(&entry) else {
            return Ok(Some(format!("none, as {} cannot be read", entry.path)));
        };
        files.push((entry.path, entry.mode, digest_of(&data)));
    }
    let root = content_root_of(files.into_iter());
    Ok(Some(root.iter().map(|byte| format!("{byte:02x}")).collect()))
}
