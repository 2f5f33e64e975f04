//! Folders, which are linked: their manifests are read where they are.

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
        None => {
            let name = wanted.name.unwrap_or_default().to_owned();
            return Err(AcquireError::NoFolder { name, spec: wanted.spec.to_owned(), folder });
        }
    };
    Ok(External { package, folder: Some(path.to_owned()) })
}
