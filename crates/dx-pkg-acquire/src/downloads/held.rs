//! The packages that a project had before: what the store has of them saves most bytes of their
//! other versions, where a registry can send differences.

use dx_pkg_core::PackageId;
use dx_pkg_lock::{Lock, LockPackage};

use super::Downloads;
use crate::package::real_name;

impl Downloads {
    /// Sets the packages that the project had before, each with its real name, version and id.
    pub fn put_held(&self, packages: impl Iterator<Item = (String, String, PackageId)>) {
        if self.context.may_speak_dxrp(self.context.config.registry()) {
            self.shared.held.get_or_init(|| packages.collect());
        }
    }

    /// Sets the packages of the project's lock as those that it had before.
    pub fn put_held_of(&self, lock: &Lock) {
        let held = |package: &LockPackage| {
            let id = package.package_id().filter(|_| package.patched.is_none())?;
            Some((real_name(package).to_owned(), package.version.clone()?, id))
        };
        self.put_held(lock.packages.iter().filter_map(held));
    }
}
