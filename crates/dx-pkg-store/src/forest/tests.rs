use std::fs;
use std::path::{Path, PathBuf};

use crate::{Store, Wish};

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
    assert!(store.take_spare(KEY).is_none());
    store.plant_forest(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_spare(KEY, &tree(&store, "one")).unwrap();
    let spare = store.take_spare(KEY).unwrap();
    assert_eq!(fs::read(spare.path().join("node_modules/file")).unwrap(), b"one");
    assert!(store.take_spare(KEY).is_none());
}

#[test]
fn what_is_left_of_a_spare_goes_away_with_it() {
    let (_folder, store) = store();
    store.plant_forest(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_spare(KEY, &tree(&store, "one")).unwrap();
    let path = store.take_spare(KEY).map(|spare| spare.path().to_owned()).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_spare_that_lost_something_since_it_was_offered_is_nobodys() {
    let (_folder, store) = store();
    store.plant_forest(KEY, b"record", Path::new("/project")).unwrap();
    store.offer_spare(KEY, &tree(&store, "one")).unwrap();
    let spare = store.forests()[0].spares[0].clone();
    std::thread::sleep(std::time::Duration::from_millis(10));
    fs::remove_file(spare.join("node_modules/file")).unwrap();
    assert!(store.take_spare(KEY).is_none());
    assert!(store.forests()[0].spares.is_empty(), "it is not looked at twice");
    store.offer_spare(KEY, &tree(&store, "two")).unwrap();
    assert!(store.take_spare(KEY).is_some());
}

#[test]
fn forests_tell_their_record_and_spares_most_recent_first() {
    let (_folder, store) = store();
    assert!(store.forests().is_empty());
    store.plant_forest(KEY, b"old", Path::new("/a")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(10));
    store.plant_forest([9; 32], b"new", Path::new("/b")).unwrap();
    store.offer_spare(KEY, &tree(&store, "one")).unwrap();
    let forests = store.forests();
    assert_eq!(forests.iter().map(|forest| forest.key[0]).collect::<Vec<_>>(), [9, 7]);
    assert_eq!(forests[1].record().unwrap(), b"old");
    assert_eq!(forests[1].project().unwrap(), Path::new("/a"));
    assert_eq!(forests[1].spares.len(), 1);
    store.fell_forest(&forests[1]).unwrap();
    assert!(store.take_spare(KEY).is_none());
    assert_eq!(store.forests().len(), 1);
}

#[test]
fn wishes_are_taken_once_each() {
    let (_folder, store) = store();
    assert!(store.take_wishes().is_empty());
    let wish = |project: &str, new_tree| Wish { project: project.into(), new_tree };
    for wish in [wish("/a", true), wish("/b", true), wish("/a", false)] {
        store.wish(&wish).unwrap();
    }
    let mut wishes = store.take_wishes();
    wishes.sort_by(|a, b| a.project.cmp(&b.project));
    assert_eq!(wishes, [wish("/a", false), wish("/b", true)], "the last of each project");
    assert!(store.take_wishes().is_empty());
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
