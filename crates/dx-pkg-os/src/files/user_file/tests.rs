use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn write(path: &Path, contents: &[u8]) {
    write_user_file(path, contents, Durability::Rename).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn plain_file_is_replaced_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.json");
    write(&path, b"one");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(&path).unwrap();
    write(&path, b"two");
    let after = fs::metadata(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_ne!(after.ino(), before.ino(), "it was not replaced");
    assert_eq!(after.mode(), before.mode());
    assert_eq!(names(folder.path()), ["package.json"]);
}

#[test]
fn hard_linked_file_keeps_its_other_names() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("a"), folder.path().join("b"));
    fs::write(&path, "a longer text").unwrap();
    fs::hard_link(&path, &other).unwrap();
    write(&path, b"short");
    assert_eq!(fs::read(&other).unwrap(), b"short");
    assert_eq!(names(folder.path()), ["a", "b"]);
}

#[test]
fn symbolic_links_stay_whether_or_not_their_file_exists() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("real")).unwrap();
    let links = [("link", "real/file"), ("second", "link")];
    for (link, target) in links {
        symlink(target, folder.path().join(link)).unwrap();
    }
    for contents in ["made", "changed"] {
        let path = folder.path().join("second");
        check_user_file(&path).unwrap();
        write(&path, contents.as_bytes());
        assert_eq!(fs::read_to_string(folder.path().join("real/file")).unwrap(), contents);
        for (link, target) in links {
            assert_eq!(fs::read_link(folder.path().join(link)).unwrap(), Path::new(target));
        }
    }
    symlink("loop", folder.path().join("loop")).unwrap();
    let path = folder.path().join("loop");
    assert!(check_user_file(&path).is_err());
    assert!(write_user_file(&path, b"", Durability::Rename).is_err());
}

#[test]
fn owner_and_group_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.json");
    fs::write(&path, "one").unwrap();
    let owner = std::os::unix::fs::chown(&path, Some(1234), Some(1235));
    if owner.is_err() {
        // Only root may give a file away; any file of this user's is covered above.
        return;
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    write(&path, b"two");
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o7777), (1234, 1235, 0o600));
    assert_eq!(fs::read(&path).unwrap(), b"two");
}

#[cfg(target_os = "linux")]
#[test]
fn extended_attributes_stay() {
    use rustix::fs::{XattrFlags, getxattr, setxattr};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("package.json");
    fs::write(&path, "one").unwrap();
    if setxattr(&path, "user.dx", b"kept", XattrFlags::empty()).is_err() {
        // The file system has none.
        return;
    }
    write(&path, b"two");
    let mut value = [0; 8];
    assert_eq!(getxattr(&path, "user.dx", &mut value).unwrap(), 4);
    assert_eq!((&value[..4], fs::read(&path).unwrap().as_slice()), (&b"kept"[..], &b"two"[..]));
}

#[test]
fn what_cannot_be_written_is_told_beforehand_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("occupied");
    fs::create_dir(&occupied).unwrap();
    assert!(check_user_file(&occupied).is_err());
    assert!(write_user_file(&occupied, b"", Durability::Rename).is_err());
    let missing = folder.path().join("no/package.json");
    assert!(check_user_file(&missing).is_err());
    assert!(write_user_file(&missing, b"", Durability::Rename).is_err());
    check_user_file(&folder.path().join("new")).unwrap();
    assert_eq!(names(folder.path()), ["occupied"]);
}
