use dx_pkg_format::dxp::FileMode;
use proptest::prelude::*;

use super::*;

const GOLDEN: &[u8] = include_bytes!("../../tests/golden/dxt-v1.dxt");

fn golden() -> PackageTables {
    let file = |path, mode, data| FileEntry { path, mode, data };
    let files = [
        file("index.js", FileMode::PLAIN, b"one".as_slice()),
        file("bin/run.js", FileMode::EXECUTABLE, b"#!/usr/bin/env node"),
    ];
    let integrity = Integrity::sha512_of(b"a tarball");
    let row = |inode, mtime_ns, number| Row { stamp: Stamp { inode, mtime_ns }, number };
    let rows = vec![row(7, 1_700_000_000_000_000_001, 1), row(8, -1, 0)];
    PackageTables::of_files(&files, Some(&integrity)).unwrap().with_rows(Names::Numbers, rows)
}

#[test]
fn a_record_of_version_1_is_read_and_written_the_same() {
    let tables = PackageTables::decode(GOLDEN.to_vec()).unwrap();
    assert_eq!((tables.digests, tables.names), (Digests::Provisional, Names::Numbers));
    let names: Vec<_> = tables.dxp().entries().map(|entry| tables.name(&entry)).collect();
    let names: Vec<&Path> = names.iter().map(AsRef::as_ref).collect();
    assert_eq!(names, [Path::new("1"), Path::new("0")]);
    let stamped: Vec<_> = tables.stamped().map(|(entry, stamp)| (entry.path, stamp)).collect();
    let expected = golden();
    let expected: Vec<_> = expected.stamped().map(|(entry, stamp)| (entry.path, stamp)).collect();
    assert_eq!(stamped, expected);
    assert_eq!(tables.encode(), GOLDEN);
    assert_eq!(golden().encode(), GOLDEN);
    assert_eq!(file_count(GOLDEN), Some(2));
}

#[test]
fn any_altered_byte_or_truncation_is_refused() {
    for at in 0..GOLDEN.len() {
        let mut altered = GOLDEN.to_vec();
        altered[at] ^= 1;
        assert!(PackageTables::decode(altered).is_none(), "byte {at}");
        assert!(PackageTables::decode(GOLDEN[..at].to_vec()).is_none(), "cut at {at}");
    }
}

proptest! {
    #[test]
    fn any_bytes_behind_a_right_checksum_are_decoded_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        cut in 0..GOLDEN.len(),
    ) {
        let mut record = GOLDEN[..cut].to_vec();
        record.extend(bytes);
        Frame::write_checksum(&mut record);
        if let Some(tables) = PackageTables::decode(record.clone()) {
            prop_assert_eq!(tables.encode(), record);
        }
    }
}

#[test]
fn names_are_numbers_in_decimal() {
    for number in [0, 9, 10, 99, 4_096, u32::MAX] {
        let name = FileName::of_number(number);
        assert_eq!(name.as_ref(), Path::new(&number.to_string()));
    }
}

#[test]
fn a_path_that_is_both_a_file_and_a_folder_is_refused() {
    let tables = |paths: &[&str]| {
        let file = |path| FileEntry { path, mode: FileMode::PLAIN, data: b"" };
        let files: Vec<_> = paths.iter().copied().map(file).collect();
        PackageTables::of_files(&files, None)
    };
    for paths in [["a", "a/b"].as_slice(), &["a/b/c", "a/b"], &["a", "a-b", "a/b/c/d"]] {
        assert!(tables(paths).is_err(), "{paths:?}");
    }
    assert!(tables(&["a", "ab/c", "a-b/c", "b/a", "b/c/a"]).is_ok());
}
