//! Every limit at its boundary: the number itself passes, one more is refused.

use super::super::{Limits, TarballError, unpack_within};
use super::archive::{Archive, gzip};
use super::streamed::read;
use super::{unix, unpack};

/// Checks that an archive passes with `fits` and is refused with `tight`, whole and in pieces.
fn at_the_boundary(archive: &Archive, fits: &Limits, tight: &Limits) -> TarballError {
    let tgz = archive.clone().tgz();
    assert!(unpack(&tgz, fits).is_ok());
    assert!(read(&tgz, 100, fits).is_ok());
    let refusal = unpack(&tgz, tight).unwrap_err();
    assert_eq!(read(&tgz, 100, tight).unwrap_err(), refusal);
    refusal
}

#[test]
fn bytes_of_the_archive() {
    let archive = Archive::new().file("package/a", &[7; 5000]);
    let bytes = 512 + 10 * 512 + 1024;
    let limits = |max_bytes| Limits { max_bytes, ..unix() };
    let refusal = at_the_boundary(&archive, &limits(bytes), &limits(bytes - 1));
    assert_eq!(refusal, TarballError::TooLarge { limit: bytes - 1 });
}

#[test]
fn headers_of_every_kind() {
    for flag in [b'0', b'2', b'5', b'g', b'K'] {
        let mut archive = Archive::new();
        for number in 0..4 {
            archive = archive.entry(format!("package/{number}").as_bytes(), flag, 0o644, b"");
        }
        let archive = archive.file("package/a", b"");
        let limits = |max_entries| Limits { max_entries, ..unix() };
        let refusal = at_the_boundary(&archive, &limits(5), &limits(4));
        assert_eq!(refusal, TarballError::TooManyEntries { limit: 4 });
    }
}

#[test]
fn folders_count_as_entries() {
    let archive = Archive::new().file("package/a/b/c/d/e", b"").file("package/a/b/x", b"");
    let limits = |max_entries| Limits { max_entries, ..unix() };
    let refusal = at_the_boundary(&archive, &limits(4), &limits(3));
    assert_eq!(refusal, TarballError::TooManyEntries { limit: 3 });
}

#[test]
fn bytes_of_paths_with_their_folders() {
    let archive = Archive::new().file("package/ab/cd/e", b"").file("package/ab/cd/f", b"");
    // Two paths of 7 bytes, and the folders `ab/` and `ab/cd/`.
    let limits = |max_path_bytes| Limits { max_path_bytes, ..unix() };
    let refusal = at_the_boundary(&archive, &limits(23), &limits(22));
    assert_eq!(refusal, TarballError::PathsTooLong { limit: 22 });
}

#[test]
fn bytes_of_manifests() {
    let limits = |max_manifest| Limits { max_manifest, ..unix() };
    for path in ["package.json", "node_modules/a/package.json"] {
        let archive = Archive::new().file(&format!("package/{path}"), &[b' '; 700]);
        let refusal = at_the_boundary(&archive, &limits(700), &limits(699));
        let path = path.to_owned();
        assert_eq!(refusal, TarballError::ManifestTooLarge { path, bytes: 700, limit: 699 });
    }
    let archive = Archive::new().file("package/test/package.json", &[b' '; 700]);
    assert!(unpack(&archive.tgz(), &limits(1)).is_ok(), "nobody reads it");
}

#[test]
fn ratio_above_its_floor() {
    let tgz = Archive::new().file("package/a", &vec![0; 4 << 20]).tgz();
    let limits = |ratio_floor| Limits { ratio_floor, ..unix() };
    let archive = (4 << 20) + 512 + 1024;
    assert!(read(&tgz, 100, &limits(archive)).is_ok());
    let refusal = read(&tgz, 100, &limits(archive / 2)).unwrap_err();
    assert!(matches!(refusal, TarballError::Ratio { .. }), "{refusal}");
}

#[test]
fn a_size_that_the_user_allows_has_any_ratio() {
    let tgz = Archive::new().file("package/a", &vec![0; 4 << 20]).tgz();
    let allowed = |bytes| Limits { ratio_floor: 0, names: unix().names, ..Limits::allowing(bytes) };
    assert!(matches!(unpack(&tgz, &allowed(None)), Err(TarballError::Ratio { .. })));
    assert!(unpack(&tgz, &allowed(Some(5 << 20))).is_ok());
    let limit = 4 << 20;
    assert_eq!(unpack(&tgz, &allowed(Some(limit))).unwrap_err(), TarballError::TooLarge { limit });
}

#[test]
fn no_more_memory_is_taken_than_was_told_and_allowed() {
    let archive = Archive::new().file("package/a", &[0; 8192]);
    let (tgz, tar) = (archive.clone().tgz(), archive.tar());
    let size = tar.len() as u64;
    assert!(unpack_within(&tgz, &unix(), size).unwrap().is_some());
    assert!(unpack_within(&tgz, &unix(), size - 1).unwrap().is_none());
    let mut lying = tgz;
    let told = lying.len() - 4;
    lying[told..].copy_from_slice(&512_u32.to_le_bytes());
    assert!(unpack_within(&lying, &unix(), size).unwrap().is_none());
    let members = [gzip(&tar[..600]), gzip(&tar[600..])].concat();
    assert!(unpack_within(&members, &unix(), size).unwrap().is_none());
}
