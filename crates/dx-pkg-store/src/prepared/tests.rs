use std::fs;
use std::path::{Path, PathBuf};

use crate::Store;

const KEY: [u8; 32] = [7; 32];

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// Creates a tree in `tmp/` whose only file holds `text`.
fn tree(store: &Store, text: &str) -> PathBuf {
    let path = store.tmp_dir().unwrap().join(text);
    fs::create_dir_all(path.join("node_modules")).unwrap();
    fs::write(path.join("node_modules/file"), text).unwrap();
    path
}

#[test]
fn a_prepared_tree_is_claimed_once() {
    let (_folder, store) = store();
    assert!(store.take_prepared_tree(KEY).is_none());
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let tree = store.take_prepared_tree(KEY).unwrap();
    assert_eq!(fs::read(tree.path().join("node_modules/file")).unwrap(), b"one");
    assert!(store.take_prepared_tree(KEY).is_none());
}

#[test]
fn the_rest_of_a_claimed_tree_is_removed_with_it() {
    let (_folder, store) = store();
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let path = store.take_prepared_tree(KEY).map(|tree| tree.path().to_owned()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_tree_that_lost_something_since_it_was_offered_is_not_used() {
    let (_folder, store) = store();
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let tree_path = store.prepared_entries()[0].trees[0].clone();
    std::thread::sleep(std::time::Duration::from_millis(10));
    fs::remove_file(tree_path.join("node_modules/file")).unwrap();
    assert!(store.take_prepared_tree(KEY).is_none());
    assert!(store.prepared_entries()[0].trees.is_empty(), "it is not looked at twice");
    store.offer_prepared_tree(KEY, &tree(&store, "two")).unwrap();
    assert!(store.take_prepared_tree(KEY).is_some());
}

#[test]
fn entries_have_their_record_and_trees_the_most_recent_first() {
    let (_folder, store) = store();
    assert!(store.prepared_entries().is_empty());
    store.record_prepared(KEY, b"old", Path::new("/a")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(10));
    store.record_prepared([9; 32], b"new", Path::new("/b")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let entries = store.prepared_entries();
    assert_eq!(entries.iter().map(|entry| entry.key[0]).collect::<Vec<_>>(), [9, 7]);
    assert_eq!(entries[1].record().unwrap(), b"old");
    assert_eq!(entries[1].project().unwrap(), Path::new("/a"));
    assert_eq!(entries[1].trees.len(), 1);
    store.remove_prepared(&entries[1]).unwrap();
    assert!(store.take_prepared_tree(KEY).is_none());
    assert_eq!(store.prepared_entries().len(), 1);
}
