//! Expanded files that were found altered.

use dx_pkg_os::files::Status;

/// An expanded file that differed from its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered {
    /// The path within the package.
    pub path: String,
    /// The inode that has the wrong contents or mode, which other trees may have; 0 if the file was
    /// missing.
    pub inode: u64,
}

impl Altered {
    pub(crate) fn new(path: &str, found: Option<&Status>) -> Self {
        let inode = found.map_or(0, |found| found.identity.inode);
        Self { path: path.to_owned(), inode }
    }
}
