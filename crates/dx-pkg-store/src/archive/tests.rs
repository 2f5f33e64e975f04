use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use dx_pkg_core::{Coded, Integrity, PackageId};
use dx_pkg_format::archive::{self, ArchivedFile, Marks, PackageHead};
use dx_pkg_format::dxp::{self, FileEntry, FileMode};
use proptest::prelude::*;

use super::{ArchiveError, Exporter, Imported};
use crate::{Folder, Store};

static RUNS: AtomicBool = AtomicBool::new(false);

type Files = BTreeMap<String, (FileMode, Vec<u8>)>;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn integrity_of(name: &str) -> (PackageId, Integrity) {
    let integrity = Integrity::sha512_of(name.as_bytes());
    (PackageId::from_integrity(&integrity), integrity)
}

fn files(files: &[(&str, &[u8])]) -> Files {
    let file =
        |(path, data): &(&str, &[u8])| ((*path).to_owned(), (FileMode::PLAIN, data.to_vec()));
    files.iter().map(file).collect()
}

fn entries(files: &Files) -> Vec<FileEntry<'_>> {
    files.iter().map(|(path, (mode, data))| FileEntry { path, mode: *mode, data }).collect()
}

/// Exports packages, some from a store and some from their files.
fn exported(packages: &[(&str, Files, Marks)]) -> Vec<u8> {
    let (_folder, store) = store();
    let mut exporter = Exporter::begin(Vec::new(), packages.len() as u32).unwrap();
    for (at, (name, files, marks)) in packages.iter().enumerate() {
        let (id, integrity) = integrity_of(name);
        if at % 2 == 0 {
            store.insert(id, Some(&integrity), &entries(files)).unwrap();
            exporter.add_stored(&store, id, &integrity, *marks).unwrap();
        } else {
            exporter.add_files(id, &integrity, *marks, &entries(files)).unwrap();
        }
    }
    exporter.finish().unwrap().0
}

fn import(store: &Store, bytes: &[u8]) -> Result<Imported, ArchiveError> {
    store.import(bytes, &RUNS)
}

/// Returns the files of a stored package, read through the store and from its expanded folder.
fn stored(store: &Store, name: &str) -> Option<Files> {
    let (id, _) = integrity_of(name);
    let package = store.open_package(id).unwrap()?;
    let read = |entry: dxp::Entry<'_>| {
        let contents = package.read(&entry).unwrap().into_owned();
        assert_eq!(fs::read(store.file_path(id, entry.path).unwrap()).unwrap(), contents);
        (entry.path.to_owned(), (entry.mode, contents))
    };
    Some(package.dxp().entries().map(read).collect())
}

/// Checks that nothing in the store is damaged or left over; returns the number of packages.
fn sound(store: &Store) -> usize {
    let report = store.verify(false).unwrap();
    assert_eq!(report.damage, [], "the store is sound");
    no_leftovers(store);
    report.packages
}

fn no_leftovers(store: &Store) {
    let tmp = fs::read_dir(store.folder(Folder::Tmp)).map_or(0, Iterator::count);
    assert_eq!(tmp, 0, "nothing is left in tmp/");
}

fn three() -> Vec<(&'static str, Files, Marks)> {
    let large: Vec<u8> =
        (0..700_000_u32).flat_map(|n| (n.wrapping_mul(n) >> 7).to_le_bytes()).collect();
    vec![
        ("one", files(&[("a/b.js", b"one"), ("package.json", b"{}")]), Marks::default()),
        (
            "two",
            files(&[("large.bin", &large), ("empty", b"")]),
            Marks { gyp: true, written: false },
        ),
        ("three", files(&[("x", b"three")]), Marks { gyp: false, written: true }),
    ]
}

/// Returns an archive with any bytes in its Zstandard frame.
fn raw(packages: u32, contents: &[u8]) -> Vec<u8> {
    let frame = zstd::encode_all(contents, 1).unwrap();
    [archive::encode_header(packages), frame].concat()
}

