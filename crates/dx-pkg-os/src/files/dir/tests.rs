use std::collections::BTreeMap;
use std::fs;

use super::*;

#[test]
fn a_tree_is_made_without_naming_a_long_path() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let lib = root.make_dir("lib").unwrap();
    lib.make_dir("deep").unwrap().write_file("a.js", b"text", 0o644).unwrap();
    assert_eq!(fs::read(folder.path().join("lib/deep/a.js")).unwrap(), b"text");
}

#[test]
fn an_existing_name_is_an_error_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.write_file("a", b"first", 0o644).unwrap();
    assert_eq!(
        root.write_file("a", b"second", 0o644).unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"first");
    root.make_dir("d").unwrap();
    assert_eq!(root.make_dir("d").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    root.make_or_open_dir("d").unwrap();
    root.make_or_open_dir("e").unwrap();
}

#[test]
fn entries_tell_files_folders_and_links_apart() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.write_file("file", b"", 0o644).unwrap();
    root.make_dir("folder").unwrap();
    root.symlink("nowhere", "link").unwrap();
    let found: BTreeMap<_, _> = root
        .entries()
        .unwrap()
        .into_iter()
        .map(|entry| (entry.name.into_string().unwrap(), entry.kind))
        .collect();
    let expected =
        [("file", EntryKind::File), ("folder", EntryKind::Directory), ("link", EntryKind::Symlink)];
    assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)).into());
    assert_eq!(root.read_link("link").unwrap(), Path::new("nowhere"));
}

#[test]
fn a_symbolic_link_is_not_opened_as_folder_or_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.make_dir("real").unwrap();
    root.write_file("file", b"", 0o644).unwrap();
    root.symlink("real", "to-folder").unwrap();
    root.symlink("file", "to-file").unwrap();
    assert!(root.open_dir("to-folder").is_err());
    assert!(root.open_file("to-file").is_err());
    assert!(root.create_file("to-file", 0o644).is_err());
}

#[cfg(unix)]
#[test]
fn modes_are_as_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.write_file("plain", b"", 0o644).unwrap();
    root.write_file("tool", b"", 0o755).unwrap();
    let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o111;
    assert_eq!(mode("plain"), 0);
    assert_ne!(mode("tool"), 0);
    root.set_mode("plain", 0o755).unwrap();
    assert_eq!(mode("plain"), 0o111);
}

#[test]
fn files_are_linked_renamed_and_removed_across_folders() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let (a, b) = (root.make_dir("a").unwrap(), root.make_dir("b").unwrap());
    a.write_file("x", b"1", 0o644).unwrap();
    b.link_from(&a, "x", "y").unwrap();
    assert_eq!(a.identity("x").unwrap(), b.identity("y").unwrap());
    a.rename("x", &b, "z").unwrap();
    assert_eq!(a.identity("x").unwrap(), None);
    b.remove_file("y").unwrap();
    b.remove_file("z").unwrap();
    root.remove_dir("b").unwrap();
    assert_eq!(root.identity("b").unwrap(), None);
}

#[test]
fn a_file_changed_later_is_never_older_than_a_touched_one() {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    root.write_file("a", b"", 0o644).unwrap();
    let written = root.identity("a").unwrap().unwrap().mtime_ns;
    std::thread::sleep(std::time::Duration::from_millis(20));
    for number in 0..50 {
        root.touch("a").unwrap();
        let name = number.to_string();
        root.write_file(&name, b"", 0o644).unwrap();
        let [touched, later] =
            ["a", &name].map(|name| root.identity(name).unwrap().unwrap().mtime_ns);
        assert!(written < touched && touched <= later, "{written} {touched} {later}");
    }
}
