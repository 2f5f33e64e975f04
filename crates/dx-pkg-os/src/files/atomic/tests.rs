use super::*;

#[test]
fn contents_are_replaced_and_no_other_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.json");
    write_atomic(&path, b"one", Durability::Fsync).unwrap();
    write_atomic(&path, b"two", Durability::Rename).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_failure_leaves_the_old_state_and_no_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("occupied");
    fs::create_dir_all(path.join("inside")).unwrap();
    assert!(write_atomic(&path, b"text", Durability::Rename).is_err());
    assert!(path.join("inside").is_dir());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn permissions_are_kept_and_links_followed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, "old").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("real", &link).unwrap();
    write_atomic(&link, b"new", Durability::Rename).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn readers_never_see_a_partial_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    write_atomic(&path, &[0; 50_000], Durability::Rename).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for value in 1..100 {
                write_atomic(&path, &[value; 50_000], Durability::Rename).unwrap();
            }
        });
        for _ in 0..100 {
            let bytes = fs::read(&path).unwrap();
            assert_eq!(bytes.len(), 50_000);
            assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        }
    });
}
