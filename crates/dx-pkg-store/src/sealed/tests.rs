use std::fs;
use std::path::PathBuf;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{self, Compression, FileEntry, FileMode};

use super::*;
use crate::Folder;

fn id_of(tarball: &[u8]) -> (PackageId, Integrity) {
    let integrity = Integrity::sha512_of(tarball);
    (PackageId::from_integrity(&integrity), integrity)
}

fn files(data: &[u8]) -> [FileEntry<'_>; 1] {
    [FileEntry { path: "index.js", mode: FileMode::PLAIN, data }]
}

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> Store {
        Store::open(self.folder.path()).unwrap()
    }

    fn record(&self, id: PackageId) -> PathBuf {
        self.store().package_path(id).with_extension("dxt")
    }
}

/// Stores a package in a store of its own and puts what is there into `target`, as an archive that
/// is unpacked over it does. Returns the package's id.
fn plant(target: &Fixture, data: &[u8], tarball: &[u8]) -> PackageId {
    let (id, integrity) = id_of(tarball);
    let other = Fixture::new();
    other.store().insert(id, Some(&integrity), &files(data)).unwrap();
    fs::create_dir_all(target.record(id).parent().unwrap()).unwrap();
    fs::copy(other.record(id), target.record(id)).unwrap();
    let (from, to) = (other.store().expanded(id), target.store().expanded(id));
    fs::create_dir_all(&to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    id
}

#[test]
fn package_that_another_store_has_written_is_missing_and_found_by_verify() {
    let target = Fixture::new();
    target.store().key().unwrap();
    let id = plant(&target, b"forged", b"honest");
    assert!(target.store().open_tables(id).unwrap().is_none());
    let report = target.store().verify(false).unwrap();
    assert_eq!(report.damage.len(), 1);
    assert!(report.damage[0].what.contains("dx has not put it there"), "{report:?}");
    assert!(target.store().verify(true).unwrap().damage[0].fixed);
    assert!(!target.store().has(id));
    assert!(target.store().verify(false).unwrap().damage.is_empty());
}

#[test]
fn record_under_the_id_of_another_package_is_not_believed() {
    let fixture = Fixture::new();
    let ((own, integrity), (other, _)) = (id_of(b"own"), id_of(b"other"));
    fixture.store().insert(own, Some(&integrity), &files(b"own")).unwrap();
    fs::create_dir_all(fixture.record(other).parent().unwrap()).unwrap();
    fs::copy(fixture.record(own), fixture.record(other)).unwrap();
    assert!(fixture.store().open_tables(own).unwrap().is_some());
    assert!(fixture.store().open_tables(other).unwrap().is_none());
}

#[test]
fn dxp_file_that_was_put_there_is_not_believed_and_found_by_verify() {
    let fixture = Fixture::new();
    let (id, integrity) = id_of(b"honest");
    fixture.store().key().unwrap();
    // The clocks of file systems are coarse.
    std::thread::sleep(std::time::Duration::from_millis(20));
    let path = fixture.store().package_path(id);
    let bytes = dxp::encode(&files(b"forged"), Some(&integrity), Compression::Stored).unwrap();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, &bytes).unwrap();
    let report = fixture.store().verify(false).unwrap();
    assert!(report.damage[0].what.contains("dx has not put it there"), "{report:?}");
    assert!(!fixture.store().ensure_expanded(id).unwrap());
    assert!(!path.exists(), "it is removed");
}

#[test]
fn dxp_file_of_an_earlier_version_is_used() {
    let fixture = Fixture::new();
    let (id, integrity) = id_of(b"honest");
    let path = fixture.store().package_path(id);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bytes = dxp::encode(&files(b"honest"), Some(&integrity), Compression::Stored).unwrap();
    fs::write(&path, &bytes).unwrap();
    assert!(fixture.store().ensure_expanded(id).unwrap());
    assert!(fixture.store().verify(false).unwrap().damage.is_empty());
}

#[test]
fn resolutions_and_compiled_lockfiles_are_those_of_this_store_and_key() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let (key, another) = ([1; 32], [2; 32]);
    let store = fixture.store();
    store.put_resolution(key, b"resolution").unwrap();
    store.put_compiled_lock(key, b"lock").unwrap();
    assert_eq!(&*store.resolution(key).unwrap(), b"resolution");
    assert_eq!(&*store.compiled_lock(key).unwrap(), b"lock");
    let place = |store: &Store, folder, key, suffix| {
        store.folder(folder).join(crate::layout::EntryName::of_digest(key, suffix))
    };
    let put = |from: PathBuf, to: PathBuf| {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
    };
    let dxr = |store: &Store, key| place(store, Folder::Resolutions, key, ".dxr");
    let dxl = |store: &Store, key| place(store, Folder::Lockfiles, key, ".dxl");
    // Under another key, as a record of another kind, and in another store.
    put(dxr(&store, key), dxr(&store, another));
    assert!(store.resolution(another).is_none());
    put(dxl(&store, key), dxr(&store, another));
    assert!(store.resolution(another).is_none());
    put(dxr(&store, key), dxr(&other.store(), key));
    assert!(other.store().resolution(key).is_none());
    // Without a seal, as an earlier version wrote it.
    fs::write(dxr(&store, key), b"resolution").unwrap();
    assert!(store.resolution(key).is_none());
}

#[test]
fn every_part_of_a_record_is_sealed() {
    let seals = Seals::of_key(Fixture::new().store().key().unwrap());
    let seal = seals.seal(&[1; 32], [b"ab", b"c"]);
    assert!(seals.fits(&seal, &[1; 32], [b"ab", b"c"]));
    assert!(!seals.fits(&seal, &[2; 32], [b"ab", b"c"]));
    assert!(!seals.fits(&seal, &[1; 32], [b"a", b"bc"]));
    assert!(!seals.fits(&seal[..31], &[1; 32], [b"ab", b"c"]));
    let others = Seals::of_key(Fixture::new().store().key().unwrap());
    assert!(!others.fits(&seal, &[1; 32], [b"ab", b"c"]));
}
