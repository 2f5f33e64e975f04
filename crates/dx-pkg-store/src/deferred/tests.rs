use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_os::files::Dir;

use crate::Store;

const FILES: [(&str, FileMode, &[u8]); 3] = [
    ("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ("index.js", FileMode::PLAIN, b"one"),
    ("large.bin", FileMode::PLAIN, &[7; 70_000]),
];

fn world() -> (tempfile::TempDir, Store, PackageId, Integrity) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    let files = FILES.map(|(path, mode, data)| FileEntry { path, mode, data });
    store.insert_deferred(id, Some(&integrity), &files).unwrap();
    fs::create_dir_all(folder.path().join("project/node_modules")).unwrap();
    (folder, store, id, integrity)
}

fn modules(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("project/node_modules")
}

/// Another process on the same store.
fn other(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path()).unwrap()
}

#[test]
fn a_pending_package_is_whole_for_its_process_and_nothing_for_others() {
    let (folder, store, id, _) = world();
    assert!(store.has(id));
    let package = store.open_package(id).unwrap().unwrap();
    assert_eq!(store.file_count(id), Some(3));
    let entry = package.dxp().find("index.js").unwrap();
    assert_eq!(&*package.read(&entry).unwrap(), b"one");
    let tables = store.open_tables(id).unwrap().unwrap();
    let run = tables.dxp().find("bin/run.js").unwrap();
    assert!(store.open_files(id, &tables).unwrap().open(&run).is_ok());
    assert!(!other(&folder).has(id));
    assert!(other(&folder).open_package(id).unwrap().is_none());
    assert!(!other(&folder).ensure_expanded(id).unwrap());
}

#[test]
fn threads_that_insert_the_same_pending_package_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let paths: Vec<_> = (0..200).map(|number| format!("lib/{number}/index.js")).collect();
    let files = paths.iter().map(|path| FileEntry { path, mode: FileMode::PLAIN, data: b"one" });
    let files: Vec<_> = files.collect();
    for round in 0..20 {
        let id = PackageId::from_integrity(&Integrity::sha512_of(&[round]));
        std::thread::scope(|scope| {
            let insert = || store.insert_deferred(id, None, &files);
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(insert)).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap().unwrap());
        });
        assert_eq!(store.file_count(id), Some(200));
    }
}

#[test]
fn a_pending_package_that_failed_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = PackageId::from_integrity(&Integrity::sha512_of(b"a tarball"));
    let (mode, long) = (FileMode::PLAIN, "x".repeat(300));
    let bad =
        [("a.js", b"one"), (&long, b"one")].map(|(path, data)| FileEntry { path, mode, data });
    assert!(store.insert_deferred(id, None, &bad).is_err());
    store.insert_deferred(id, None, &bad[..1]).unwrap();
    assert_eq!(store.file_count(id), Some(1));
}

#[test]
fn a_package_that_was_moved_into_a_project_is_stored_from_there() {
    let (folder, store, id, integrity) = world();
    store.move_own(id, &Dir::open(modules(&folder)).unwrap(), "a").unwrap();
    store.record_pending(&folder.path().join("project")).unwrap();
    let later = other(&folder);
    let records = later.pending_records().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].project, folder.path().join("project"));
    let (found, tables) = &records[0].packages[0];
    assert_eq!(*found, id);
    assert!(later.complete(&records[0], id, tables, &[modules(&folder).join("a")]).unwrap());
    later.remove_pending(&records[0]).unwrap();
    assert!(later.pending_records().unwrap().is_empty());

    for (path, _, data) in FILES {
        let inode = |path: &std::path::Path| fs::metadata(path).unwrap().ino();
        let (stored, project) =
            (later.file_path(id, path).unwrap(), modules(&folder).join("a").join(path));
        assert_eq!(inode(&stored), inode(&project), "each file is there once");
        assert_eq!(fs::read(stored).unwrap(), data);
    }
    let last = other(&folder);
    assert!(last.has(id) && last.verify(false).unwrap().damage.is_empty());
    assert_eq!(
        last.open_tables(id).unwrap().unwrap().dxp().integrity(),
        Some(&*integrity.to_string())
    );
    let tables = last.open_tables(id).unwrap().unwrap();
    assert!(
        last.is_unaltered(id, &last.open_files(id, &tables).unwrap(), &AtomicU64::new(0)).unwrap()
    );
}

