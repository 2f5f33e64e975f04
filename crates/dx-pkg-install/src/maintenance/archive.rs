//! Archives of the packages that lockfiles need: `dx store export` and `dx store import`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use dx_pkg_acquire::Cancel;
use dx_pkg_acquire::input::platform;
use dx_pkg_acquire::package::{copied_folder, label, real_name};
use dx_pkg_compat::tarball::{self, Limits};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::archive::Marks;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_store::Store;
use dx_pkg_store::archive::{ArchiveError, Exporter};

use crate::plan::Plan;
use crate::project::{lockfile_in, read_lock};
use crate::{InstallError, Session};

pub use dx_pkg_store::archive::{Exported, Imported};

/// A package that a lockfile needs.
struct Wanted {
    label: String,
    integrity: Integrity,
    /// The files of its commands, which all may execute.
    commands: BTreeSet<String>,
    /// Whether an install goes on without it.
    optional: bool,
}

/// The packages that lockfiles need, those with similar names together: their contents are alike.
type Packages = BTreeMap<(String, String, PackageId), Wanted>;

/// A package that the store has, and how.
type Found = (PackageId, Wanted, Form);

/// The way in which the store has a package.
#[derive(Clone, Copy)]
enum Form {
    Whole,
    Tarball,
}

/// Writes an archive of the packages that an install of these lockfiles needs on this machine, by
/// the session's settings; without lockfiles, of that of the project in `root`. Returns with its
/// contents the optional packages that the store lacks and that were left out.
///
/// # Errors
/// A lockfile cannot be read, the store lacks packages or cannot be read, or `out` cannot be
/// written to.
pub fn export(
    session: &Session,
    root: &Path,
    lockfiles: &[PathBuf],
    cancel: &Cancel,
    out: impl Write,
) -> Result<(Exported, Vec<String>), InstallError> {
    let mut wanted = Packages::new();
    for path in paths_of(session, root, lockfiles)? {
        let lock = read_lock(&path, session.store())?;
        add_packages(session, lock, &mut wanted)?;
    }
    let (packages, left_out) = find_packages(session.store(), wanted, cancel)?;
    let exported = write(session.store(), &packages, cancel, out)?;
    Ok((exported, left_out))
}

/// Stores the packages of an archive that the store lacks.
///
/// # Errors
/// The archive is damaged or refused, or the store cannot be written to.
pub fn import(store: &Store, cancel: &Cancel, from: impl Read) -> Result<Imported, InstallError> {
    Ok(store.import(from, cancel.flag())?)
}

/// Returns the paths of the lockfiles: those given, or in the folders given, or the project's.
fn paths_of(
    session: &Session,
    root: &Path,
    given: &[PathBuf],
) -> Result<Vec<PathBuf>, InstallError> {
    let path_of = |given: &PathBuf| {
        let path = session.environment.folder.join(given);
        if path.is_dir() { lockfile_in(&path) } else { Ok(path) }
    };
    match given {
        [] => Ok(vec![lockfile_in(root)?]),
        given => given.iter().map(path_of).collect(),
    }
}

/// Adds the packages of a lock that are installed on this machine.
fn add_packages(session: &Session, mut lock: Lock, all: &mut Packages) -> Result<(), InstallError> {
    // Patches are the project's, and are applied where the archive is used.
    lock.packages.iter_mut().for_each(|package| package.patched = None);
    let config = session.config();
    let (platform, omit) = (platform(config)?, config.omit()?);
    let unfit: HashSet<String> = lock
        .packages
        .iter()
        .filter(|package| package.optional && !package.runs_on(&platform))
        .map(|package| package.path.clone())
        .collect();
    let mut plan = Plan::new(&lock, &vec![true; lock.packages.len()], &omit);
    if !config.force()? {
        plan.leave_out(&lock, &unfit);
    }
    // Copied folders are packed by each install.
    plan.installed.packages.retain(|package| copied_folder(package).is_none());
    for (id, package) in plan.wanted()? {
        let version = package.version.clone().unwrap_or_default();
        let key = (real_name(package).to_owned(), version, id);
        let commands = package.bin.iter().map(|(_, file)| file.trim_start_matches("./").to_owned());
        let (commands, optional) = (commands.collect(), package.optional);
        match all.get_mut(&key) {
            Some(known) => {
                known.commands.extend::<BTreeSet<String>>(commands);
                known.optional &= optional;
            }
            None => {
                let integrity = integrity_of(package)?;
                let label = label(package);
                all.insert(key, Wanted { label, integrity, commands, optional });
            }
        }
    }
    Ok(())
}

