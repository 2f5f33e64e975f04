//! Takes packages from tarballs on this machine.

use dx_pkg_core::PackageId;
use dx_pkg_fetch::Priority;
use dx_pkg_lock::LockPackage;

use super::{Downloads, request};
use crate::AcquireError;

impl Downloads {
    /// Reads, verifies and unpacks the tarball at `path`, which is relative to the project's folder
    /// unless it is absolute.
    pub(super) fn take_file(
        &self,
        id: PackageId,
        package: &LockPackage,
        path: &str,
    ) -> Result<(), AcquireError> {
        // npm escapes the one character that would end the path of an address.
        let file = self.root.join(path.replace("%23", "#"));
        let bytes = std::fs::read(&file)
            .map_err(|error| AcquireError::io(format!("reading {}", file.display()), error))?;
        let wanted = request(package, Priority::Normal, None)?;
        if let Some(integrity) = &wanted.integrity {
            let mismatch = integrity.verify(&bytes);
            mismatch.map_err(|error| AcquireError::in_file(&file, error))?;
        }
        self.download(id, package, &wanted).unpack_bytes(&bytes)
    }
}
