use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::AtomicU64;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, FileEntry, FileMode};

use crate::Store;
use crate::expanded::Checked;

const FILES: [(&str, FileMode, &[u8]); 3] = [
    ("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ("index.js", FileMode::PLAIN, b"one"),
    ("package.json", FileMode::PLAIN, b"{}"),
];

fn entries() -> [FileEntry<'static>; 3] {
    FILES.map(|(path, mode, data)| FileEntry { path, mode, data })
}

/// A store with a package, as a later process sees it.
fn store() -> (tempfile::TempDir, Store, PackageId) {
    let folder = tempfile::tempdir().unwrap();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    Store::open(folder.path()).unwrap().insert(id, Some(&integrity), &entries()).unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store, id)
}

/// A store with a package as earlier versions stored it: a DXP file beside the expanded files.
fn earlier_store(stamps: bool) -> (tempfile::TempDir, Store, PackageId) {
    let (folder, store, id) = store();
    let integrity = Integrity::sha512_of(b"a tarball");
    let dxp = dxp::encode(&entries(), Some(&integrity), dxp::Compression::Stored).unwrap();
    fs::write(store.package_path(id), dxp).unwrap();
    fs::remove_file(store.package_path(id).with_extension("dxt")).unwrap();
    fs::remove_dir_all(store.expanded(id)).unwrap();
    for (path, mode, data) in FILES {
        let file = store.expanded(id).join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, data).unwrap();
        fs::set_permissions(&file, PermissionsExt::from_mode(mode.bits())).unwrap();
    }
    if stamps {
        let mut out = super::EARLIER.begin(72);
        for (path, ..) in FILES {
            let metadata = fs::metadata(store.expanded(id).join(path)).unwrap();
            let mtime = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
            out.u64(metadata.ino());
            out.u64(metadata.len());
            out.bytes(&mtime.to_le_bytes());
        }
        let record = dx_pkg_format::wire::Frame::finish(out);
        fs::write(store.package_path(id).with_extension("files"), record).unwrap();
    }
    // It had no key.
    fs::remove_file(store.root().join("key")).unwrap();
    (folder, store, id)
}

fn unaltered() -> Checked {
    Checked { altered: vec![], is_complete: true }
}

