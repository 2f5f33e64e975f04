use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn write(path: &Path, contents: &[u8]) {
    try_to_write(path, contents).unwrap();
}

fn try_to_write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let (folder, name) = parts(path);
    write_user_file(folder, name, contents, Durability::Rename)
}

fn check(path: &Path) -> io::Result<()> {
    let (folder, name) = parts(path);
    check_user_file(folder, name)
}

fn parts(path: &Path) -> (&Path, &str) {
    (path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap())
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
        check(&path).unwrap();
        write(&path, contents.as_bytes());
        assert_eq!(fs::read_to_string(folder.path().join("real/file")).unwrap(), contents);
        for (link, target) in links {
            assert_eq!(fs::read_link(folder.path().join(link)).unwrap(), Path::new(target));
        }
    }
    symlink("loop", folder.path().join("loop")).unwrap();
    let path = folder.path().join("loop");
    assert!(check(&path).is_err());
    assert!(try_to_write(&path, b"").is_err());
}

#[test]
fn link_that_leads_out_of_the_folder_is_refused_and_stays() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("project");
    fs::create_dir(&folder).unwrap();
    fs::write(place.path().join("settings.json"), "theirs").unwrap();
    for (name, target) in [("a", "../settings.json"), ("b", "../none"), ("c", "/dev/null")] {
        let path = folder.join(name);
        symlink(target, &path).unwrap();
        assert_eq!(check(&path).unwrap_err().kind(), io::ErrorKind::PermissionDenied, "{name}");
        assert!(try_to_write(&path, b"ours").is_err(), "{name}");
        assert_eq!(fs::read_link(&path).unwrap(), Path::new(target));
    }
    assert_eq!(fs::read_to_string(place.path().join("settings.json")).unwrap(), "theirs");
    assert_eq!(names(place.path()), ["project", "settings.json"]);
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
    assert!(check(&occupied).is_err());
    assert!(try_to_write(&occupied, b"").is_err());
    let missing = folder.path().join("no/package.json");
    assert!(check(&missing).is_err());
    assert!(try_to_write(&missing, b"").is_err());
    check(&folder.path().join("new")).unwrap();
    assert_eq!(names(folder.path()), ["occupied"]);
}

#[test]
fn what_is_no_plain_file_stays_and_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    symlink("pipe", folder.path().join("link")).unwrap();
    for name in ["pipe", "link"] {
        let path = folder.path().join(name);
        assert!(check(&path).is_err());
        assert!(try_to_write(&path, b"new").is_err());
        assert!(super::super::write_atomic(&path, b"new", Durability::Rename).is_err());
        assert!(super::super::sync_file(&path).is_err());
    }
    assert_eq!(names(folder.path()), ["link", "pipe"]);
}
