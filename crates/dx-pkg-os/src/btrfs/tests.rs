//! Run with `--ignored` where `DX_TEST_BTRFS` names a folder on Btrfs that the tests may fill.

use std::fs;

use super::*;

#[test]
fn a_temporary_file_system_is_not_btrfs() {
    let Ok(memory) = Dir::open("/dev/shm") else { return };
    assert!(!is_btrfs(&memory));
    assert!(subvolume_create(&memory, "dx-test-subvolume").is_err());
}

#[test]
fn a_name_of_several_segments_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    for name in ["", "a/b", "a\0b", &"a".repeat(256)] {
        assert_eq!(
            subvolume_create(&dir, name).unwrap_err().kind(),
            io::ErrorKind::InvalidInput,
            "{name:?}"
        );
    }
}

#[test]
#[ignore = "needs DX_TEST_BTRFS"]
fn a_snapshot_is_a_copy_that_goes_its_own_way() {
    let folder = tempfile::tempdir_in(crate::btrfs_for_tests()).unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    assert!(is_btrfs(&dir));
    subvolume_create(&dir, "tree").unwrap();
    let tree = dir.open_dir("tree").unwrap();
    tree.make_dir("a").unwrap().write_file("b", b"first", 0o644).unwrap();

    snapshot(&tree, &dir, "copy").unwrap();
    fs::write(folder.path().join("copy/a/b"), "second").unwrap();
    assert_eq!(fs::read(folder.path().join("tree/a/b")).unwrap(), b"first");
    assert_eq!(snapshot(&tree, &dir, "copy").unwrap_err().kind(), io::ErrorKind::AlreadyExists);

    subvolume_delete(&dir, "tree").unwrap();
    assert!(!folder.path().join("tree").exists());
    assert_eq!(fs::read(folder.path().join("copy/a/b")).unwrap(), b"second");
}

#[test]
#[ignore = "needs DX_TEST_BTRFS"]
fn a_snapshot_can_be_renamed_into_another_subvolume_and_removed_as_a_folder() {
    let folder = tempfile::tempdir_in(crate::btrfs_for_tests()).unwrap();
    let dir = Dir::open(folder.path()).unwrap();
    for name in ["store", "project"] {
        subvolume_create(&dir, name).unwrap();
    }
    let (store, project) = (dir.open_dir("store").unwrap(), dir.open_dir("project").unwrap());
    subvolume_create(&store, "tree").unwrap();
    store.open_dir("tree").unwrap().write_file("a", b"", 0o644).unwrap();
    snapshot(&store.open_dir("tree").unwrap(), &store, "prepared").unwrap();
    store.rename("prepared", &project, "node_modules").unwrap();
    assert!(folder.path().join("project/node_modules/a").exists());
    crate::remove_tree(&folder.path().join("project/node_modules")).unwrap();
    assert!(!folder.path().join("project/node_modules").exists());
}
