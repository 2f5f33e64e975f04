//! Properties of DXP.

use std::collections::BTreeMap;

use dx_pkg_format::dxp::{
    self, Compression, DigestSecret, DigestedFile, FileEntry, FileMode, ProvisionalDigest,
};
use proptest::prelude::*;
use proptest::sample::Index;

type Files = BTreeMap<String, (FileMode, Vec<u8>)>;

fn files() -> impl Strategy<Value = Files> {
    let contents = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (any::<u8>(), 0usize..300_000).prop_map(|(byte, size)| vec![byte; size]),
    ];
    proptest::collection::btree_map(
        "[a-zü]{1,4}(/[a-z.-]{1,5}x){0,3}",
        (any::<u32>().prop_map(FileMode::of_bits), contents),
        0..12,
    )
}

fn compression() -> impl Strategy<Value = Compression> {
    prop_oneof![Just(Compression::Stored), Just(Compression::Lz4)]
}

fn encode(files: &Files, compression: Compression) -> Vec<u8> {
    let entries: Vec<_> =
        files.iter().map(|(path, (mode, data))| FileEntry { path, mode: *mode, data }).collect();
    dxp::encode(&entries, None, compression).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn encoded_contents_are_decoded(files in files(), compression in compression()) {
        let bytes = encode(&files, compression);
        let dxp = dxp::decode(&bytes).unwrap();
        dxp.verify().unwrap();
        prop_assert_eq!(dxp.len(), files.len());
        for (entry, (path, (mode, data))) in dxp.entries().zip(&files) {
            prop_assert_eq!(
                (entry.path, entry.mode, entry.size),
                (path.as_str(), *mode, data.len() as u64)
            );
            prop_assert_eq!(dxp.find(path), Some(entry));
            prop_assert_eq!(&*dxp.read(&entry).unwrap(), data);
        }
    }

    #[test]
    fn completed_tables_are_those_of_the_file(files in files(), wrong in any::<bool>()) {
        let whole = encode(&files, Compression::Stored);
        let secret = DigestSecret::new([7; DigestSecret::LENGTH]);
        let entries: Vec<_> = files
            .iter()
            .map(|(path, (mode, data))| FileEntry { path, mode: *mode, data })
            .map(|file| DigestedFile::of(&file, &secret))
            .collect();
        let mut tables = dxp::tables_of(&entries, None).unwrap();
        let length = dxp::tables_length(&tables).unwrap() as usize;
        prop_assert_eq!(tables.len(), length);
        let layout = dxp::Layout::decode_tables(&tables).unwrap();
        let provisional: Vec<_> = layout.view(&tables).entries().collect();
        for (entry, file) in provisional.iter().zip(files.values()) {
            prop_assert_eq!(entry.digest, ProvisionalDigest::of(&file.1, &secret));
            let mut piecewise = ProvisionalDigest::new(&secret);
            file.1.chunks(1000).for_each(|piece| piecewise.update(piece));
            prop_assert_eq!(entry.digest, piecewise.finish());
        }
        let mut digests: Vec<_> =
            files.values().map(|(_, data)| *blake3::hash(data).as_bytes()).collect();
        if wrong {
            digests.push([0; 32]);
            prop_assert!(dxp::complete_tables(&mut tables, &digests).is_err());
        } else {
            dxp::complete_tables(&mut tables, &digests).unwrap();
            prop_assert_eq!(&tables[..], &whole[..length]);
        }
    }

    #[test]
    fn an_altered_byte_is_refused_or_changes_nothing(
        files in files(), compression in compression(), at in any::<Index>(), flip in 1u8..,
    ) {
        let mut bytes = encode(&files, compression);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let Ok(dxp) = dxp::decode(&bytes) else { return Ok(()) };
        if dxp.verify().is_ok() {
            for (path, (mode, data)) in &files {
                let entry = dxp.find(path).unwrap();
                prop_assert_eq!(entry.mode, *mode);
                prop_assert_eq!(&*dxp.read(&entry).unwrap(), data);
            }
        }
    }

    #[test]
    fn any_truncation_is_refused(
        files in files(),
        compression in compression(),
        at in any::<Index>(),
    ) {
        let mut bytes = encode(&files, compression);
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(dxp::decode(&bytes).is_err());
    }

    #[test]
    fn arbitrary_tables_under_a_right_checksum_never_panic(
        files in files(),
        compression in compression(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encode(&files, compression);
        let payload = dx_pkg_format::wire::u64_at(&bytes, 32) as usize;
        for (at, value) in changes {
            let at = 16 + at.index(payload - 16);
            bytes[at] = value;
        }
        let checksum = dx_pkg_format::wire::checksum(&bytes[16..payload]);
        bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
        if let Ok(dxp) = dxp::decode(&bytes) {
            let _ = dxp.verify();
            for entry in dxp.entries() {
                let _ = (dxp.find(entry.path), dxp.read(&entry));
            }
        }
    }
}
