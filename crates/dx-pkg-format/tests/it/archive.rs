//! Heads of packages in archives: whatever is encoded is decoded again, and nothing unsafe is.

use std::collections::BTreeMap;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::FormatError;
use dx_pkg_format::archive::{self, ArchivedFile, MOST_CONTENTS, Marks, PackageHead};
use dx_pkg_format::dxp::FileMode;
use proptest::prelude::*;

fn head(files: &[(&str, u64)]) -> PackageHead {
    let integrity = Integrity::sha512_of(b"tarball");
    let file = |(path, size): &(&str, u64)| ArchivedFile {
        path: (*path).to_owned(),
        mode: FileMode::PLAIN,
        size: *size,
    };
    PackageHead {
        id: PackageId::from_integrity(&integrity),
        marks: Marks::default(),
        integrity,
        files: files.iter().map(file).collect(),
    }
}

/// Returns the bytes of a head with `from` replaced by `to` of the same length.
fn replaced(head: &PackageHead, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = head.encode().unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn unsafe_repeated_and_nested_paths_are_refused() {
    let sound = head(&[("aaaa", 1), ("bbbbbb", 2)]);
    assert_eq!(PackageHead::decode(&sound.encode().unwrap()), Ok(sound.clone()));
    for path in ["../esc", "/etc/p", "b/../c", "b//bbb", "b/./bb", "bb\\bbb", "C:/win"] {
        let found = PackageHead::decode(&replaced(&sound, "bbbbbb", path));
        assert!(matches!(found, Err(FormatError::UnsafePath { .. })), "{path}: {found:?}");
    }
    for (from, to) in [("bbbbbb", "aaaa/b"), ("bbbbbb", "aaa\0bb"), ("aaaa", "cccc")] {
        assert!(PackageHead::decode(&replaced(&sound, from, to)).is_err(), "{to:?}");
    }
    let twice = head(&[("aaaa", 1), ("aaab", 1)]);
    assert!(PackageHead::decode(&replaced(&twice, "aaab", "aaaa")).is_err());
    // Between a file and what is below it there may be others.
    assert!(head(&[("a", 1), ("a-b", 1), ("a/b", 1)]).encode().is_err());
}

#[test]
fn absurd_sizes_and_another_id_are_refused() {
    assert!(head(&[("a", MOST_CONTENTS)]).encode().is_ok());
    for sizes in [[MOST_CONTENTS, 1], [u64::MAX, u64::MAX]] {
        let head = head(&[("a", sizes[0]), ("b", sizes[1])]);
        assert!(matches!(head.encode(), Err(FormatError::TooLarge { .. })));
    }
    let mut other = head(&[("a", 1)]).encode().unwrap();
    other[0] ^= 1;
    assert!(matches!(PackageHead::decode(&other), Err(FormatError::Corrupt { .. })));
}

#[test]
fn a_header_that_is_cut_off_damaged_or_of_another_version_is_refused() {
    let header = archive::encode_header(3);
    assert_eq!(header.len(), archive::HEADER);
    assert_eq!(archive::decode_header(&header), Ok(3));
    for length in 0..header.len() {
        archive::decode_header(&header[..length]).unwrap_err();
    }
    for at in 0..header.len() {
        let mut damaged = header.clone();
        damaged[at] ^= 0x40;
        archive::decode_header(&damaged).unwrap_err();
    }
    let mut newer = header;
    newer[4] = 2;
    let error = archive::decode_header(&newer).unwrap_err();
    assert!(matches!(error, FormatError::Version { found: 2, supported: 1, .. }));
}

proptest! {
    #[test]
    fn any_head_is_decoded_as_it_was_encoded(
        files in prop::collection::btree_map("[a-z]{1,3}(-[a-z]{1,8}){0,2}\\.js", 0..1_u64 << 31, 0..2),
        nested in prop::collection::btree_map("d/[a-z]{1,9}/[é-ü ]{1,3}", (0..1_u64 << 30, 0..8_u32), 0..2),
        tarball in prop::collection::vec(any::<u8>(), 0..9),
        marks in any::<(bool, bool)>(),
    ) {
        let integrity = Integrity::sha512_of(&tarball);
        let mut all: BTreeMap<String, (u64, FileMode)> =
            files.into_iter().map(|(path, size)| (path, (size, FileMode::PLAIN))).collect();
        for (path, (size, bits)) in nested {
            let mode = bits & 1 | (bits & 2) << 2 | (bits & 4) << 4;
            all.insert(path, (size, FileMode::of_bits(mode)));
        }
        let files = all.into_iter().map(|(path, (size, mode))| ArchivedFile { path, mode, size });
        let head = PackageHead {
            id: PackageId::from_integrity(&integrity),
            marks: Marks { gyp: marks.0, written: marks.1 },
            integrity,
            files: files.collect(),
        };
        let bytes = head.encode().unwrap();
        prop_assert_eq!(PackageHead::decode(&bytes), Ok(head));
        for length in 0..bytes.len() {
            prop_assert!(PackageHead::decode(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_safe(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(head) = PackageHead::decode(&bytes) {
            prop_assert_eq!(head.encode().unwrap(), bytes);
        }
    }
}