/// Returns the integrity of a package whose id is known, and so can be read.
fn integrity_of(package: &LockPackage) -> Result<Integrity, InstallError> {
    let text = package.integrity.as_deref().unwrap_or_default();
    Integrity::parse(text).map_err(|source| {
        dx_pkg_acquire::AcquireError::BadIntegrity { entry: package.path.clone(), source }.into()
    })
}

/// Finds the packages in the store; returns with them the optional ones that it lacks.
fn find_packages(
    store: &Store,
    wanted: Packages,
    cancel: &Cancel,
) -> Result<(Vec<Found>, Vec<String>), InstallError> {
    let lacks_any = |wanted: &Packages| -> Result<bool, InstallError> {
        for (.., id) in wanted.keys() {
            if form_of(store, *id)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if lacks_any(&wanted)? {
        // The last install may have left some to maintenance.
        let _lock = store.background_lock(true)?;
        super::store_pending(store, cancel)?;
    }
    let (mut found, mut left_out, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    let mut ids = HashSet::new();
    for ((.., id), package) in wanted {
        match form_of(store, id)? {
            // Two names can have one tarball.
            Some(_) if !ids.insert(id) => {}
            Some(form) => found.push((id, package, form)),
            None if package.optional => left_out.push(package.label),
            None => missing.push(package.label),
        }
    }
    match missing.is_empty() {
        true => Ok((found, left_out)),
        false => Err(InstallError::NotStored { packages: in_words(&missing) }),
    }
}

/// Returns the first few packages, and how many more there are.
fn in_words(packages: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = packages.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match packages.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

fn form_of(store: &Store, id: PackageId) -> Result<Option<Form>, InstallError> {
    if store.open_package(id)?.is_some() {
        return Ok(Some(Form::Whole));
    }
    Ok(store.has_tarball(id).then_some(Form::Tarball))
}

fn write(
    store: &Store,
    packages: &[Found],
    cancel: &Cancel,
    out: impl Write,
) -> Result<Exported, InstallError> {
    let (gyp, written) = (store.gyp(), store.written());
    let mut exporter = Exporter::begin(out, u32::try_from(packages.len()).unwrap_or(u32::MAX))?;
    for (id, package, form) in packages {
        cancel.check()?;
        let marks = Marks { gyp: gyp.contains(id), written: written.contains(id) };
        match form {
            Form::Whole => exporter.add_stored(store, *id, &package.integrity, marks)?,
            Form::Tarball => add_tarball(store, *id, package, marks, &mut exporter)?,
        }
    }
    Ok(exporter.finish()?.1)
}

/// Adds a package of which the store has the tarball, as an install would unpack it.
fn add_tarball<W: Write>(
    store: &Store,
    id: PackageId,
    package: &Wanted,
    marks: Marks,
    exporter: &mut Exporter<W>,
) -> Result<(), InstallError> {
    let unsound = |what: String| ArchiveError::Unsound { id, what };
    let bytes = store.tarball(id, &package.integrity);
    let bytes = bytes.ok_or_else(|| unsound("its tarball is damaged".to_owned()))?;
    let unpacked = tarball::unpack(&bytes, &Limits::default());
    let mut unpacked = unpacked.map_err(|error| unsound(error.to_string()))?;
    for file in &package.commands {
        unpacked.set_executable(file);
    }
    Ok(exporter.add_files(id, &package.integrity, marks, &unpacked.entries())?)
}
