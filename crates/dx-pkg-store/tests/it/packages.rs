//! Inserting, opening and expanding packages.

use std::fs;

use dx_pkg_core::Coded;
use dx_pkg_format::dxp::{self, FileEntry, FileMode};
use dx_pkg_store::Store;

use crate::{Fixture, files, identify};

#[test]
fn an_inserted_package_is_there_and_can_be_read() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (id, integrity) = identify("a");
    assert!(!store.has(id));
    assert!(store.open_package(id).unwrap().is_none());
    store.insert(id, Some(&integrity), &files("{}")).unwrap();
    assert!(store.has(id));
    let package = store.open_package(id).unwrap().unwrap();
    assert_eq!(package.dxp().integrity(), Some(integrity.to_string().as_str()));
    for file in files("{}") {
        assert_eq!(fs::read(store.file_path(id, file.path).unwrap()).unwrap(), file.data);
        let entry = package.dxp().find(file.path).unwrap();
        assert_eq!(&*package.read(&entry).unwrap(), file.data);
    }
    assert_eq!(store.file_count(id), Some(package.dxp().len()));
    assert_eq!(fixture.garbage(), 0);
}

#[cfg(unix)]
#[test]
fn only_executables_are_executable() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    let mode = |path| {
        fs::metadata(fixture.store.file_path(id, path).unwrap()).unwrap().permissions().mode()
            & 0o111
    };
    assert_ne!(mode("bin/run.js"), 0);
    assert_eq!(mode("package.json"), 0);
}

#[test]
fn another_handle_and_another_process_see_the_same_store() {
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    let other = Store::open(&fixture.folder.path().join("store")).unwrap();
    assert!(other.has(id));
    assert!(other.open_package(id).unwrap().is_some());
}

#[test]
fn inserting_the_same_package_from_many_threads_succeeds_everywhere() {
    let fixture = Fixture::new();
    let (id, integrity) = identify("a");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // A handle each, as processes have.
                let store = Store::open(&fixture.folder.path().join("store")).unwrap();
                for _ in 0..20 {
                    store.insert(id, Some(&integrity), &files("{}")).unwrap();
                }
            });
        }
    });
    assert!(fixture.store.verify(false).unwrap().damage.is_empty());
    assert_eq!(fixture.garbage(), 0);
}

#[test]
fn a_packed_package_is_expanded_when_it_is_needed_and_then_there_once() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (id, path) = fixture.pack("a");
    assert!(!store.has(id));
    let package = store.open_package(id).unwrap().unwrap();
    assert_eq!(
        &*package.read(&package.dxp().find("lib/deep/index.js").unwrap()).unwrap(),
        b"module.exports = 1\n"
    );
    assert_eq!(store.file_count(id), Some(4));
    assert!(store.ensure_expanded(id).unwrap());
    assert!(store.has(id) && !path.exists());
    assert!(store.verify(false).unwrap().damage.is_empty());
    assert!(!store.ensure_expanded(identify("unknown").0).unwrap());
}

#[test]
fn a_package_whose_files_were_removed_is_missing() {
    let fixture = Fixture::new();
    let id = fixture.insert("a");
    fs::remove_dir_all(fixture.store.expanded(id)).unwrap();
    assert!(!fixture.store.has(id));
    assert!(!fixture.store.ensure_expanded(id).unwrap());
    fixture.insert("a");
    assert!(fixture.store.has(id));
    assert!(fixture.store.verify(false).unwrap().damage.is_empty());
}

#[test]
fn the_tables_of_few_and_of_many_files_are_read_without_their_contents() {
    let fixture = Fixture::new();
    assert!(fixture.store.open_tables(identify("none").0).unwrap().is_none());
    for count in [0, 1, 2000] {
        let (id, _) = identify(&count.to_string());
        let paths: Vec<String> =
            (0..count).map(|number| format!("folder/file-{number:04}")).collect();
        let entries: Vec<_> = paths
            .iter()
            .map(|path| FileEntry { path, mode: FileMode::PLAIN, data: path.as_bytes() })
            .collect();
        fixture.store.insert(id, None, &entries).unwrap();
        let tables = fixture.store.open_tables(id).unwrap().unwrap();
        assert!(tables.dxp().entries().map(|entry| entry.path).eq(&paths), "{count}");
        assert_eq!(fixture.store.file_count(id), Some(count));
    }
}

