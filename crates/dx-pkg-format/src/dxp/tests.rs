use dx_pkg_core::Integrity;

use super::*;

fn file<'a>(path: &'a str, data: &'a [u8]) -> FileEntry<'a> {
    FileEntry { path, mode: FileMode::PLAIN, data }
}

fn encoded(files: &[FileEntry<'_>], compression: Compression) -> Vec<u8> {
    encode(files, None, compression).unwrap()
}

#[test]
fn files_are_found_and_listed_in_order() {
    let files = [file("package.json", b"{}"), file("lib/a.js", b"a"), file("README", b"")];
    let bytes = encoded(&files, Compression::Stored);
    let dxp = decode(&bytes).unwrap();
    assert_eq!(
        dxp.entries().map(|entry| entry.path).collect::<Vec<_>>(),
        ["README", "lib/a.js", "package.json"]
    );
    let entry = dxp.find("lib/a.js").unwrap();
    assert!(matches!(dxp.read(&entry).unwrap(), Cow::Borrowed(b"a")));
    assert_eq!(dxp.find("lib"), None);
    assert_eq!(dxp.find(""), None);
    dxp.verify().unwrap();
}

#[test]
fn an_empty_package_is_a_package() {
    let bytes = encoded(&[], Compression::Stored);
    let dxp = decode(&bytes).unwrap();
    assert!(dxp.is_empty());
    assert_eq!(dxp.find("package.json"), None);
    dxp.verify().unwrap();
}

#[test]
fn the_tables_alone_tell_the_files_and_no_contents() {
    let bytes = encoded(&[file("a", b"contents"), file("b/c", b"")], Compression::Stored);
    let tables = &bytes[..tables_length(&bytes).unwrap() as usize];
    assert_eq!(file_count(tables), Some(2));
    let dxp = Layout::decode_tables(tables).unwrap().view(tables);
    assert_eq!(
        dxp.entries().map(|entry| (entry.path, entry.size)).collect::<Vec<_>>(),
        [("a", 8), ("b/c", 0)]
    );
    assert!(dxp.read(&dxp.find("a").unwrap()).is_err());
    assert!(Layout::decode(tables).is_err());
    for length in 0..tables.len() {
        assert!(Layout::decode_tables(&tables[..length]).is_err(), "{length}");
    }
    assert_eq!(tables_length(&bytes[..HEADER - 1]), None);
    assert_eq!(file_count(b"no DXP file"), None);
}

#[test]
fn the_content_root_depends_on_contents_only() {
    let text = "the same line again and again\n".repeat(100);
    let files = [file("a", text.as_bytes()), file("b", b"b")];
    let root = |files: &[FileEntry<'_>], compression| {
        decode(&encoded(files, compression)).unwrap().content_root()
    };
    let stored = root(&files, Compression::Stored);
    assert_eq!(root(&files, Compression::Lz4), stored);
    assert_eq!(root(&[files[1], files[0]], Compression::Stored), stored);
    let mut executable = files;
    executable[0].mode = FileMode::EXECUTABLE;
    assert_ne!(root(&executable, Compression::Stored), stored);
    assert_ne!(root(&[file("a", text.as_bytes()), file("c", b"b")], Compression::Stored), stored);
}

#[test]
fn large_stored_files_are_aligned() {
    let large = vec![1; ALIGN_FROM as usize];
    let files = [file("a", b"1"), file("b", &large), file("c", b"3"), file("d", &large)];
    let bytes = encoded(&files, Compression::Stored);
    let dxp = decode(&bytes).unwrap();
    for path in ["b", "d"] {
        assert_eq!(dxp.find(path).unwrap().stored_at().unwrap() % ALIGNMENT, 0);
    }
    dxp.verify().unwrap();
}

#[test]
fn compression_is_used_only_where_it_pays() {
    let noise: Vec<u8> = (0..2000_u32)
        .flat_map(|n| blake3::hash(&n.to_le_bytes()).as_bytes()[..4].to_vec())
        .collect();
    let text = "abcdefgh".repeat(1000);
    let bytes = encoded(&[file("noise", &noise), file("text", text.as_bytes())], Compression::Lz4);
    let dxp = decode(&bytes).unwrap();
    assert!(dxp.find("noise").unwrap().stored_at().is_some());
    let entry = dxp.find("text").unwrap();
    assert!(entry.stored_at().is_none());
    assert_eq!(&*dxp.read_verified(&entry).unwrap(), text.as_bytes());
    assert!(bytes.len() < noise.len() + text.len() / 2);
}

#[test]
fn the_source_integrity_is_kept() {
    let integrity = Integrity::parse("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=").unwrap();
    let bytes = encode(&[file("a", b"")], Some(&integrity), Compression::Stored).unwrap();
    assert_eq!(decode(&bytes).unwrap().integrity(), Some("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="));
    let bytes = encoded(&[file("a", b"")], Compression::Stored);
    assert_eq!(decode(&bytes).unwrap().integrity(), None);
}

#[test]
fn a_path_given_twice_is_refused() {
    let error =
        encode(&[file("a", b"1"), file("b", b""), file("a", b"2")], None, Compression::Stored)
            .unwrap_err();
    assert_eq!(error, FormatError::DuplicatePath { path: "a".to_owned() });
}

#[test]
fn paths_that_lead_out_are_refused_by_encoder_and_decoder() {
    for path in ["", ".", "..", "/a", "a/", "a//b", "a/../b", "../a", "a\\b", "a\0b", "C:a", "./a"]
    {
        let error = encode(&[file(path, b"")], None, Compression::Stored).unwrap_err();
        assert!(matches!(error, FormatError::UnsafePath { .. }), "{path:?}");
    }
    let mut bytes = encoded(&[file("aa/bb", b"")], Compression::Stored);
    let at = bytes.windows(5).position(|window| window == b"aa/bb").unwrap();
    bytes[at..at + 5].copy_from_slice(b"../bb");
    repair_checksum(&mut bytes);
    assert!(matches!(decode(&bytes), Err(FormatError::UnsafePath { .. })));
}

#[test]
fn damaged_contents_are_found_by_verification() {
    let mut bytes = encoded(&[file("a", b"contents"), file("b", b"other")], Compression::Stored);
    let at = bytes.windows(8).position(|window| window == b"contents").unwrap();
    bytes[at] ^= 1;
    let dxp = decode(&bytes).unwrap();
    let damaged = FormatError::Content { path: "a".to_owned() };
    assert_eq!(dxp.read_verified(&dxp.find("a").unwrap()), Err(damaged.clone()));
    assert!(dxp.read_verified(&dxp.find("b").unwrap()).is_ok());
    assert_eq!(dxp.verify(), Err(damaged));
}

#[test]
fn an_index_that_hides_a_file_is_found_by_verification() {
    let mut bytes = encoded(&[file("a", b"")], Compression::Stored);
    let slots = wire::u32_at(&bytes, 20) as usize;
    bytes[HEADER + ROW..HEADER + ROW + slots * 4].fill(0);
    repair_checksum(&mut bytes);
    let dxp = decode(&bytes).unwrap();
    assert_eq!(dxp.find("a"), None);
    assert!(dxp.verify().is_err());
}

#[test]
fn a_size_beyond_what_compression_can_reach_is_refused() {
    let text = "a".repeat(1000);
    let mut bytes = encoded(&[file("a", text.as_bytes())], Compression::Lz4);
    bytes[HEADER + 16..HEADER + 24].copy_from_slice(&u64::MAX.to_le_bytes());
    repair_checksum(&mut bytes);
    assert!(matches!(decode(&bytes), Err(FormatError::Corrupt { .. })));
}

#[test]
fn another_signature_or_version_is_named() {
    let mut bytes = encoded(&[file("a", b"")], Compression::Stored);
    bytes[4] = 9;
    assert_eq!(
        decode(&bytes).unwrap_err(),
        FormatError::Version { format: "DXP", found: 9, supported: 2 }
    );
    bytes[0] = b'd';
    assert_eq!(decode(&bytes).unwrap_err(), FormatError::Signature { format: "DXP" });
}

#[test]
fn the_parts_written_in_order_are_the_file() {
    let large = vec![1; 100_000];
    let files = [file("a", b"1"), file("b", &large)];
    let encoding = Encoding::new(&files, None, Compression::Stored).unwrap();
    assert_eq!(encoding.parts().collect::<Vec<_>>().concat(), encoding.to_vec());
    assert_eq!(encoding.len(), encoding.to_vec().len() as u64);
}

fn repair_checksum(bytes: &mut [u8]) {
    let payload = wire::u64_at(bytes, 32) as usize;
    Frame::write_checksum(&mut bytes[..payload]);
}

#[test]
fn a_mode_has_the_bits_to_execute_of_the_tarball_and_no_other() {
    let step = if cfg!(miri) { 0o101 } else { 1 };
    for bits in (0..0o10000).step_by(step) {
        let mode = FileMode::of_bits(bits);
        assert_eq!(mode.bits(), 0o644 | bits & 0o111, "{bits:o}");
        let files = [FileEntry { path: "a", mode, data: b"" }];
        let bytes = encoded(&files, Compression::Stored);
        assert_eq!(decode(&bytes).unwrap().find("a").unwrap().mode, mode);
    }
}

#[test]
fn unknown_flags_are_refused_in_either_version() {
    let bytes = encoded(&[file("a", b"a")], Compression::Stored);
    for (version, known) in [(1_u16, 0..2), (2, 0..8), (3, 0..0)] {
        for flags in 0..=u8::MAX {
            let mut bytes = bytes.clone();
            bytes[4..6].copy_from_slice(&version.to_le_bytes());
            bytes[HEADER + 8] = flags;
            let end = tables_length(&bytes).unwrap_or_default() as usize;
            Frame::write_checksum(&mut bytes[..end.max(HEADER)]);
            assert_eq!(decode(&bytes).is_ok(), known.contains(&flags), "{version} {flags}");
        }
    }
}
