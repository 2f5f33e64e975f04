//! Takes packages from tarballs on this machine.

use dx_pkg_core::PackageId;
use dx_pkg_fetch::Priority;
use dx_pkg_lock::LockPackage;

use super::streaming::{self, Failure, STREAMED_FROM};
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
        let mut file = self.root.join(path);
        let mut opened = dx_pkg_os::files::open_regular(&file);
        // npm escapes the one character that would end the path of an address, in some entries.
        if opened.is_err() && path.contains("%23") {
            file = self.root.join(path.replace("%23", "#"));
            opened = dx_pkg_os::files::open_regular(&file);
        }
        let failed = |error| AcquireError::io(format!("reading {}", file.display()), error);
        let opened = opened.map_err(failed)?;
        let wanted = request(package, Priority::Normal, None)?;
        let download = self.download(id, package, &wanted);
        let integrity = wanted.integrity.as_ref();
        if opened.metadata().is_ok_and(|metadata| metadata.len() >= STREAMED_FROM) {
            let source = std::io::BufReader::new(opened);
            let unpacked = streaming::unpack(&download, source, integrity, None);
            return unpacked.map_err(|failure| match failure {
                Failure::Source(error) => failed(error),
                Failure::Mismatch(error) => AcquireError::in_file(&file, error),
                Failure::Refused(error) => error,
            });
        }
        let bytes = dx_pkg_os::files::read_open(opened, STREAMED_FROM).map_err(failed)?;
        if let Some(integrity) = integrity {
            let mismatch = integrity.verify(&bytes);
            mismatch.map_err(|error| AcquireError::in_file(&file, error))?;
        }
        download.unpack_bytes(&bytes)
    }
}