/// Returns what stands in an archive for one package.
fn record(name: &str, files: &Files) -> Vec<u8> {
    let (id, integrity) = integrity_of(name);
    let rows = files.iter().map(|(path, (mode, data))| ArchivedFile {
        path: path.clone(),
        mode: *mode,
        size: data.len() as u64,
    });
    let head = PackageHead { id, marks: Marks::default(), integrity, files: rows.collect() };
    let head = head.encode().unwrap();
    let digests = files
        .iter()
        .map(|(path, (mode, data))| (path.as_str(), *mode, *blake3::hash(data).as_bytes()));
    let mut bytes = [&(head.len() as u32).to_le_bytes()[..], &head].concat();
    files.values().for_each(|(_, data)| bytes.extend_from_slice(data));
    bytes.extend_from_slice(&dxp::content_root_of(digests));
    bytes
}

#[test]
fn packages_arrive_as_they_were_stored_with_their_marks() {
    let packages = three();
    let bytes = exported(&packages);
    let (_folder, store) = store();
    let imported = import(&store, &bytes).unwrap();
    assert_eq!((imported.packages, imported.present, imported.files), (3, 0, 5));
    assert_eq!(sound(&store), 3);
    for (name, files, marks) in &packages {
        let (id, _) = integrity_of(name);
        assert_eq!(stored(&store, name).as_ref(), Some(files));
        assert!(store.has(id));
        assert_eq!(store.gyp().contains(&id), marks.gyp, "{name}");
        assert_eq!(store.written().contains(&id), marks.written, "{name}");
    }
    let again = import(&store, &bytes).unwrap();
    assert_eq!((again.packages, again.present, again.files), (0, 3, 0));
}

#[test]
fn what_the_store_has_stays_and_a_tarball_becomes_a_package() {
    let (_folder, store) = store();
    let (id, integrity) = integrity_of("one");
    let own = files(&[("own.js", b"own")]);
    store.insert(id, Some(&integrity), &entries(&own)).unwrap();
    let (tarball, _) = integrity_of("three");
    store.put_tarball(tarball, b"three").unwrap();
    let imported = import(&store, &exported(&three())).unwrap();
    assert_eq!((imported.packages, imported.present), (2, 1));
    assert_eq!(stored(&store, "one"), Some(own));
    assert!(store.has(tarball) && !store.has_tarball(tarball));
    assert_eq!(sound(&store), 3);
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_an_error_and_the_store_is_sound() {
    let packages = three();
    let bytes = exported(&packages);
    let steps = (0..200).chain((200..bytes.len()).step_by(bytes.len() / 23));
    for length in steps.chain(bytes.len() - 9..bytes.len()) {
        let (_folder, store) = store();
        let error = import(&store, &bytes[..length]).unwrap_err();
        let expected =
            if length < archive::HEADER { "DX_ARCHIVE_UNKNOWN" } else { "DX_ARCHIVE_DAMAGED" };
        assert_eq!(error.code(), expected, "{length}: {error}");
        no_leftovers(&store);
        for (name, files, _) in &packages {
            assert!(
                stored(&store, name).is_none_or(|found| found == *files),
                "whole or not at all"
            );
        }
    }
}

#[test]
fn any_damaged_byte_is_an_error_or_changes_nothing() {
    let packages = vec![
        ("one", files(&[("a/b.js", b"one one one"), ("c", b"see")]), Marks::default()),
        ("two", files(&[("d", b"two")]), Marks::default()),
    ];
    let bytes = exported(&packages);
    for at in (0..bytes.len()).filter(|at| *at < 64 || at % 3 == 0) {
        let (_folder, store) = store();
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let imported = import(&store, &damaged);
        no_leftovers(&store);
        for (name, files, _) in &packages {
            let found = stored(&store, name);
            assert!(found.is_none_or(|found| found == *files), "byte {at} of {name}");
            assert!(imported.is_err() || stored(&store, name).is_some(), "byte {at}");
        }
    }
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let (_folder, store) = store();
    let mut bytes = exported(&three());
    bytes.push(0);
    assert_eq!(import(&store, &bytes).unwrap_err().code(), "DX_ARCHIVE_DAMAGED");
    let contents = [record("one", &files(&[("x", b"y")])), vec![0, 0, 0, 0, 7]].concat();
    assert_eq!(import(&store, &raw(1, &contents)).unwrap_err().code(), "DX_ARCHIVE_DAMAGED");
    sound(&store);
}

#[test]
fn hostile_archives_are_refused_and_leave_nothing() {
    let sound_files = files(&[("aaaaaaaa", b"1")]);
    let good = record("good", &sound_files);
    let with_path = |path: &str| {
        let mut bytes = good.clone();
        let at = bytes.windows(8).position(|window| window == b"aaaaaaaa").unwrap();
        bytes[at..at + 8].copy_from_slice(path.as_bytes());
        bytes
    };
    let huge = {
        let mut bytes = good.clone();
        let at = bytes.windows(8).position(|window| window == b"aaaaaaaa").unwrap() - 12;
        bytes[at..at + 8].copy_from_slice(&(1_u64 << 62).to_le_bytes());
        bytes
    };
    let end = [0; 4];
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("path out of the package", with_path("../../ev"), "DX_ARCHIVE_REFUSED"),
        ("absolute path", with_path("/etc/pwd"), "DX_ARCHIVE_REFUSED"),
        ("NUL in a path", with_path("aaaa\0aaa"), "DX_ARCHIVE_REFUSED"),
        ("size", huge, "DX_ARCHIVE_REFUSED"),
        ("repeated id", [good.clone(), good.clone()].concat(), "DX_ARCHIVE_REFUSED"),
        ("length of a head", vec![0xff, 0xff, 0xff, 0xff, 1, 2, 3], "DX_ARCHIVE_REFUSED"),
        ("no end", good.clone(), "DX_ARCHIVE_DAMAGED"),
        (
            "more packages",
            [good.clone(), record("b", &sound_files), end.to_vec()].concat(),
            "DX_ARCHIVE_DAMAGED",
        ),
        ("fewer packages", end.to_vec(), "DX_ARCHIVE_DAMAGED"),
    ];
    for (what, contents, code) in cases {
        let (folder, store) = store();
        let error = import(&store, &raw(1, &contents)).unwrap_err();
        assert_eq!(error.code(), code, "{what}: {error}");
        assert!(sound(&store) <= 1, "{what}");
        assert!(!folder.path().join("v1/ev").exists() && !folder.path().join("ev").exists());
    }
}