/// Files around the sizes from which contents are aligned in the package and may share its blocks.
fn is_expanded_exactly(store: &Store) {
    let (id, _) = identify("large");
    let contents: Vec<Vec<u8>> = [65_535, 65_536, 65_537, 200_000]
        .iter()
        .map(|size| (0..*size).map(|n: u32| (n / 250) as u8 ^ n as u8).collect())
        .collect();
    let names = ["a", "b", "c/d", "c/e"];
    let entry = |(path, data)| FileEntry { path, mode: FileMode::PLAIN, data };
    let files: Vec<_> =
        names.into_iter().zip(contents.iter().map(Vec::as_slice)).map(entry).collect();
    let packed = dxp::encode(&files, None, dxp::Compression::Stored).unwrap();
    let hex = id.to_string();
    let folder = store.folder(dx_pkg_store::Folder::Packages).join(&hex[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{hex}.dxp")), packed).unwrap();
    let package = store.open_package(id).unwrap().unwrap();
    assert!(store.ensure_expanded(id).unwrap());
    for (name, data) in names.into_iter().zip(&contents) {
        let path = store.file_path(id, name).unwrap();
        assert!(fs::read(&path).unwrap() == *data, "{name}");
        fs::write(path, "changed").unwrap();
    }
    assert!(package.dxp().verify().is_ok(), "the blocks are no longer shared");
}

#[test]
fn large_files_are_expanded_exactly() {
    is_expanded_exactly(&Fixture::new().store);
}

#[test]
fn large_files_that_share_blocks_are_expanded_exactly() {
    let Some(device) = dx_pkg_testkit::Device::btrfs() else { return };
    is_expanded_exactly(&Store::open(device.path()).unwrap());
}

#[test]
fn a_package_without_files_is_a_package() {
    let fixture = Fixture::new();
    let (id, _) = identify("empty");
    fixture.store.insert(id, None, &[]).unwrap();
    assert!(fixture.store.has(id));
    assert!(fixture.store.open_package(id).unwrap().unwrap().dxp().is_empty());
}

#[test]
fn a_package_with_unsafe_or_conflicting_paths_leaves_nothing() {
    let fixture = Fixture::new();
    let (id, _) = identify("bad");
    let file = |path| FileEntry { path, mode: FileMode::PLAIN, data: b"" };
    let error = fixture.store.insert(id, None, &[file("../../escaped")]).unwrap_err();
    assert_eq!(error.code(), "DX_STORE_UNSTORABLE");
    let error = fixture.store.insert(id, None, &[file("a"), file("a/b")]).unwrap_err();
    assert_eq!(error.code(), "DX_STORE_UNSTORABLE");
    assert!(!fixture.store.has(id));
    assert_eq!(fixture.garbage(), 0);
    assert!(!fixture.folder.path().join("escaped").exists());
}

#[test]
fn a_store_that_cannot_be_created_says_where() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Store::open(&folder.path().join("file")).unwrap_err();
    assert!(error.to_string().contains("/file`"), "{error}");
    assert!(error.to_string().contains("no folder"), "{error}");
}

#[test]
fn compiled_locks_come_back_by_their_key() {
    let fixture = Fixture::new();
    assert!(fixture.store.compiled_lock([1; 32]).is_none());
    fixture.store.put_compiled_lock([1; 32], b"old").unwrap();
    fixture.store.put_compiled_lock([1; 32], b"compiled").unwrap();
    assert_eq!(&*fixture.store.compiled_lock([1; 32]).unwrap(), b"compiled");
    assert!(fixture.store.compiled_lock([2; 32]).is_none());
    assert_eq!(fixture.garbage(), 0);
}

#[cfg(unix)]
#[test]
fn a_package_stored_as_version_1_is_taken_over() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let (id, _) = identify("old");
    let hex = id.to_string();
    let folder = fixture.store.folder(dx_pkg_store::Folder::Packages).join(&hex[..2]);
    fs::create_dir_all(&folder).unwrap();
    let old = include_bytes!("../../../dx-pkg-format/tests/golden/dxp-v1.dxp");
    fs::write(folder.join(format!("{hex}.dxp")), old).unwrap();
    assert!(fixture.store.ensure_expanded(id).unwrap());
    for (path, mode) in [("package.json", 0o644), ("bin/golden.js", 0o755)] {
        let file = fixture.store.file_path(id, path).unwrap();
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, mode, "{path}");
    }
    assert!(fixture.store.repair_expanded(id, None).unwrap().is_complete);
}
