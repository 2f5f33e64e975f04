use std::fs;

use super::*;

type Exchange = fn(&Dir, &Path, &Dir, &Path) -> io::Result<Swap>;

const WAYS: [Exchange; 2] =
    [|from, new, into, place| exchange_or_rename(from, new, into, place), exchange_by_renaming];

fn exchanged(way: Exchange, new: &Path, place: &Path) -> io::Result<Swap> {
    let [from, into] = [new, place].map(|path| Dir::open(path.parent().unwrap()).unwrap());
    way(&from, Path::new(new.file_name().unwrap()), &into, Path::new(place.file_name().unwrap()))
}

fn trees(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (new, place) = (folder.join("new"), folder.join("place"));
    fs::create_dir(&new).unwrap();
    fs::write(new.join("n"), "").unwrap();
    (new, place)
}

#[test]
fn a_free_place_is_simply_taken() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let (new, place) = trees(folder.path());
        assert_eq!(exchanged(way, &new, &place).unwrap(), Swap::Renamed);
        assert!(place.join("n").exists());
        assert!(!new.exists());
    }
}

#[test]
fn the_replaced_tree_is_handed_back() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let (new, place) = trees(folder.path());
        fs::create_dir(&place).unwrap();
        fs::write(place.join("o"), "").unwrap();
        assert_eq!(exchanged(way, &new, &place).unwrap(), Swap::Exchanged);
        assert!(place.join("n").exists());
        assert!(new.join("o").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}

#[test]
fn a_missing_new_tree_leaves_the_old_one() {
    for way in WAYS {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("place");
        fs::create_dir(&place).unwrap();
        assert!(exchanged(way, &folder.path().join("new"), &place).is_err());
        assert!(place.is_dir());
    }
}
