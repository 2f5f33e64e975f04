use std::fs;
use std::path::{Path, PathBuf};

use crate::{PrepareJob, Store};

const KEY: [u8; 32] = [7; 32];

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// A tree in `tmp/` whose only file says `text`.
fn tree(store: &Store, text: &str) -> PathBuf {
    let path = store.tmp_dir().unwrap().join(text);
    fs::create_dir_all(path.join("node_modules")).unwrap();
    fs::write(path.join("node_modules/file"), text).unwrap();
    path
}

#[test]
fn a_spare_is_had_once() {
    let (_folder, store) = store();
    assert!(store.take_prepared_tree(KEY).is_none());
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let prepared = store.take_prepared_tree(KEY).unwrap();
    assert_eq!(fs::read(prepared.path().join("node_modules/file")).unwrap(), b"one");
    assert!(store.take_prepared_tree(KEY).is_none());
}

#[test]
fn what_is_left_of_a_spare_goes_away_with_it() {
    let (_folder, store) = store();
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let path = store.take_prepared_tree(KEY).map(|prepared| prepared.path().to_owned()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_spare_that_lost_something_since_it_was_offered_is_nobodys() {
    let (_folder, store) = store();
    store.record_prepared(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let prepared = store.prepared_entries()[0].trees[0].clone();
    std::thread::sleep(std::time::Duration::from_millis(10));
    fs::remove_file(prepared.join("node_modules/file")).unwrap();
    assert!(store.take_prepared_tree(KEY).is_none());
    assert!(store.prepared_entries()[0].trees.is_empty(), "it is not looked at twice");
    store.offer_prepared_tree(KEY, &tree(&store, "two")).unwrap();
    assert!(store.take_prepared_tree(KEY).is_some());
}

#[test]
fn forests_tell_their_record_and_spares_most_recent_first() {
    let (_folder, store) = store();
    assert!(store.prepared_entries().is_empty());
    store.record_prepared(KEY, b"old", Path::new("/a")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(10));
    store.record_prepared([9; 32], b"new", Path::new("/b")).unwrap();
    store.offer_prepared_tree(KEY, &tree(&store, "one")).unwrap();
    let prepared = store.prepared_entries();
    assert_eq!(prepared.iter().map(|prepared| prepared.key[0]).collect::<Vec<_>>(), [9, 7]);
    assert_eq!(prepared[1].record().unwrap(), b"old");
    assert_eq!(prepared[1].project().unwrap(), Path::new("/a"));
    assert_eq!(prepared[1].trees.len(), 1);
    store.remove_prepared(&prepared[1]).unwrap();
    assert!(store.take_prepared_tree(KEY).is_none());
    assert_eq!(store.prepared_entries().len(), 1);
}

#[test]
fn wishes_are_taken_once_each() {
    let (_folder, store) = store();
    assert!(store.take_jobs().is_empty());
    let job = |project: &str, new_tree| PrepareJob { project: project.into(), new_tree };
    for job in [job("/a", true), job("/b", true), job("/a", false)] {
        store.queue_job(&job).unwrap();
    }
    let mut jobs = store.take_jobs();
    jobs.sort_by(|a, b| a.project.cmp(&b.project));
    assert_eq!(jobs, [job("/a", false), job("/b", true)], "the last of each project");
    assert!(store.take_jobs().is_empty());
}

#[test]
fn one_process_works_in_the_background() {
    let (_folder, store) = store();
    let lock = store.background_lock(false).unwrap();
    assert!(lock.is_some());
    assert!(store.background_lock(false).unwrap().is_none());
    drop(lock);
    assert!(store.background_lock(true).unwrap().is_some());
}
