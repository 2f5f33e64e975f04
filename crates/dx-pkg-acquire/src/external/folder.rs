//! Folders: their manifests are read where they are, and those that are to be copied are packed.

use std::path::PathBuf;
use std::sync::Arc;

use dx_pkg_compat::packlist::{self, PackOptions};
use dx_pkg_lock::LockPackage;
use dx_pkg_resolve::External;

use super::{Externals, Wanted};
use crate::AcquireError;
use crate::files::{parse_manifest, read_text};

/// Loads the manifest of the folder at `path`.
///
/// # Errors
/// The folder is missing, or its manifest cannot be read.
pub(super) fn load(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    path: &str,
) -> Result<External, AcquireError> {
    let folder = externals.on_disk(wanted.from, path);
    let file = folder.join("package.json");
    let package = match read_text(&file)? {
        Some(text) => parse_manifest(&file, &text)?.to_lock_package(),
        None if folder.is_dir() => LockPackage::default(),
        None => return Err(missing(wanted, folder)),
    };
    Ok(External { package, folder: Some(path.to_owned()) })
}

fn missing(wanted: &Wanted<'_>, folder: PathBuf) -> AcquireError {
    let name = wanted.name.unwrap_or_default().to_owned();
    AcquireError::NoFolder { name, spec: wanted.spec.to_owned(), folder }
}

/// Packs the folder at `path` as npm does, without its script `prepare`, and puts the tarball into
/// the store. Its digest is that of the folder as it is now.
///
/// # Errors
/// The folder is missing, or a file of it cannot be read.
pub(super) fn pack(
    externals: &Externals<'_>,
    wanted: &Wanted<'_>,
    path: &str,
) -> Result<LockPackage, AcquireError> {
    let folder = externals.on_disk(wanted.from, path);
    let file = folder.join("package.json");
    let Some(text) = read_text(&file)? else { return Err(missing(wanted, folder)) };
    let manifest = parse_manifest(&file, &text)?;
    let usual = PackOptions::default();
    let max_bytes = externals.context.config.max_package_bytes()?.unwrap_or(usual.max_bytes);
    let options = PackOptions { max_bytes, ..usual };
    let failed =
        |error| AcquireError::InPackage { package: wanted.label(), source: Arc::new(error) };
    let files = packlist::files(&folder, &manifest, &options).map_err(failed)?;
    let downloads = externals.downloads()?;
    let integrity = downloads.keep_written(|mut out| {
        packlist::write_tar(&folder, &files, &options, &mut out).map_err(failed)
    })?;
    downloads.manifest_of_kept(&wanted.label(), &integrity)
}
