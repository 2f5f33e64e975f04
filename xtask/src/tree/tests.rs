use super::{Snapshot, differences, is_package_folder, packages};
use crate::dx::write;
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(&dir.path().join(path), text).unwrap();
    }
    dir
}

fn count(left: &TempDir, right: &TempDir) -> usize {
    differences(left.path(), right.path(), &["package-lock.json"]).unwrap().len()
}

#[test]
fn equal_trees_differ_in_bookkeeping_only() {
    let left = tree(&[
        ("node_modules/a/index.js", "1"),
        ("package-lock.json", "x"),
        ("node_modules/.dx/state", ""),
    ]);
    let right =
        tree(&[("node_modules/a/index.js", "1"), ("node_modules/.package-lock.json", "{}")]);
    assert_eq!(count(&left, &right), 0);
}

#[test]
fn contents_and_missing_files_on_either_side_are_differences() {
    let left = tree(&[("a", "1"), ("b", "22"), ("c", "")]);
    let right = tree(&[("a", "2"), ("b", "22"), ("d", "")]);
    assert_eq!(count(&left, &right), 3);
}

#[test]
#[cfg(unix)]
fn executable_bits_and_link_targets_are_differences() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (left, right) = (tree(&[("a", "1")]), tree(&[("a", "1")]));
    symlink("a", left.path().join("l")).unwrap();
    symlink("b", right.path().join("l")).unwrap();
    assert_eq!(count(&left, &right), 1);
    std::fs::set_permissions(left.path().join("a"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(count(&left, &right), 2);
}

#[test]
fn packages_are_found_where_they_are_placed_only() {
    assert!(is_package_folder("node_modules/a"));
    assert!(is_package_folder("node_modules/a/node_modules/@s/b"));
    assert!(!is_package_folder("node_modules/a/lib"));
    assert!(!is_package_folder("node_modules/@s"));
    let dir = tree(&[
        ("package.json", "{}"),
        ("node_modules/a/package.json", r#"{"name":"a","version":"1.0.0"}"#),
        ("node_modules/a/esm/package.json", r#"{"type":"module"}"#),
    ]);
    let found: Vec<_> = packages(dir.path()).unwrap().into_iter().collect();
    assert_eq!(found, [("node_modules/a".to_owned(), "a@1.0.0".to_owned())]);
}

#[test]
fn a_snapshot_equals_its_like_and_nothing_else() {
    let files = [("a", "1"), ("b/c", "22"), ("node_modules/.dx/state", "x")];
    let snapshot = |files: &[(&str, &str)]| Snapshot::of(tree(files).path()).unwrap();
    let own = snapshot(&files);
    own.must_equal(&snapshot(&files[..2])).unwrap();
    let others: [&[(&str, &str)]; 3] =
        [&[("a", "2"), ("b/c", "22")], &[("a", "1")], &[("a", "1"), ("b/c", "22"), ("d", "")]];
    for (other, named) in others.into_iter().zip(["a: ", "b/c: ", "d: "]) {
        let said = own.must_equal(&snapshot(other)).unwrap_err();
        assert!(said.contains(named) && said.starts_with("1 differences"), "{said}");
    }
}
