//! Tarballs from outside the registries: put into the store under their own digest, read, and
//! unpacked.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use dx_pkg_compat::tarball::StreamError;
use dx_pkg_core::integrity::Sha512Digest;
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_lock::LockPackage;
use dx_pkg_registry::TarballRequest;
use dx_pkg_store::IncomingTarball;

use super::contents::Contents;
use super::{Downloads, commits};
use crate::AcquireError;
use crate::package::label;

impl Downloads {
    /// Puts the tarball in a file into the store, unless the store has the package; returns its
    /// digest.
    ///
    /// # Errors
    /// The file cannot be read, or the store not be written.
    pub(crate) fn keep_file(&self, path: &Path) -> Result<Integrity, AcquireError> {
        let failed = |error| AcquireError::io(format!("reading {}", path.display()), error);
        let file = dx_pkg_os::files::open_regular(path).map_err(failed)?;
        self.keep_written(|out| {
            std::io::copy(&mut BufReader::with_capacity(1 << 16, file), out).map_err(failed)?;
            Ok(())
        })
    }

    /// Puts the tarball that `write` writes into the store, unless the store has the package;
    /// returns its digest.
    ///
    /// # Errors
    /// `write` fails, or the store cannot be written.
    pub(crate) fn keep_written(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), AcquireError>,
    ) -> Result<Integrity, AcquireError> {
        let store = &self.shared.store;
        let tarball = store.receive_tarball()?;
        let mut kept = Kept { tarball, digest: Sha512Digest::default() };
        write(&mut kept)?;
        let integrity = kept.digest.finish();
        let id = PackageId::from_integrity(&integrity);
        if !store.has(id) {
            kept.tarball.keep(id)?;
        }
        Ok(integrity)
    }

    /// Reads the manifest of a package that the store has, as a tarball or unpacked, and unpacks it
    /// if it is not; the record has the integrity. `package` names it in messages.
    ///
    /// # Errors
    /// It is no package, or cannot be stored.
    pub(crate) fn manifest_of_kept(
        &self,
        package: &str,
        integrity: &Integrity,
    ) -> Result<LockPackage, AcquireError> {
        let store = &self.shared.store;
        let id = PackageId::from_integrity(integrity);
        let text = integrity.to_string();
        store.expect(id, &text)?;
        if self.shared.has(id)?
            && let Some(stored) = store.open_package(id)?
        {
            // A damaged package is fetched again by the next command.
            let damaged = |_: &_| drop(store.reject(id));
            let contents = Contents::of_package(&stored).inspect_err(damaged)?;
            self.shared.done(id, Ok(()));
            return Ok(LockPackage { integrity: Some(text), ..contents.record(package)? });
        }
        let lost = || AcquireError::NotStored { package: package.to_owned() };
        let file = store.open_tarball(id).ok_or_else(lost)?;
        let contents = self.read_tarball(package, file)?;
        let record = LockPackage { integrity: Some(text), ..contents.record(package)? };
        self.unpack_kept(id, &record, integrity, package)?;
        Ok(record)
    }

    /// Fetches the commit of a lockfile's entry and unpacks its package, which must be the one that
    /// was made of the commit before.
    pub(super) fn take_commit(
        &self,
        id: PackageId,
        package: &LockPackage,
    ) -> Result<(), AcquireError> {
        let found = commits::locked(&self.context, self, package)?;
        if let Some(integrity) = package.integrity.as_deref().map(Integrity::parse)
            && integrity.is_ok_and(|integrity| integrity != found)
        {
            return Err(AcquireError::OtherContents { package: label(package) });
        }
        if self.shared.has(id)? {
            return Ok(());
        }
        self.unpack_kept(id, package, &found, &label(package))
    }

    fn read_tarball(&self, package: &str, file: File) -> Result<Contents, AcquireError> {
        let read = Contents::of_tarball(file, self.shared.limits.clone());
        read.map_err(|error| match error {
            StreamError::Source(error) => AcquireError::io(format!("reading {package}"), error),
            StreamError::Tarball(error) => {
                AcquireError::InPackage { package: package.to_owned(), source: Arc::new(error) }
            }
        })
    }

    /// Unpacks a tarball that the store has.
    fn unpack_kept(
        &self,
        id: PackageId,
        record: &LockPackage,
        integrity: &Integrity,
        package: &str,
    ) -> Result<(), AcquireError> {
        // No message has this name: what can be wrong with the tarball was found by reading it.
        let wanted = TarballRequest {
            name: PackageName::parse("package")?,
            version: Box::default(),
            url: None,
            integrity: Some(integrity.clone()),
            priority: Priority::Normal,
            estimated_bytes: 0,
        };
        if !self.download(id, record, &wanted).unpack_stored_now()? {
            return Err(AcquireError::NotStored { package: package.to_owned() });
        }
        self.shared.done(id, Ok(()));
        Ok(())
    }
}

/// A tarball on its way into the store, whose bytes are hashed as they are written.
struct Kept<'s> {
    tarball: IncomingTarball<'s>,
    digest: Sha512Digest,
}

impl Write for Kept<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.tarball.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
