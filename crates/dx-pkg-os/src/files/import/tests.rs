use std::fs;
use std::path::PathBuf;

use super::*;

struct Folders {
    _folder: tempfile::TempDir,
    source: Dir,
    target: Dir,
    path: PathBuf,
}

fn folders(place: Option<PathBuf>) -> Folders {
    let folder = place.map_or_else(tempfile::tempdir, tempfile::tempdir_in).unwrap();
    let root = Dir::open(folder.path()).unwrap();
    let (source, target) = (root.make_dir("source").unwrap(), root.make_dir("target").unwrap());
    Folders { path: folder.path().to_owned(), _folder: folder, source, target }
}

#[test]
fn a_refused_reflink_leaves_nothing() {
    let folders = folders(None);
    folders.source.write_file("a", b"text", 0o644).unwrap();
    match reflink(&folders.source, "a", &folders.target, "a", 0o644) {
        Ok(()) => assert_eq!(fs::read(folders.path.join("target/a")).unwrap(), b"text"),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(folders.target.entries().unwrap().is_empty());
        }
    }
}

#[test]
fn an_occupied_name_or_a_missing_source_is_an_error() {
    let folders = folders(None);
    folders.source.write_file("a", b"new", 0o644).unwrap();
    folders.target.write_file("a", b"old", 0o644).unwrap();
    let error = reflink(&folders.source, "a", &folders.target, "a", 0o644).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    let error = reflink(&folders.source, "missing", &folders.target, "b", 0o644).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(fs::read(folders.path.join("target/a")).unwrap(), b"old");
}

#[cfg(target_os = "linux")]
#[test]
fn where_blocks_can_be_shared_a_reflink_is_a_file_of_its_own() {
    let Some(device) = dx_pkg_testkit::Device::btrfs() else { return };
    let folders = folders(Some(device.path().to_owned()));
    for (name, size) in [("small", 40), ("large", 300_000)] {
        let bytes: Vec<u8> = (0..size).map(|n| (n / 100) as u8).collect();
        folders.source.write_file(name, &bytes, 0o755).unwrap();
        reflink(&folders.source, name, &folders.target, name, 0o755).unwrap();
        fs::write(folders.path.join("source").join(name), "changed").unwrap();
        assert_eq!(fs::read(folders.path.join("target").join(name)).unwrap(), bytes);
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &folders.path.join("target/large").metadata().unwrap().permissions(),
    );
    assert_ne!(mode & 0o111, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn where_blocks_can_be_shared_a_range_of_whole_blocks_is() {
    let Some(device) = dx_pkg_testkit::Device::btrfs() else { return };
    let folders = folders(Some(device.path().to_owned()));
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n / 100) as u8).collect();
    folders.source.write_file("a", &bytes, 0o644).unwrap();
    let (source, target) =
        (folders.source.open_file("a").unwrap(), folders.target.create_file("b", 0o644).unwrap());
    clone_range(&source, 4096, 98_304, &target).unwrap();
    assert_eq!(fs::read(folders.path.join("target/b")).unwrap(), &bytes[4096..102_400]);
    assert_eq!(
        clone_range(&source, 100, 4096, &target).unwrap_err().kind(),
        io::ErrorKind::Unsupported
    );
}
