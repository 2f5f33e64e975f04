use std::fs;
use std::time::{Duration, SystemTime};

use super::*;

#[test]
fn a_missing_file_has_no_identity() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(identity(&folder.path().join("a")).unwrap(), None);
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(identity(&folder.path().join("file/below")).unwrap(), None);
}

#[test]
fn a_file_replaced_by_an_equal_one_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "text").unwrap();
    let before = identity(&path).unwrap().unwrap();
    assert_eq!(identity(&path).unwrap(), Some(before));
    assert_eq!(before.size, 4);
    fs::write(folder.path().join("b"), "text").unwrap();
    fs::rename(folder.path().join("b"), &path).unwrap();
    assert_ne!(identity(&path).unwrap(), Some(before));
}

#[cfg(unix)]
#[test]
fn an_edit_that_restores_the_modification_time_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "text").unwrap();
    let time = SystemTime::now() - Duration::from_secs(60);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let before = identity(&path).unwrap().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&path, "edit").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    let after = identity(&path).unwrap().unwrap();
    assert_eq!(
        (before.inode, before.size, before.mtime_ns),
        (after.inode, after.size, after.mtime_ns)
    );
    assert_ne!(before, after);
}
