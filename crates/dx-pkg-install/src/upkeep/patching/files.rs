//! The files of packages as they are published, patched, or edited.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dx_pkg_acquire::exact::ExactVersions;
use dx_pkg_acquire::package::package_id;
use dx_pkg_acquire::{Counters, Downloads, ResolverInput};
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::patch::write::Contents;
use dx_pkg_compat::patch::{PatchedFile, PatchedFiles, apply};
use dx_pkg_format::dxp::FileMode;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};
use dx_pkg_os::files::{Target, target_within};
use dx_pkg_resolve::Requirements;
use dx_pkg_store::StoreMode;

use crate::error::UpkeepError;
use crate::{InstallError, OpenProject};

/// The most bytes of a package that is edited.
const LARGEST: u64 = 256 << 20;
/// The folders of an edited copy that are none of the package.
const LEFT_OUT: [&str; 2] = ["node_modules", ".git"];

/// The files of a package.
pub(super) struct PackageContents(BTreeMap<String, (FileMode, Vec<u8>)>);

impl PackageContents {
    /// Returns the contents without permissions.
    pub(super) fn contents(&self) -> Contents {
        self.0.iter().map(|(path, (_, data))| (path.clone(), data.clone())).collect()
    }

    /// Returns the package with other contents.
    pub(super) fn with(self, files: Contents) -> Self {
        let mode = |path: &str| self.0.get(path).map_or(FileMode::PLAIN, |(mode, _)| *mode);
        PackageContents(
            files.into_iter().map(|(path, data)| (path.clone(), (mode(&path), data))).collect(),
        )
    }
}

/// Returns the lockfile of a project, if it has one.
pub(super) fn locked(open: &OpenProject) -> Result<Option<Lock>, InstallError> {
    let Some(text) = open.project.lockfile_text() else { return Ok(None) };
    let path = open.project.root.join(open.project.lockfile);
    npm::read(text).map(Some).map_err(|error| InstallError::in_file(&path, error))
}

/// Returns the files of a version as it is published: by the lockfile's entry for it, else as its
/// registry has it.
///
/// # Errors
/// There is no such version, or it cannot be fetched.
pub(super) fn published(
    open: &OpenProject,
    name: &str,
    version: &str,
) -> Result<PackageContents, InstallError> {
    let context = &open.session.context;
    let counters = Arc::<Counters>::default();
    let lock = locked(open)?;
    let is_meant = |entry: &&LockPackage| {
        !entry.link
            && name_of_path(&entry.path) == name
            && entry.version.as_deref() == Some(version)
            && entry.integrity.is_some()
            && !entry.in_bundle
    };
    let known = lock.iter().flat_map(|lock| &lock.packages).find(is_meant);
    let entry = match known {
        Some(entry) => LockPackage { patched: None, ..entry.clone() },
        None => {
            let wanted = LockPackage {
                path: format!("node_modules/{name}"),
                version: Some(version.to_owned()),
                ..LockPackage::default()
            };
            let requirements = Requirements::default();
            let input = ResolverInput::new(open.session.config(), requirements, None, None)?;
            let found = ExactVersions::new(context, &input, &counters).load(&wanted)?;
            let found = found
                .ok_or_else(|| UpkeepError::NoVersion { package: format!("{name}@{version}") })?;
            LockPackage { path: wanted.path, ..found }
        }
    };
    let Some(id) = package_id(&entry)? else {
        return Err(UpkeepError::NoVersion { package: format!("{name}@{version}") }.into());
    };
    let offline = open.session.config().offline()?;
    let downloads =
        Downloads::new(context, offline, StoreMode::Now, counters).in_project(&open.project.root);
    if let Some((_, error)) = downloads.wait(std::iter::once((id, &entry)))?.pop() {
        return Err(error.into());
    }
    let store = open.session.store();
    let package = store.open_package(id)?;
    let Some(package) = package else {
        return Err(UpkeepError::NoVersion { package: format!("{name}@{version}") }.into());
    };
    let mut files = BTreeMap::new();
    for entry in package.dxp().entries() {
        let data = package.read(&entry).map_err(dx_pkg_acquire::AcquireError::from)?.into_owned();
        files.insert(entry.path.to_owned(), (entry.mode, data));
    }
    Ok(PackageContents(files))
}

/// Returns the files of a package after a patch.
///
/// # Errors
/// The patch does not fit.
pub(super) fn patched(
    package: &PackageContents,
    patch: &[u8],
    file: &str,
) -> Result<Contents, InstallError> {
    let copy = |(path, (mode, data)): (&String, &(FileMode, Vec<u8>))| {
        (path.clone(), PatchedFile { mode: *mode, data: Cow::Owned(data.clone()) })
    };
    let mut files: PatchedFiles<'_> = package.0.iter().map(copy).collect();
    apply(patch, &mut files)
        .map_err(|source| UpkeepError::PatchDoesNotFit { file: file.to_owned(), source })?;
    Ok(files.into_iter().map(|(path, file)| (path, file.data.into_owned())).collect())
}

/// Returns the place of a patch file in a project; only the file itself may be a link.
///
/// # Errors
/// Its folder is a link that leads out of the project.
pub(super) fn place_of(root: &Path, file: &str) -> Result<PathBuf, InstallError> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    if folder.is_empty() {
        return Ok(root.join(name));
    }
    match target_within(root, folder) {
        Ok(Target::Within(folder)) => Ok(folder.join(name)),
        Ok(Target::Outside(_)) => {
            Err(UpkeepError::PatchOutside { folder: folder.to_owned() }.into())
        }
        Err(error) => Err(InstallError::io(format!("finding the folder {folder}"), error)),
    }
}

/// Writes the files of a package into a folder.
///
/// # Errors
/// The system refuses.
pub(super) fn write_folder(folder: &Path, package: &PackageContents) -> Result<(), InstallError> {
    for (path, (mode, data)) in &package.0 {
        let file = folder.join(path);
        let write = || -> std::io::Result<()> {
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&file, data)?;
            set_mode(&file, *mode)
        };
        write().map_err(|error| InstallError::io(format!("writing {}", file.display()), error))?;
    }
    Ok(())
}

#[cfg(unix)]
fn set_mode(file: &Path, mode: FileMode) -> std::io::Result<()> {
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode.bits()))
}

/// Windows has no modes.
#[cfg(not(unix))]
fn set_mode(_: &Path, _: FileMode) -> std::io::Result<()> {
    Ok(())
}

/// Reads the files of an edited copy. Links are left out, as npm leaves them out.
///
/// # Errors
/// A file cannot be read, or there is too much.
pub(super) fn read_folder(folder: &Path) -> Result<Contents, InstallError> {
    let (mut files, mut left) = (Contents::new(), LARGEST);
    read_into(folder, "", &mut files, &mut left)?;
    Ok(files)
}

fn read_into(
    folder: &Path,
    prefix: &str,
    files: &mut Contents,
    left: &mut u64,
) -> Result<(), InstallError> {
    let fail = |error| InstallError::io(format!("reading {}", folder.display()), error);
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let (path, kind) = (entry.path(), entry.file_type().map_err(fail)?);
        if kind.is_dir() && !LEFT_OUT.contains(&name.as_str()) {
            read_into(&path, &format!("{prefix}{name}/"), files, left)?;
        } else if kind.is_file() {
            let data = dx_pkg_os::files::read_bounded(&path, *left)
                .map_err(|error| InstallError::io(format!("reading {}", path.display()), error))?;
            *left -= data.len() as u64;
            files.insert(format!("{prefix}{name}"), data);
        }
    }
    Ok(())
}
