use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn folder_of_mode(mode: u32) -> (tempfile::TempDir, Dir) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    (folder, dir)
}

#[test]
fn access_is_told_by_the_mode() {
    let expected = [
        (0o700, Access::Own),
        (0o755, Access::Readable),
        (0o711, Access::Readable),
        (0o770, Access::Shared),
        (0o702, Access::Shared),
        (0o777, Access::Shared),
        (0o1777, Access::Sticky),
    ];
    for (mode, access) in expected {
        let (folder, dir) = folder_of_mode(mode);
        assert_eq!(dir.access().unwrap(), access, "{mode:o}");
        assert_eq!(super::access(folder.path(), false).unwrap(), access, "{mode:o}");
    }
}

#[test]
fn folders_are_closed() {
    let (folder, dir) = folder_of_mode(0o777);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    dir.forbid_writing().unwrap();
    assert_eq!(mode(folder.path()), 0o755);
    dir.make_private().unwrap();
    assert_eq!(mode(folder.path()), 0o700);
    dir.create_private_dir("below").unwrap();
    assert_eq!(mode(&folder.path().join("below")), 0o700);
    create_private_dir(&folder.path().join("beside")).unwrap();
    assert_eq!(mode(&folder.path().join("beside")), 0o700);
}

#[test]
fn links_are_no_real_folders() {
    let (folder, dir) = folder_of_mode(0o700);
    dir.create_private_dir("real").unwrap();
    symlink("real", folder.path().join("link")).unwrap();
    assert!(Dir::open_real(folder.path().join("real")).is_ok());
    assert!(Dir::open_real(folder.path().join("link")).is_err());
    assert!(access(&folder.path().join("link"), true).is_ok());
    let error = access(&folder.path().join("link"), false).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
}

#[test]
fn folders_of_others_are_foreign() {
    if user() != ROOT {
        // Only the administrator may give a folder away, and only to them is one of root's foreign.
        assert_eq!(access(Path::new("/"), true).unwrap(), Access::Foreign { owner: ROOT });
        return;
    }
    let (folder, dir) = folder_of_mode(0o777);
    std::os::unix::fs::chown(folder.path(), Some(1234), Some(1234)).unwrap();
    assert_eq!(dir.access().unwrap(), Access::Foreign { owner: 1234 });
}
