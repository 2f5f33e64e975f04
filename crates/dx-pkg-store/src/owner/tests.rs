use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

use dx_pkg_core::Coded;

use super::*;
use crate::{Folder, Store};

/// Another user than the one of the tests.
const OTHER: u32 = 1234;

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn v1(&self) -> PathBuf {
        self.root().join("v1")
    }

    fn made(mode: u32) -> Self {
        let fixture = Self::new();
        fs::create_dir_all(fixture.v1()).unwrap();
        set_mode(&fixture.v1(), mode);
        fixture
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn refusal(opened: Result<Store, StoreError>) -> String {
    let error = opened.unwrap_err();
    assert_eq!(error.code(), "DX_STORE_NOT_USED", "{error}");
    assert!(error.hint().unwrap().contains("DX_STORE="), "it says what to do");
    error.to_string()
}

/// Returns whether folders can be given to another user.
fn may_give_away() -> bool {
    dx_pkg_testkit::require::root()
}

#[test]
fn new_store_is_closed_to_others() {
    let fixture = Fixture::new();
    let store = Store::open(&fixture.root()).unwrap();
    store.tmp_dir().unwrap();
    for path in [fixture.root(), fixture.v1(), store.folder(Folder::Tmp)] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
}

#[test]
fn store_of_an_earlier_version_is_closed_and_used() {
    for former in [0o755, 0o775, 0o777] {
        let fixture = Fixture::made(former);
        fs::create_dir(fixture.v1().join("tmp")).unwrap();
        set_mode(&fixture.v1().join("tmp"), former);
        let store = Store::open(&fixture.root()).unwrap();
        assert_eq!(mode(&fixture.v1()), 0o700, "{former:o}");
        assert!(store.tmp_dir().is_ok());
    }
}

#[test]
fn folder_around_a_store_loses_only_the_right_to_write() {
    let fixture = Fixture::made(0o700);
    set_mode(&fixture.root(), 0o2775);
    Store::open(&fixture.root()).unwrap();
    assert_eq!(mode(&fixture.root()), 0o2755);
}

#[test]
fn folder_with_other_things_around_a_store_is_never_changed() {
    let fixture = Fixture::made(0o700);
    fs::write(fixture.root().join("other"), "").unwrap();
    set_mode(&fixture.root(), 0o777);
    assert!(refusal(Store::open(&fixture.root())).contains("other users"));
    assert_eq!(mode(&fixture.root()), 0o777);
    // As `/tmp`, in which others cannot replace it.
    set_mode(&fixture.root(), 0o1777);
    Store::open(&fixture.root()).unwrap();
    assert_eq!(mode(&fixture.root()), 0o1777);
}

#[test]
fn links_are_followed_only_where_the_user_chose_the_place() {
    let fixture = Fixture::made(0o700);
    let link = fixture.folder.path().join("link");
    symlink("store", &link).unwrap();
    assert!(Store::open(&link).is_ok());
    assert!(refusal(Store::open_common(&link)).contains("link"));
    assert!(Store::open_common(&fixture.root()).is_ok());
}

#[test]
fn links_within_a_store_are_refused() {
    let fixture = Fixture::new();
    let elsewhere = fixture.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(fixture.root()).unwrap();
    symlink(&elsewhere, fixture.v1()).unwrap();
    assert!(refusal(Store::open(&fixture.root())).contains("link"));
    fs::remove_file(fixture.v1()).unwrap();
    let store = Store::open(&fixture.root()).unwrap();
    symlink(&elsewhere, fixture.v1().join("tmp")).unwrap();
    assert!(store.tmp_dir().is_err());
    assert!(store.existing(Folder::Tmp).is_none());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "nothing was written there");
}

#[test]
fn links_that_others_put_into_a_shared_store_are_refused() {
    let fixture = Fixture::made(0o777);
    symlink("/", fixture.v1().join("packages")).unwrap();
    assert!(refusal(Store::open(&fixture.root())).contains("packages"));
}

#[test]
fn stores_of_other_users_are_refused() {
    if !may_give_away() {
        return;
    }
    let fixture = Fixture::made(0o755);
    chown(fixture.v1(), Some(OTHER), None).unwrap();
    assert!(refusal(Store::open(&fixture.root())).contains("1234"));
    let fixture = Fixture::made(0o755);
    chown(fixture.root(), Some(OTHER), None).unwrap();
    assert!(refusal(Store::open(&fixture.root())).contains("1234"));
    assert!(refusal(Store::open_common(&fixture.root())).contains("1234"));
}

#[test]
fn folders_of_other_users_in_a_store_are_not_used() {
    if !may_give_away() {
        return;
    }
    let fixture = Fixture::made(0o777);
    fs::create_dir(fixture.v1().join("packages")).unwrap();
    chown(fixture.v1().join("packages"), Some(OTHER), None).unwrap();
    assert!(refusal(Store::open(&fixture.root())).contains("packages"));
    // It is closed now; what was put there before stays unused.
    let store = Store::open(&fixture.root()).unwrap();
    assert!(store.existing(Folder::Packages).is_none());
    assert!(store.dir(Folder::Packages).is_err());
}
