use std::fs;

use super::*;

fn tree() -> (tempfile::TempDir, PackageTree) {
    let folder = tempfile::tempdir().unwrap();
    let tree = PackageTree::new(Dir::open(folder.path()).unwrap(), Names::Paths);
    (folder, tree)
}

#[test]
fn files_in_any_order_land_in_their_folders() {
    let (folder, mut tree) = tree();
    let paths = ["a/b/c.js", "a/b.js", "x", "a/b/d.js", "a/bc/e", "a.js", "a/b/deep/er/f", "z/1"];
    for path in paths {
        tree.add(path, FileMode::PLAIN, path.as_bytes()).unwrap();
    }
    for path in paths {
        assert_eq!(fs::read(folder.path().join(path)).unwrap(), path.as_bytes());
    }
}

#[test]
fn a_folder_that_shares_the_beginning_of_a_name_is_another() {
    let (folder, mut tree) = tree();
    tree.add("lib/a", FileMode::PLAIN, b"1").unwrap();
    tree.add("lib2/a", FileMode::PLAIN, b"2").unwrap();
    tree.add("li/a", FileMode::PLAIN, b"3").unwrap();
    assert_eq!(fs::read(folder.path().join("lib2/a")).unwrap(), b"2");
    assert_eq!(fs::read(folder.path().join("li/a")).unwrap(), b"3");
}

#[test]
fn a_file_in_place_of_a_folder_is_an_error() {
    let (_folder, mut tree) = tree();
    tree.add("a", FileMode::PLAIN, b"").unwrap();
    assert!(tree.add("a/b", FileMode::PLAIN, b"").is_err());
}

#[test]
fn files_by_number_lie_in_one_folder_or_in_folders_of_64() {
    for (names, width) in [(Names::Numbers, 1), (Names::Padded, 31), (Names::Folders, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = PackageTree::new(Dir::open(folder.path()).unwrap(), names);
        for (number, path) in ["a/b/c.js", "x", "a/b/d.js"].into_iter().enumerate() {
            let row = tree.add(path, FileMode::PLAIN, path.as_bytes()).unwrap();
            assert_eq!(row.number as usize, number);
            let name = format!("{number:0width$}");
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), path.as_bytes());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut tree = PackageTree::new(Dir::open(folder.path()).unwrap(), Names::Folders);
    let mut add = |n| tree.add(&format!("a/{n}"), FileMode::PLAIN, b"").unwrap();
    let row = (0..130).map(&mut add).last().unwrap();
    let count = |path: &str| fs::read_dir(folder.path().join(path)).unwrap().count();
    assert_eq!((count(""), count("d1"), count("d2")), (64 + 2, 64, 2));
    tree.remove("a/129", row).unwrap();
    assert_eq!(count("d2"), 1);
}
