//! The right of a package's own programs to be run.

use std::path::Path;

/// Gives a package's own program the right to be run, as an install does with those of others.
pub(crate) fn make_executable(program: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(metadata) = std::fs::metadata(program)
            && metadata.permissions().mode() & 0o111 == 0
        {
            let mode = metadata.permissions().mode();
            let allowed = std::fs::Permissions::from_mode(mode | (mode & 0o444) >> 2);
            // The system says why it cannot be run.
            let _ = std::fs::set_permissions(program, allowed);
        }
    }
    #[cfg(not(unix))]
    let _ = program;
}