#[test]
fn unmoved_files_are_stored_from_their_folder() {
    let (folder, store, id, _) = world();
    store.record_pending(&folder.path().join("project")).unwrap();
    let later = other(&folder);
    let records = later.pending_records().unwrap();
    assert!(later.complete(&records[0], id, &records[0].packages[0].1, &[]).unwrap());
    later.remove_pending(&records[0]).unwrap();
    later.empty_trash().unwrap();
    assert_eq!(fs::read_dir(folder.path().join("v1/tmp")).unwrap().count(), 0);
    assert!(other(&folder).has(id) && other(&folder).verify(false).unwrap().damage.is_empty());
}

#[test]
fn a_copy_that_was_edited_is_not_stored() {
    let (folder, store, id, _) = world();
    store.move_own(id, &Dir::open(modules(&folder)).unwrap(), "a").unwrap();
    let copy = modules(&folder).join("a");
    fs::write(copy.join("index.js"), "two").unwrap();
    store.record_pending(&folder.path().join("project")).unwrap();
    let later = other(&folder);
    let records = later.pending_records().unwrap();
    assert!(!later.complete(&records[0], id, &records[0].packages[0].1, &[copy]).unwrap());
    assert!(later.open_package(id).unwrap().is_none());
    assert_eq!(
        fs::read_dir(folder.path().join("v1/tmp")).unwrap().count(),
        1,
        "nothing half-written"
    );
}

#[test]
fn a_damaged_record_is_removed() {
    let (folder, store, _, _) = world();
    store.record_pending(&folder.path().join("project")).unwrap();
    let pending = folder.path().join("v1/pending");
    let path = fs::read_dir(&pending).unwrap().next().unwrap().unwrap().path();
    let sound = fs::read(&path).unwrap();
    for position in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[position] ^= 1;
        fs::write(&path, damaged).unwrap();
        assert!(other(&folder).pending_records().unwrap().is_empty(), "byte {position}");
        assert!(!path.exists());
    }
}

#[test]
fn packages_of_a_killed_process_are_deleted_after_a_while() {
    let (folder, store, _, _) = world();
    let tmp = folder.path().join("v1/tmp");
    let own = fs::read_dir(&tmp).unwrap().next().unwrap().unwrap().path();
    // No process has this number.
    let dead = tmp.join("pending-4194999-0");
    let recorded = tmp.join("pending-4194998-0");
    for path in [&dead, &recorded] {
        fs::create_dir(path).unwrap();
    }
    store.empty_trash().unwrap();
    assert!(dead.exists(), "it might live in another container");
    for path in [&own, &dead] {
        let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        fs::File::open(path).unwrap().set_modified(hour_ago).unwrap();
    }
    store.empty_trash().unwrap();
    assert_eq!((own.exists(), dead.exists(), recorded.exists()), (true, false, true));
}

#[test]
fn threads_that_begin_at_once_begin_one_folder() {
    for _ in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let barrier = std::sync::Barrier::new(4);
        std::thread::scope(|scope| {
            for number in 0..4_u8 {
                let (store, barrier) = (&store, &barrier);
                scope.spawn(move || {
                    let id = PackageId::from_integrity(&Integrity::sha512_of(&[number]));
                    barrier.wait();
                    store
                        .insert_deferred(
                            id,
                            None,
                            &[FileEntry { path: "a", mode: FileMode::PLAIN, data: b"a" }],
                        )
                        .unwrap();
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path().join("v1/tmp")).unwrap().count(), 1);
    }
}
