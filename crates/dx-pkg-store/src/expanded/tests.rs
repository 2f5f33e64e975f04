use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};

use crate::Store;

const FILES: [(&str, FileMode, &[u8]); 3] = [
    ("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ("index.js", FileMode::PLAIN, b"one"),
    ("package.json", FileMode::PLAIN, b"{}"),
];

fn store() -> (tempfile::TempDir, Store, PackageId) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    let files = FILES.map(|(path, mode, data)| FileEntry { path, mode, data });
    store.insert(id, Some(&integrity), &files).unwrap();
    (folder, store, id)
}

fn paths(altered: Option<Vec<crate::Altered>>) -> Vec<String> {
    altered.unwrap().into_iter().map(|altered| altered.path).collect()
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[test]
fn unaltered_files_stay_through_two_checks() {
    let (_folder, store, id) = store();
    assert_eq!(paths(store.repair_expanded(id, None).unwrap()), [""; 0]);
    let before = inode(&store.expanded(id).join("index.js"));
    assert_eq!(paths(store.repair_expanded(id, None).unwrap()), [""; 0]);
    assert_eq!(inode(&store.expanded(id).join("index.js")), before);
}

#[test]
fn an_altered_file_is_replaced_and_its_inode_reported() {
    let (_folder, store, id) = store();
    store.repair_expanded(id, None).unwrap();
    let file = store.expanded(id).join("index.js");
    let shared = inode(&file);
    fs::write(&file, b"two").unwrap();
    let altered = store.repair_expanded(id, None).unwrap().unwrap();
    assert_eq!(altered.len(), 1);
    assert_eq!((altered[0].path.as_str(), altered[0].inode), ("index.js", shared));
    assert_eq!(fs::read(&file).unwrap(), b"one");
    assert_ne!(inode(&file), shared, "whoever shares the old one keeps it");
    assert_eq!(paths(store.repair_expanded(id, None).unwrap()), [""; 0]);
}

#[test]
fn a_missing_file_and_folder_are_made_again() {
    let (_folder, store, id) = store();
    fs::remove_dir_all(store.expanded(id).join("bin")).unwrap();
    assert_eq!(paths(store.repair_expanded(id, None).unwrap()), ["bin/run.js"]);
    assert_eq!(fs::metadata(store.expanded(id).join("bin/run.js")).unwrap().mode() & 0o777, 0o755);
}

#[test]
fn missing_files_become_links_to_unaltered_files_of_a_projects_copy() {
    let (folder, store, id) = store();
    let copy = folder.path().join("project/node_modules/a");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::rename(store.expanded(id), &copy).unwrap();
    fs::write(copy.join("index.js"), b"edited").unwrap();
    assert_eq!(paths(store.repair_expanded(id, Some(&copy)).unwrap()), [""; 0]);
    let expanded = store.expanded(id);
    assert_eq!(inode(&expanded.join("package.json")), inode(&copy.join("package.json")));
    assert_ne!(inode(&expanded.join("index.js")), inode(&copy.join("index.js")));
    assert_eq!(fs::read(expanded.join("index.js")).unwrap(), b"one");
}

#[test]
fn a_damaged_record_is_written_anew() {
    let (_folder, store, id) = store();
    store.repair_expanded(id, None).unwrap();
    let note = store.package_path(id).with_extension("files");
    let sound = fs::read(&note).unwrap();
    for position in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[position] ^= 1;
        fs::write(&note, &damaged).unwrap();
        assert_eq!(paths(store.repair_expanded(id, None).unwrap()), [""; 0]);
        assert_eq!(fs::read(&note).unwrap(), sound, "byte {position}");
    }
}

#[test]
fn an_unknown_package_is_none() {
    let (_folder, store, _) = store();
    assert_eq!(store.repair_expanded(PackageId::from_bytes([9; 32]), None).unwrap(), None);
}

#[test]
fn a_record_of_version_1_is_read_and_written_the_same() {
    let golden: &[u8] = include_bytes!("../../tests/golden/dxf-v1.dxf");
    let rows = super::decode(golden).unwrap();
    let sizes: Vec<u64> = rows.iter().map(|row| dx_pkg_format::wire::u64_at(row, 8)).collect();
    assert_eq!(sizes, [19, 3, 70_000]);
    assert_eq!(super::encode(&rows), golden);
    for at in 0..golden.len() {
        let mut altered = golden.to_vec();
        altered[at] ^= 1;
        assert_eq!(super::decode(&altered), None, "byte {at}");
        assert_eq!(super::decode(&golden[..at]), None, "cut at {at}");
    }
}
