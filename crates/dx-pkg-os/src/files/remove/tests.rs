use std::fs;

use super::*;

#[test]
fn trees_files_links_and_nothing_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let tree = root.make_dir("tree").unwrap();
    tree.make_dir("a").unwrap().make_dir("b").unwrap().write_file("c", b"", 0o644).unwrap();
    tree.make_dir("empty").unwrap();
    tree.write_file("f", b"", 0o644).unwrap();
    root.write_file("file", b"", 0o644).unwrap();
    for name in ["tree", "file", "missing"] {
        remove_tree(&folder.path().join(name)).unwrap();
    }
    assert!(root.entries().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn links_are_removed_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.make_dir("kept").unwrap().write_file("f", b"", 0o644).unwrap();
    root.make_dir("tree").unwrap().symlink("../kept", "link").unwrap();
    root.symlink("kept", "top").unwrap();
    remove_tree(&folder.path().join("tree")).unwrap();
    remove_tree(&folder.path().join("top")).unwrap();
    assert!(folder.path().join("kept/f").exists());
    assert_eq!(root.entries().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn read_only_folders_are_removed() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("tree/a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("f"), "").unwrap();
    for path in [deep.as_path(), &folder.path().join("tree/a"), &folder.path().join("tree")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o500)).unwrap();
    }
    remove_tree(&folder.path().join("tree")).unwrap();
    assert!(!folder.path().join("tree").exists());
}

#[test]
fn a_tree_deeper_than_any_path_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let mut dir = Dir::open(folder.path()).unwrap();
    for _ in 0..1500 {
        dir = dir.make_dir("deep").unwrap();
        dir.write_file("f", b"", 0o644).unwrap();
    }
    remove_tree(&folder.path().join("deep")).unwrap();
    assert!(!folder.path().join("deep").exists());
}
