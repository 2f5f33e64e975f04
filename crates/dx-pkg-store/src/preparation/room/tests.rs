use std::fs;
use std::path::Path;

use dx_pkg_os::files::Space;

use super::{TreeSize, most};
use crate::Store;
use crate::prepared::PreparedKey;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// Offers a tree of a key, last used so many seconds ago.
fn offer(store: &Store, key: PreparedKey, age: u64) {
    let tree = store.tmp_dir().unwrap().join(format!("{}", key[0]));
    fs::create_dir_all(tree.join("node_modules/a/lib")).unwrap();
    store.record_prepared(key, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(key, &tree).unwrap();
    let used = fs::File::options().write(true).open(store.prepared_folder(key).join("used"));
    let time = std::time::SystemTime::now() - std::time::Duration::from_secs(age);
    used.unwrap().set_modified(time).unwrap();
}

fn ready(store: &Store) -> Vec<u8> {
    let entries = store.prepared_entries();
    entries.iter().filter(|entry| !entry.trees.is_empty()).map(|entry| entry.key[0]).collect()
}

#[test]
fn trees_may_take_a_twentieth_of_what_is_left_without_them() {
    let taken = TreeSize { bytes: 50, inodes: 5 };
    let left = Space { bytes: 150, inodes: Some(195) };
    assert_eq!(most(left, taken), TreeSize { bytes: 10, inodes: 10 });
    let unlimited = most(Space { inodes: None, ..left }, taken);
    assert_eq!(unlimited.inodes, u64::MAX, "Btrfs has no number of inodes");
}

#[test]
fn sizes_are_recorded_and_counted_where_they_are_not() {
    let (_folder, store) = store();
    offer(&store, [1; 32], 0);
    assert_eq!(store.tree_size([1; 32]), None);
    // The tree itself, node_modules, a and lib.
    assert_eq!(store.allowance().taken, TreeSize::of(4, 0));
    store.record_tree_size([1; 32], TreeSize::of(7, 100)).unwrap();
    assert_eq!(store.tree_size([1; 32]), Some(TreeSize { bytes: 7 * 4096 + 100, inodes: 7 }));
    assert_eq!(store.allowance().taken, TreeSize::of(7, 100));
}

#[test]
fn the_least_recently_used_trees_make_room_and_the_spared_one_stays() {
    let (_folder, store) = store();
    // Each alone is half of what is allowed.
    let half = store.allowance().most.map(|most| most.bytes / 2).unwrap();
    let size = TreeSize { bytes: half * 9 / 10, inodes: 1 };
    for (key, age) in [(1, 30), (2, 20), (3, 10)] {
        offer(&store, [key; 32], age);
        store.record_tree_size([key; 32], size).unwrap();
    }
    assert!(store.make_room(Some([1; 32]), TreeSize::default()));
    assert_eq!(ready(&store), [3, 1], "the oldest goes, but for the spared one");
}

#[test]
fn what_is_larger_than_all_may_be_is_not_made_and_nothing_is_dropped_for_it() {
    let (_folder, store) = store();
    offer(&store, [1; 32], 0);
    let most = store.allowance().most.unwrap();
    assert!(!store.make_room(None, TreeSize { bytes: most.bytes * 2, inodes: 1 }));
    assert!(
        !store.make_room(None, TreeSize { bytes: 1, inodes: u64::MAX }) || most.inodes == u64::MAX
    );
    assert_eq!(ready(&store), [1]);
}

#[test]
fn a_tree_that_is_too_large_itself_goes_too() {
    let (_folder, store) = store();
    offer(&store, [1; 32], 0);
    offer(&store, [2; 32], 10);
    // More than there can be on any disk.
    store.record_tree_size([1; 32], TreeSize { bytes: u64::MAX / 2, inodes: 1 }).unwrap();
    store.trim_preparations();
    assert_eq!(ready(&store), [2], "and it alone, although the other one is older");
}
