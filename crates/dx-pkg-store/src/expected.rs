//! The integrities that packages are expected to have.
//!
//! A package is found by its id, which for SHA-512 is half of the digest. The other half is
//! compared when the package's tables are read: its record has the integrity of its tarball.

use dx_pkg_core::{Integrity, PackageId};

use crate::{PackageTables, Store, StoreError};

impl Store {
    /// Sets the integrity that a package must have: whoever reads its tables gets an error if it
    /// was made from a tarball of another one.
    ///
    /// # Errors
    /// When another integrity was set for this id, so that one of them is wrong.
    pub fn expect(&self, id: PackageId, integrity: &str) -> Result<(), StoreError> {
        let mut expected = self.expected();
        match expected.get(&id) {
            Some(known) => check(known, integrity),
            None => {
                expected.insert(id, integrity.into());
                Ok(())
            }
        }
    }

    /// Returns the tables, unless they are of other bytes than those expected under this id.
    pub(crate) fn as_expected(
        &self,
        id: PackageId,
        tables: PackageTables,
    ) -> Result<PackageTables, StoreError> {
        if let Some(stored) = tables.integrity()
            && let Some(expected) = self.expected().get(&id)
        {
            check(stored, expected)?;
        }
        Ok(tables)
    }
}

/// Checks that two integrities accept the same bytes.
fn check(stored: &str, expected: &str) -> Result<(), StoreError> {
    let agree = || {
        let parsed = Integrity::parse(stored).ok().zip(Integrity::parse(expected).ok());
        parsed.is_some_and(|(stored, expected)| stored.agrees_with(&expected))
    };
    if stored == expected || agree() {
        return Ok(());
    }
    Err(StoreError::OtherBytes { stored: stored.into(), expected: expected.into() })
}

#[cfg(test)]
mod tests;
