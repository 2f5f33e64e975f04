//! The right to run a file.

use std::io;
use std::path::Path;

/// Lets everybody who may read a file in a folder run it. Links within the folder are followed.
///
/// # Errors
/// There is no such file, it is outside of the folder or reached by a link that leads out of it,
/// or the system refuses.
#[cfg(unix)]
pub fn make_executable(folder: &Path, file: &Path) -> io::Result<()> {
    use std::fs::{Permissions, canonicalize};
    use std::os::unix::fs::PermissionsExt;

    let (root, place) = (canonicalize(folder)?, canonicalize(folder.join(file))?);
    let outside = || io::Error::new(io::ErrorKind::PermissionDenied, "it is outside of its folder");
    let inner = place.strip_prefix(&root).map_err(|_| outside())?;
    let opened = super::Dir::open(&root)?.open_file(inner)?;
    let found = opened.metadata()?;
    let mode = found.permissions().mode();
    let allowed = mode | (mode & 0o444) >> 2;
    if found.is_file() && allowed != mode {
        opened.set_permissions(Permissions::from_mode(allowed))?;
    }
    Ok(())
}

/// Does nothing: here any file may be run.
#[cfg(not(unix))]
pub fn make_executable(_folder: &Path, _file: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn files_of_a_folder_become_executable_and_others_stay() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path();
        fs::create_dir_all(top.join("package/sub")).unwrap();
        for (file, mode) in [("package/sub/a", 0o644), ("package/b", 0o640), ("key", 0o600)] {
            fs::write(top.join(file), "").unwrap();
            fs::set_permissions(top.join(file), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("sub/a", top.join("package/inner")).unwrap();
        symlink("../key", top.join("package/outer")).unwrap();
        symlink("..", top.join("package/up")).unwrap();
        let run = |file: &str| make_executable(&top.join("package"), Path::new(file)).is_ok();
        assert!(run("inner") && run("b") && run("sub"));
        assert!(!run("outer") && !run("up/key") && !run("../key") && !run("none"));
        let mode = |file: &str| fs::metadata(top.join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("package/sub/a"), mode("package/b")), (0o755, 0o750));
        assert_eq!(mode("key"), 0o600);
    }
}