#[test]
fn contents_that_have_another_root_are_not_stored() {
    let mut contents = record("one", &files(&[("x", b"good")]));
    let at = contents.windows(4).position(|window| window == b"good").unwrap();
    contents[at..at + 4].copy_from_slice(b"evil");
    contents.extend_from_slice(&[0; 4]);
    let (_folder, store) = store();
    let error = import(&store, &raw(1, &contents)).unwrap_err();
    assert_eq!(error.code(), "DX_ARCHIVE_DAMAGED", "{error}");
    assert_eq!((sound(&store), stored(&store, "one")), (0, None));
}

#[test]
fn a_decompression_bomb_is_refused_before_it_fills_the_disk() {
    const SIZE: u64 = 64 << 20;
    let (_folder, store) = store();
    let (id, integrity) = integrity_of("bomb");
    let file = ArchivedFile { path: "zeros".to_owned(), mode: FileMode::PLAIN, size: SIZE };
    let head = PackageHead { id, marks: Marks::default(), integrity, files: vec![file] };
    let head = head.encode().unwrap();
    let length = (head.len() as u32).to_le_bytes();
    let contents = length.chain(&*head).chain(io::repeat(0).take(SIZE));
    let frame = zstd::encode_all(contents, 1).unwrap();
    assert!(frame.len() < 1 << 20);
    let bytes = [archive::encode_header(1), frame].concat();
    let error = import(&store, &bytes).unwrap_err();
    assert_eq!(error.code(), "DX_ARCHIVE_REFUSED", "{error}");
    assert_eq!(sound(&store), 0);
}

#[test]
fn another_file_or_version_is_no_archive() {
    let (_folder, store) = store();
    let mut newer = exported(&three());
    newer[4] = 2;
    for bytes in
        [&b""[..], b"{}", &[0; 4096], b"PK\x03\x04 not ours at all, whatever it is", &newer]
    {
        let error = import(&store, bytes).unwrap_err();
        assert_eq!(error.code(), "DX_ARCHIVE_UNKNOWN", "{error}");
        assert!(error.hint().is_some());
    }
}

/// Yields one byte at a time, then an error.
struct Slow<'b> {
    bytes: &'b [u8],
    fails: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.bytes = rest;
                buffer[0] = *byte;
                Ok(1)
            }
            None if self.fails => Err(io::ErrorKind::ConnectionReset.into()),
            None => Ok(0),
        }
    }
}

