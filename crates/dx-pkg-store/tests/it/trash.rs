//! Removal of entries, and their deletion later.

use std::fs;
use std::time::{Duration, SystemTime};

use dx_pkg_store::Folder;

use crate::Fixture;

#[test]
fn a_trashed_tree_is_gone_at_once_and_deleted_later() {
    let fixture = Fixture::new();
    let tree = fixture.folder.path().join("node_modules");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    fs::write(tree.join("a/b/c"), "").unwrap();
    let kept = fixture.store.trash(&tree).unwrap().unwrap();
    assert!(!tree.exists());
    assert!(kept.join("a/b/c").exists());
    assert_eq!(fixture.store.empty_trash().unwrap(), 1);
    assert!(!kept.exists());
}

#[test]
fn a_missing_entry_needs_no_trashing() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.trash(&fixture.folder.path().join("missing")).unwrap(), None);
    assert_eq!(fixture.store.empty_trash().unwrap(), 0);
}

#[test]
fn a_tree_is_moved_beside_when_the_store_cannot_take_it() {
    let fixture = Fixture::new();
    fs::write(fixture.store.folder(Folder::Trash), "in the way").unwrap();
    let tree = fixture.folder.path().join("node_modules");
    fs::create_dir(&tree).unwrap();
    let kept = fixture.store.trash(&tree).unwrap().unwrap();
    assert!(!tree.exists());
    assert_eq!(kept.parent(), tree.parent());
}

#[cfg(target_os = "linux")]
#[test]
fn a_tree_on_another_file_system_is_moved_beside() {
    let Some(other) = dx_pkg_testkit::require::shared_memory() else { return };
    let fixture = Fixture::new();
    let tree = other.path().join("node_modules");
    fs::create_dir(&tree).unwrap();
    let kept = fixture.store.trash(&tree).unwrap().unwrap();
    assert!(!tree.exists());
    assert!(kept.is_dir());
}

#[test]
fn only_old_garbage_of_killed_processes_is_deleted() {
    let fixture = Fixture::new();
    let tmp = fixture.store.tmp_dir().unwrap();
    for name in ["old", "new"] {
        fs::write(tmp.join(name), "").unwrap();
    }
    let old = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    fs::File::options().write(true).open(tmp.join("old")).unwrap().set_modified(old).unwrap();
    assert_eq!(fixture.store.empty_trash().unwrap(), 1);
    assert!(tmp.join("new").exists());
    assert!(!fixture.store.folder(Folder::Tmp).join("old").exists());
}
