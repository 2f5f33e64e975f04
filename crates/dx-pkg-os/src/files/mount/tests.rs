use std::path::Path;

use super::is_mount_point;

#[test]
#[cfg(target_os = "linux")]
fn only_places_of_mounts_are_mount_points() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc", folder.path().join("link")).unwrap();
    // Kernels before 5.8 do not report it.
    if let Some(is_mounted) = is_mount_point(Path::new("/proc")) {
        assert!(is_mounted);
        assert_eq!(is_mount_point(&folder.path().join("link")), Some(false));
        assert_eq!(is_mount_point(folder.path()), Some(false));
    }
    assert_eq!(is_mount_point(&folder.path().join("nothing")), Some(false));
}
