use std::fs;

use super::*;

struct Folders {
    _folder: tempfile::TempDir,
    source: Dir,
    target: Dir,
    path: std::path::PathBuf,
}

fn folders() -> Folders {
    let folder = tempfile::tempdir().unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let (source, target) = (root.make_dir("source").unwrap(), root.make_dir("target").unwrap());
    Folders { path: folder.path().to_owned(), _folder: folder, source, target }
}

#[test]
fn detection_finds_a_way_and_leaves_nothing() {
    let folders = folders();
    let shared = Import::detect(&folders.source, &folders.target, Sharing::Shared).unwrap();
    assert_eq!(shared, Import::Hardlink);
    let private = Import::detect(&folders.source, &folders.target, Sharing::Private).unwrap();
    assert_ne!(private, Import::Hardlink);
    assert!(folders.source.entries().unwrap().is_empty());
    assert!(folders.target.entries().unwrap().is_empty());
}

#[test]
fn a_hardlink_is_the_same_file_and_a_copy_is_not() {
    let folders = folders();
    let Folders { source, target, .. } = &folders;
    source.write_file("a", b"text", 0o755).unwrap();
    assert_eq!(Import::Hardlink.place(source, "a", target, "linked").unwrap(), Import::Hardlink);
    assert_eq!(Import::Copy.place(source, "a", target, "copied").unwrap(), Import::Copy);
    let inode = |dir: &Dir, name| dir.identity(name).unwrap().unwrap().inode;
    assert_eq!(inode(source, "a"), inode(target, "linked"));
    assert_ne!(inode(source, "a"), inode(target, "copied"));
    assert_eq!(fs::read(folders.path.join("target/copied")).unwrap(), b"text");
}

#[cfg(unix)]
#[test]
fn a_copy_keeps_the_executable_bits() {
    use std::os::unix::fs::PermissionsExt;
    let folders = folders();
    folders.source.write_file("a", b"", 0o755).unwrap();
    Import::Copy.place(&folders.source, "a", &folders.target, "a").unwrap();
    let mode = fs::metadata(folders.path.join("target/a")).unwrap().permissions().mode();
    assert_ne!(mode & 0o111, 0);
}

#[test]
fn a_reflink_that_is_refused_becomes_a_copy() {
    let folders = folders();
    folders.source.write_file("a", b"text", 0o644).unwrap();
    let used = Import::Reflink.place(&folders.source, "a", &folders.target, "a").unwrap();
    assert_ne!(used, Import::Hardlink);
    assert_eq!(fs::read(folders.path.join("target/a")).unwrap(), b"text");
}

#[test]
fn an_occupied_name_or_a_missing_source_is_an_error() {
    let folders = folders();
    folders.source.write_file("a", b"new", 0o644).unwrap();
    folders.target.write_file("a", b"old", 0o644).unwrap();
    for import in [Import::Hardlink, Import::Reflink, Import::Copy] {
        let error = import.place(&folders.source, "a", &folders.target, "a").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        let error = import.place(&folders.source, "missing", &folders.target, "b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
    assert_eq!(fs::read(folders.path.join("target/a")).unwrap(), b"old");
}

#[test]
fn a_range_is_copied_exactly() {
    let folders = folders();
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n / 100) as u8).collect();
    folders.source.write_file("a", &bytes, 0o644).unwrap();
    let source = folders.source.open_file("a").unwrap();
    let target = folders.target.create_file("b", 0o644).unwrap();
    copy_range(&source, 4096, 100_000, &target).unwrap();
    assert_eq!(fs::read(folders.path.join("target/b")).unwrap(), &bytes[4096..104_096]);
    assert!(copy_range(&source, 150_000, 100_000, &target).is_err());
}
