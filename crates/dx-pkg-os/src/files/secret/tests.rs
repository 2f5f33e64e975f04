use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

#[test]
fn secret_is_random_private_and_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    let made: [u8; 32] = create_secret(&dir, "key").unwrap();
    assert_eq!(read_secret::<32>(&folder.path().join("key")).unwrap(), made);
    assert_ne!(made, create_secret::<32>(&dir, "other").unwrap());
    let again = create_secret::<32>(&dir, "key").unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(read_secret::<32>(&folder.path().join("key")).unwrap(), made);
    assert_eq!(
        fs::metadata(folder.path().join("key")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft is left");
}

#[test]
fn what_others_could_have_made_or_read_is_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let private = |name: &str, contents: &[u8]| {
        fs::write(at(name), contents).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    private("short", &[1; 31]);
    private("long", &[1; 33]);
    private("open", &[1; 32]);
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o640)).unwrap();
    private("right", &[1; 32]);
    symlink("right", at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::from_raw_mode(0o600))
        .unwrap();
    for name in ["short", "long", "open", "link", "folder", "pipe"] {
        assert!(read_secret::<32>(&at(name)).is_err(), "{name}");
    }
    assert_eq!(read_secret::<32>(&at("right")).unwrap(), [1; 32]);
    assert_eq!(read_secret::<32>(&at("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
}