fn paths(checked: &Checked) -> Vec<&str> {
    checked.altered.iter().map(|altered| altered.path.as_str()).collect()
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn inodes(store: &Store, id: PackageId) -> [u64; 3] {
    FILES.map(|(path, ..)| inode(&store.file_path(id, path).unwrap()))
}

fn is_sound(store: &Store, id: PackageId) -> bool {
    store.has(id)
        && store.verify(false).unwrap().damage.is_empty()
        && FILES.iter().all(|(path, mode, data)| {
            let file = store.file_path(id, path).unwrap();
            fs::read(&file).unwrap() == *data
                && fs::metadata(&file).unwrap().mode() & 0o7777 == mode.bits()
        })
}

#[test]
fn unaltered_files_stay_through_two_checks() {
    let (_folder, store, id) = store();
    let before = inodes(&store, id);
    for _ in 0..2 {
        assert_eq!(store.repair_expanded(id, None).unwrap(), unaltered());
    }
    assert_eq!(inodes(&store, id), before);
}

type Change = fn(&Store, PackageId);

fn path(store: &Store, id: PackageId, path: &str) -> std::path::PathBuf {
    store.file_path(id, path).unwrap()
}

/// Ways to alter the package's files, with those that are then wrong.
fn changes() -> [(&'static str, Change, &'static [&'static str]); 5] {
    [
        (
            "longer",
            |store, id| fs::write(path(store, id, "index.js"), "longer").unwrap(),
            &["index.js"],
        ),
        (
            "of the same size",
            |store, id| fs::write(path(store, id, "index.js"), "two").unwrap(),
            &["index.js"],
        ),
        (
            "of another mode",
            |store, id| {
                let mode = PermissionsExt::from_mode(0o755);
                fs::set_permissions(path(store, id, "index.js"), mode).unwrap();
            },
            &["index.js"],
        ),
        (
            "gone",
            |store, id| fs::remove_file(path(store, id, "package.json")).unwrap(),
            &["package.json"],
        ),
        (
            "two gone",
            |store, id| {
                for name in ["package.json", "bin/run.js"] {
                    fs::remove_file(path(store, id, name)).unwrap();
                }
            },
            &["bin/run.js", "package.json"],
        ),
    ]
}

#[test]
fn a_package_with_an_altered_file_is_missing_until_it_is_inserted_again() {
    for (what, change, wrong) in changes() {
        let (folder, store, id) = store();
        let before = inodes(&store, id);
        change(&store, id);
        let checked = store.repair_expanded(id, None).unwrap();
        assert_eq!((paths(&checked).as_slice(), checked.is_complete), (wrong, false), "{what}");
        assert!(!store.has(id), "{what}");
        for altered in &checked.altered {
            let at = FILES.iter().position(|(path, ..)| *path == altered.path).unwrap();
            let was_there = !what.contains("gone");
            assert_eq!(altered.inode, if was_there { before[at] } else { 0 }, "{what}");
        }
        let integrity = Integrity::sha512_of(b"a tarball");
        let later = Store::open(folder.path()).unwrap();
        later.insert(id, Some(&integrity), &entries()).unwrap();
        assert!(is_sound(&later, id), "{what}");
        for ((path, ..), (now, before)) in
            FILES.iter().zip(inodes(&later, id).into_iter().zip(before))
        {
            // A new file may get the number of one that is gone.
            assert!(now == before || wrong.contains(path), "{what}: {path} keeps its links");
        }
        assert_eq!(fs::read_dir(later.tmp_dir().unwrap()).unwrap().count(), 0, "{what}");
        let last = Store::open(folder.path()).unwrap();
        assert_eq!(last.repair_expanded(id, None).unwrap(), unaltered(), "{what}");
    }
}

#[test]
fn an_altered_file_is_replaced_from_a_copy_that_has_it() {
    for (what, change, wrong) in changes() {
        let (folder, store, id) = store();
        let copy = folder.path().join("project/node_modules/a");
        for (path, _, data) in FILES {
            fs::create_dir_all(copy.join(path).parent().unwrap()).unwrap();
            fs::write(copy.join(path), data).unwrap();
        }
        change(&store, id);
        let checked = store.repair_expanded(id, Some(&copy)).unwrap();
        assert_eq!((paths(&checked).as_slice(), checked.is_complete), (wrong, true), "{what}");
        assert!(is_sound(&store, id), "{what}");
        assert_eq!(store.repair_expanded(id, Some(&copy)).unwrap(), unaltered(), "{what}");
    }
}

#[test]
fn a_folder_of_numbered_files_that_is_gone_is_filled_again() {
    let paths: Vec<_> = (0..150).map(|number| format!("lib/{number}.js")).collect();
    let entry = |path| FileEntry { path, mode: FileMode::PLAIN, data: b"contents" };
    let files: Vec<_> = paths.iter().map(|path| entry(path)).collect();
    let integrity = Integrity::sha512_of(b"a tarball");
    let id = PackageId::from_integrity(&integrity);
    for has_copy in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        Store::open(folder.path()).unwrap().insert(id, Some(&integrity), &files).unwrap();
        let store = Store::open(folder.path()).unwrap();
        let copy = folder.path().join("copy");
        fs::create_dir_all(copy.join("lib")).unwrap();
        paths.iter().for_each(|path| fs::write(copy.join(path), "contents").unwrap());
        let last = store.file_path(id, "lib/99.js").unwrap();
        assert!(last.ends_with("d2/21"));
        fs::remove_dir_all(last.parent().unwrap()).unwrap();
        let checked = store.repair_expanded(id, has_copy.then_some(copy.as_path())).unwrap();
        assert_eq!(checked.is_complete, has_copy);
        if !has_copy {
            store.insert(id, Some(&integrity), &files).unwrap();
        }
        let later = Store::open(folder.path()).unwrap();
        assert_eq!(later.repair_expanded(id, None).unwrap(), unaltered());
        assert!(later.verify(false).unwrap().damage.is_empty());
    }
}

#[test]
fn packages_of_an_earlier_version_are_taken_over_and_lose_nothing() {
    for stamps in [true, false] {
        let (_folder, store, id) = earlier_store(stamps);
        let before = inodes(&store, id);
        assert!(store.has(id));
        let tables = store.open_tables(id).unwrap().unwrap();
        let files = store.open_files(id, &tables).unwrap();
        assert_eq!(store.is_unaltered(id, &files, &AtomicU64::new(0)).unwrap(), stamps);
        assert_eq!(store.drop_second_copies(&mut || true).unwrap(), 1);
        assert!(!store.package_path(id).exists());
        assert!(!store.package_path(id).with_extension("files").exists());
        assert!(is_sound(&store, id));
        assert_eq!(inodes(&store, id), before);
        assert_eq!(store.repair_expanded(id, None).unwrap(), unaltered());
        let package = store.open_package(id).unwrap().unwrap();
        for (path, _, data) in FILES {
            let entry = package.dxp().find(path).unwrap();
            assert_eq!(&*package.read(&entry).unwrap(), data);
        }
        assert_eq!(store.drop_second_copies(&mut || true).unwrap(), 0);
    }
}

#[test]
fn altered_files_of_an_earlier_version_are_restored_from_its_dxp_file() {
    for (what, change, wrong) in changes() {
        let (_folder, store, id) = earlier_store(true);
        change(&store, id);
        let checked = store.repair_expanded(id, None).unwrap();
        assert_eq!((paths(&checked).as_slice(), checked.is_complete), (wrong, true), "{what}");
        assert!(is_sound(&store, id), "{what}");
        assert!(!store.package_path(id).exists(), "{what}");
    }
}

#[test]
fn a_package_of_an_earlier_version_is_missing_if_its_dxp_file_is_damaged_as_well() {
    for (what, change, wrong) in changes() {
        let (folder, store, id) = earlier_store(true);
        change(&store, id);
        let packed = store.package_path(id);
        let mut bytes = fs::read(&packed).unwrap();
        for (path, _, data) in FILES.iter().filter(|(path, ..)| wrong.contains(path)) {
            let place = bytes.windows(data.len()).rposition(|window| window == *data);
            bytes[place.unwrap_or_else(|| panic!("{path}"))] ^= 1;
        }
        fs::write(&packed, bytes).unwrap();
        // It was so before there was a key.
        let _ = fs::remove_file(store.root().join("key"));
        let store = Store::open(folder.path()).unwrap();
        let checked = store.repair_expanded(id, None).unwrap();
        assert_eq!((paths(&checked).as_slice(), checked.is_complete), (wrong, false), "{what}");
        assert!(!store.has(id), "{what}");
        store.insert(id, Some(&Integrity::sha512_of(b"a tarball")), &entries()).unwrap();
        assert!(is_sound(&store, id), "{what}");
    }
}

#[test]
fn a_damaged_record_makes_the_package_missing() {
    let (folder, store, id) = store();
    let note = store.package_path(id).with_extension("dxt");
    let sound = fs::read(&note).unwrap();
    for position in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[position] ^= 1;
        fs::write(&note, &damaged).unwrap();
        let later = Store::open(folder.path()).unwrap();
        assert!(later.open_tables(id).unwrap().is_none(), "byte {position}");
        assert_eq!(later.repair_expanded(id, None).unwrap(), Checked::default());
        assert!(!later.has(id), "byte {position}");
    }
}

#[test]
fn an_unknown_package_is_missing() {
    let (_folder, store, _) = store();
    let checked = store.repair_expanded(PackageId::from_bytes([9; 32]), None).unwrap();
    assert_eq!(checked, Checked::default());
}

#[test]
fn a_record_of_an_earlier_version_is_read() {
    let golden: &[u8] = include_bytes!("../../tests/golden/dxf-v1.dxf");
    let (_folder, store, id) = store();
    let note = store.package_path(id).with_extension("files");
    fs::write(&note, golden).unwrap();
    assert_eq!(store.earlier_rows(id, 3).unwrap().len(), 3);
    assert!(store.earlier_rows(id, 2).is_none());
    for at in 0..golden.len() {
        let mut altered = golden.to_vec();
        altered[at] ^= 1;
        fs::write(&note, altered).unwrap();
        assert!(store.earlier_rows(id, 3).is_none(), "byte {at}");
    }
}
