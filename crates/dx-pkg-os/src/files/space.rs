//! The space that is left on a file system.

use std::io;
use std::path::Path;

/// The space left on a file system, for users other than root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// The bytes left.
    pub bytes: u64,
    /// The inodes left; `None` where they are not limited.
    pub inodes: Option<u64>,
}

/// Returns the space left on the file system of `path`; `None` where the system is not asked, which
/// is the case on Windows.
///
/// # Errors
/// When the system refuses.
pub fn space(path: &Path) -> io::Result<Option<Space>> {
    #[cfg(unix)]
    {
        let found = rustix::fs::statvfs(path)?;
        Ok(Some(Space {
            bytes: found.f_bavail.saturating_mul(found.f_frsize),
            inodes: (found.f_files > 0).then_some(found.f_favail),
        }))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(None)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::space;

    #[test]
    fn a_file_system_has_space() {
        let folder = tempfile::tempdir().unwrap();
        let found = space(folder.path()).unwrap().unwrap();
        assert!(found.bytes > 0, "{found:?}");
        assert!(space(&folder.path().join("missing")).is_err());
    }
}
