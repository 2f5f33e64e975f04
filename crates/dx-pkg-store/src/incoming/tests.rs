use std::fs;
use std::sync::atomic::AtomicU64;

use dx_pkg_core::{Coded, Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};

use super::{Incoming, StoreMode};
use crate::{Folder, Store};

const FILES: [(&str, FileMode, &[u8]); 4] = [
    ("package.json", FileMode::PLAIN, b"{}"),
    ("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ("large.bin", FileMode::PLAIN, &[7; 70_000]),
    ("bin/empty", FileMode::PLAIN, b""),
];

fn world() -> (tempfile::TempDir, Store, PackageId, Integrity) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    (folder, store, id, integrity)
}

fn receive(store: &Store, id: PackageId, keeping: StoreMode) -> Incoming<'_> {
    let mut incoming = store.receive(id, keeping).unwrap();
    for (path, mode, contents) in FILES {
        incoming.begin(path.to_owned(), mode).unwrap();
        contents.chunks(1000).for_each(|piece| incoming.write(piece).unwrap());
    }
    incoming
}

/// Returns the files of a stored package, and its record without their stamps.
fn contents(store: &Store, id: PackageId) -> (Vec<Vec<u8>>, Vec<u8>) {
    let tables = store.open_tables(id).unwrap().unwrap();
    let read = |path| fs::read(store.file_path(id, path).unwrap()).unwrap();
    let files = tables.dxp().entries().map(|entry| read(entry.path)).collect();
    (files, tables.bytes().to_vec())
}

/// Returns the same of the package, inserted at once into a store with the key of `other`.
fn stored_at_once(other: &Store, id: PackageId, integrity: &Integrity) -> (Vec<Vec<u8>>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    // Digests depend on the key.
    fs::copy(other.root().join("key"), store.root().join("key")).unwrap();
    let files = FILES.map(|(path, mode, data)| FileEntry { path, mode, data });
    store.insert(id, Some(integrity), &files).unwrap();
    contents(&store, id)
}

fn nothing_in_tmp(store: &Store) -> bool {
    fs::read_dir(store.folder(Folder::Tmp)).unwrap().next().is_none()
}

#[test]
fn an_incoming_package_equals_one_inserted_at_once() {
    let (folder, store, id, integrity) = world();
    receive(&store, id, StoreMode::Now).keep(Some(&integrity)).unwrap();
    assert!(store.has(id) && !store.is_own(id));
    assert_eq!(contents(&store, id), stored_at_once(&store, id, &integrity));
    assert!(store.verify(false).unwrap().damage.is_empty());
    let later = Store::open(folder.path()).unwrap();
    let tables = later.open_tables(id).unwrap().unwrap();
    assert!(
        later
            .is_unaltered(id, &later.open_files(id, &tables).unwrap(), &AtomicU64::new(0))
            .unwrap()
    );
    assert!(nothing_in_tmp(&store));
    // However often it arrives.
    receive(&store, id, StoreMode::Now).keep(Some(&integrity)).unwrap();
    assert!(nothing_in_tmp(&store));
}

#[test]
fn a_deferred_package_is_pending() {
    let (folder, store, id, integrity) = world();
    receive(&store, id, StoreMode::Deferred).keep(Some(&integrity)).unwrap();
    receive(&store, id, StoreMode::Deferred).keep(Some(&integrity)).unwrap();
    assert!(store.is_own(id));
    store.record_pending(&folder.path().join("project")).unwrap();
    let later = Store::open(folder.path()).unwrap();
    let notes = later.pending_records().unwrap();
    assert!(later.complete(&notes[0], id, &notes[0].packages[0].1, &[]).unwrap());
    assert_eq!(contents(&later, id), stored_at_once(&later, id, &integrity));
}

#[test]
fn nothing_stays_of_a_package_that_is_not_kept() {
    let (_folder, store, id, _) = world();
    drop(receive(&store, id, StoreMode::Now));
    assert!(!store.has(id) && nothing_in_tmp(&store));
}

#[test]
fn a_path_that_leads_out_or_is_there_is_refused() {
    let (folder, store, id, _) = world();
    let mut incoming = store.receive(id, StoreMode::Deferred).unwrap();
    for path in ["../escaped", "/etc/escaped", "a/../../escaped", ""] {
        assert_eq!(
            incoming.begin(path.to_owned(), FileMode::PLAIN).unwrap_err().code(),
            "DX_STORE_UNSTORABLE",
            "{path}"
        );
    }
    incoming.begin("a".to_owned(), FileMode::PLAIN).unwrap();
    for path in ["a", "a/b"] {
        incoming.begin(path.to_owned(), FileMode::PLAIN).unwrap_err();
    }
    drop(incoming);
    assert!(!folder.path().join("tmp/escaped").exists() && nothing_in_tmp(&store));
}
