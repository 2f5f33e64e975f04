use dx_pkg_format::dxp::FileMode;
use proptest::prelude::*;

use super::*;

const GOLDEN: &[u8] = include_bytes!("../../tests/golden/dxt-v2.dxt");
const FORMER_GOLDEN: &[u8] = include_bytes!("../../tests/golden/dxt-v1.dxt");

/// The package whose record the golden file is.
const ID: PackageId = PackageId::from_bytes([9; 32]);

fn seals() -> Seals {
    Seals::of_bytes(&[7; 32])
}

fn decode(bytes: Vec<u8>) -> Option<PackageTables> {
    PackageTables::decode(bytes, ID, &seals())
}

fn golden() -> PackageTables {
    let file = |path, mode, data| FileEntry { path, mode, data };
    let files = [
        file("index.js", FileMode::PLAIN, b"one".as_slice()),
        file("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ];
    let integrity = Integrity::sha512_of(b"a tarball");
    let row = |inode, mtime_ns, number| Row { stamp: Stamp { inode, mtime_ns }, number };
    let rows = vec![row(7, 1_700_000_000_000_000_001, 1), row(8, -1, 0)];
    let tables = PackageTables::of_files(&files, Some(&integrity), &seals().digests).unwrap();
    tables.with_rows(Names::Numbers, rows, 1_700_000_000_000_000_002)
}

#[test]
fn a_record_of_version_2_is_read_and_written_the_same() {
    let tables = decode(GOLDEN.to_vec()).unwrap();
    assert!(matches!(tables.digests, Digests::Keyed(_)));
    assert_eq!((tables.names, tables.changed_ns), (Names::Numbers, 1_700_000_000_000_000_002));
    let names: Vec<_> = tables.dxp().entries().map(|entry| tables.name(&entry)).collect();
    let names: Vec<&Path> = names.iter().map(AsRef::as_ref).collect();
    assert_eq!(names, [Path::new("1"), Path::new("0")]);
    let stamped: Vec<_> = tables.stamped().map(|(entry, stamp)| (entry.path, stamp)).collect();
    let expected = golden();
    let expected: Vec<_> = expected.stamped().map(|(entry, stamp)| (entry.path, stamp)).collect();
    assert_eq!(stamped, expected);
    assert_eq!(tables.encode(ID, &seals()), GOLDEN);
    assert_eq!(golden().encode(ID, &seals()), GOLDEN);
    assert_eq!(file_count(GOLDEN), Some(2));
}

#[test]
fn the_names_of_files_are_recorded() {
    let padded = format!("{}{}", "0".repeat(21), u32::MAX);
    for (names, expected) in [
        (Names::Paths, "a/b"),
        (Names::Numbers, "4294967295"),
        (Names::Padded, &padded),
        (Names::Folders, "d67108863/63"),
    ] {
        let name = FileName::of(names, "a/b", u32::MAX);
        assert_eq!(name.as_ref(), Path::new(expected));
        let tables = PackageTables { names, ..golden() };
        assert_eq!(decode(tables.encode(ID, &seals())).unwrap().names, names);
    }
}

#[test]
fn a_record_of_version_1_is_read_and_sealed_when_it_is_written() {
    assert!(PackageTables::is_former(FORMER_GOLDEN) && !PackageTables::is_former(GOLDEN));
    assert!(decode(FORMER_GOLDEN.to_vec()).is_none() && file_count(FORMER_GOLDEN) == Some(2));
    let tables = PackageTables::decode_former(FORMER_GOLDEN.to_vec()).unwrap();
    assert!(matches!(tables.digests, Digests::Unkeyed));
    assert_eq!((tables.names, tables.changed_ns), (Names::Numbers, i64::MIN));
    let expected = golden();
    let stamps =
        |tables: &PackageTables| tables.stamped().map(|(_, stamp)| stamp).collect::<Vec<_>>();
    assert_eq!(stamps(&tables), stamps(&expected));
    let sealed = decode(tables.encode(ID, &seals())).unwrap();
    assert!(matches!(sealed.digests, Digests::Unkeyed));
    assert_eq!(sealed.bytes(), tables.bytes());
    for at in 0..FORMER_GOLDEN.len() {
        let mut altered = FORMER_GOLDEN.to_vec();
        altered[at] ^= 1;
        assert!(PackageTables::decode_former(altered).is_none(), "byte {at}");
    }
}

#[test]
fn a_record_is_that_of_one_package_and_one_store() {
    let other = PackageId::from_bytes([8; 32]);
    assert!(PackageTables::decode(GOLDEN.to_vec(), other, &seals()).is_none());
    let others = Seals::of_bytes(&[8; 32]);
    assert!(PackageTables::decode(GOLDEN.to_vec(), ID, &others).is_none());
    // No byte can be changed, whatever the checksum says.
    for at in 16..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        Frame::write_checksum(&mut altered);
        assert!(decode(altered).is_none(), "byte {at}");
    }
}

#[test]
fn any_altered_byte_or_truncation_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        assert!(decode(altered).is_none(), "byte {at}");
        assert!(decode(GOLDEN[..at].to_vec()).is_none(), "cut at {at}");
    }
}

proptest! {
    #[test]
    fn any_bytes_behind_a_right_seal_are_decoded_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cut in Frame::SIZE..GOLDEN.len() - SEAL,
    ) {
        let mut record = GOLDEN[..cut].to_vec();
        record.extend(bytes);
        let seal = seals().seal(ID.as_bytes(), [&record[..8], &record[Frame::SIZE..]]);
        record.extend_from_slice(&seal);
        Frame::write_checksum(&mut record);
        if let Some(tables) = decode(record.clone()) {
            prop_assert_eq!(tables.encode(ID, &seals()), record);
        }
    }

    #[test]
    fn any_bytes_behind_a_right_checksum_are_decoded_or_refused_in_version_1(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cut in 0..FORMER_GOLDEN.len(),
    ) {
        let mut record = FORMER_GOLDEN[..cut].to_vec();
        record.extend(bytes);
        Frame::write_checksum(&mut record);
        let _ = PackageTables::decode_former(record);
    }
}

#[test]
fn names_are_numbers_in_decimal_and_in_folders_of_64() {
    for number in [0, 9, 10, 99, 4_096, u32::MAX] {
        let name = FileName::of(Names::Numbers, "a", number);
        assert_eq!(name.as_ref(), Path::new(&number.to_string()));
    }
    let folders =
        [(0, "0", None), (63, "63", None), (64, "d1/0", Some("d1")), (705, "d11/1", None)];
    for (number, expected, folder) in folders {
        let name = FileName::of(Names::Folders, "a", number);
        assert_eq!((name.as_ref(), name.new_folder()), (Path::new(expected), folder));
    }
}

#[test]
fn a_path_that_is_both_a_file_and_a_folder_is_refused() {
    let tables = |paths: &[&str]| {
        let file = |path| FileEntry { path, mode: FileMode::PLAIN, data: b"" };
        let files: Vec<_> = paths.iter().copied().map(file).collect();
        PackageTables::of_files(&files, None, &seals().digests)
    };
    for paths in [["a", "a/b"].as_slice(), &["a/b/c", "a/b"], &["a", "a-b", "a/b/c/d"]] {
        assert!(tables(paths).is_err(), "{paths:?}");
    }
    assert!(tables(&["a", "ab/c", "a-b/c", "b/a", "b/c/a"]).is_ok());
}