#[test]
fn a_slow_reader_is_waited_for_and_one_that_fails_is_reported() {
    let packages = &three()[..1];
    let bytes = exported(packages);
    let (_folder, store) = store();
    let half = Slow { bytes: &bytes[..bytes.len() / 2], fails: true };
    assert_eq!(store.import(half, &RUNS).unwrap_err().code(), "DX_ARCHIVE_IO");
    let imported = store.import(Slow { bytes: &bytes, fails: false }, &RUNS).unwrap();
    assert_eq!((imported.packages, sound(&store)), (1, 1));
}

#[test]
fn a_cancelled_import_ends() {
    let (_folder, store) = store();
    let error = store.import(Cursor::new(exported(&three())), &AtomicBool::new(true)).unwrap_err();
    assert!(matches!(error, ArchiveError::Cancelled));
    assert_eq!(sound(&store), 0);
}

#[test]
fn a_store_that_cannot_be_written_to_is_reported() {
    let (_folder, store) = store();
    fs::write(store.folder(Folder::Expanded), b"no folder").unwrap();
    let error = import(&store, &exported(&three())).unwrap_err();
    assert!(error.code().starts_with("DX_STORE"), "{error}");
}

#[test]
fn imports_into_one_store_at_once_agree() {
    let bytes = exported(&three());
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| import(&store, &bytes).unwrap());
        }
    });
    assert_eq!(sound(&store), 3);
}

#[test]
fn damaged_and_repeated_packages_are_not_exported() {
    let (_folder, store) = store();
    let (id, integrity) = integrity_of("one");
    store.insert(id, Some(&integrity), &entries(&files(&[("x", b"contents")]))).unwrap();
    let mut exporter = Exporter::begin(Vec::new(), 2).unwrap();
    let add = |exporter: &mut Exporter<Vec<u8>>| {
        exporter.add_stored(&store, id, &integrity, Marks::default())
    };
    add(&mut exporter).unwrap();
    assert_eq!(add(&mut exporter).unwrap_err().code(), "DX_ARCHIVE_REFUSED");
    exporter.finish().map(|_| ()).unwrap_err();

    let other = integrity_of("two");
    let mut exporter = Exporter::begin(Vec::new(), 1).unwrap();
    let missing = exporter.add_stored(&store, other.0, &other.1, Marks::default()).unwrap_err();
    assert_eq!(missing.code(), "DX_STORE_DAMAGED");
    fs::write(store.file_path(id, "x").unwrap(), b"contentz").unwrap();
    assert_eq!(add(&mut exporter).unwrap_err().code(), "DX_STORE_DAMAGED");
}

#[test]
fn an_archive_of_version_1_is_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dxa-v1.dxa");
    let packages = &three()[..1];
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, exported(packages)).unwrap();
    }
    let (_folder, store) = store();
    assert_eq!(import(&store, &fs::read(path).unwrap()).unwrap().packages, 1);
    assert_eq!(stored(&store, "one").as_ref(), Some(&packages[0].1));
    assert_eq!(sound(&store), 1);
}

fn any_files() -> impl Strategy<Value = Files> {
    let path =
        prop_oneof!["[a-z]{1,8}\\.(js|json|md)", "(lib|src)/[a-z]{1,3}/[a-zé ]{1,4}\\.d\\.ts",];
    let contents = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..600_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let mode =
        (0..8_u32).prop_map(|bits| FileMode::of_bits(bits & 1 | (bits & 2) << 2 | (bits & 4) << 4));
    prop::collection::btree_map(path, (mode, contents), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_packages_are_the_same_on_the_other_side(
        packages in prop::collection::vec((any_files(), any::<(bool, bool)>()), 0..12),
    ) {
        let names: Vec<String> = (0..packages.len()).map(|at| format!("package-{at}")).collect();
        let packages: Vec<(&str, Files, Marks)> = names
            .iter()
            .zip(packages)
            .map(|(name, (files, (gyp, written)))| (name.as_str(), files, Marks { gyp, written }))
            .collect();
        let (_folder, store) = store();
        let imported = import(&store, &exported(&packages)).unwrap();
        prop_assert_eq!(imported.packages, packages.len());
        prop_assert_eq!(sound(&store), packages.len());
        for (name, files, marks) in &packages {
            let (id, _) = integrity_of(name);
            let found = stored(&store, name);
            prop_assert_eq!(found.as_ref(), Some(files));
            prop_assert_eq!(store.gyp().contains(&id), marks.gyp);
            prop_assert_eq!(store.written().contains(&id), marks.written);
        }
    }
}
