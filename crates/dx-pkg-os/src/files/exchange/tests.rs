use std::fs;

use super::*;

fn trees(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (new, place) = (folder.join("new"), folder.join("place"));
    fs::create_dir(&new).unwrap();
    fs::write(new.join("n"), "").unwrap();
    (new, place)
}

#[test]
fn a_free_place_is_simply_taken() {
    for swap in [exchange_or_rename, exchange_by_renaming] {
        let folder = tempfile::tempdir().unwrap();
        let (new, place) = trees(folder.path());
        assert_eq!(swap(&new, &place).unwrap(), Swap::Renamed);
        assert!(place.join("n").exists());
        assert!(!new.exists());
    }
}

#[test]
fn the_replaced_tree_is_handed_back() {
    for swap in [exchange_or_rename, exchange_by_renaming] {
        let folder = tempfile::tempdir().unwrap();
        let (new, place) = trees(folder.path());
        fs::create_dir(&place).unwrap();
        fs::write(place.join("o"), "").unwrap();
        assert_eq!(swap(&new, &place).unwrap(), Swap::Exchanged);
        assert!(place.join("n").exists());
        assert!(new.join("o").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn a_missing_new_tree_leaves_the_old_one() {
    for swap in [exchange_or_rename, exchange_by_renaming] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("place");
        fs::create_dir(&place).unwrap();
        assert!(swap(&folder.path().join("new"), &place).is_err());
        assert!(place.is_dir());
    }
}
