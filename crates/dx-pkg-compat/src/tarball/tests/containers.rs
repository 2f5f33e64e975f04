//! gzip, plain tar, pax and GNU extensions, and damage to any of them.

use super::super::TarballError;
use super::archive::{Archive, gzip, octal};
use super::{Limits, paths, unix, unpack, unpack_on_unix};

fn sample() -> Archive {
    Archive::new().file("package/package.json", b"{}").file("package/index.js", &[7; 3000])
}

#[test]
fn plain_tar_is_accepted() {
    let unpacked = unpack_on_unix(&sample().tar()).unwrap();
    assert_eq!(paths(&unpacked), ["index.js", "package.json"]);
}

#[test]
fn archive_may_lack_its_end_marker() {
    let unpacked = unpack_on_unix(&gzip(&sample().unfinished())).unwrap();
    assert_eq!(unpacked.len(), 2);
}

#[test]
fn what_follows_the_end_marker_is_not_read() {
    let mut tar = sample().tar();
    tar.extend_from_slice(&Archive::new().file("package/late", b"").tar());
    tar.extend_from_slice(b"garbage");
    assert_eq!(unpack_on_unix(&tar).unwrap().len(), 2);
}

#[test]
fn lone_zero_block_does_not_end_the_archive() {
    let mut tar = sample().unfinished();
    tar.extend_from_slice(&[0; 512]);
    tar.extend_from_slice(&Archive::new().file("package/late", b"").tar());
    assert_eq!(unpack_on_unix(&tar).unwrap().len(), 3);
}

#[test]
fn gzip_of_several_members_is_one_archive() {
    let tar = sample().tar();
    let (first, second) = tar.split_at(700);
    let tgz = [gzip(first), gzip(second), gzip(b"")].concat();
    assert_eq!(unpack_on_unix(&tgz).unwrap().len(), 2);
}

#[test]
fn zeros_may_follow_the_gzip_stream_but_nothing_else() {
    let mut tgz = sample().tgz();
    tgz.extend_from_slice(&[0; 100]);
    assert_eq!(unpack_on_unix(&tgz).unwrap().len(), 2);
    tgz.extend_from_slice(b"garbage!");
    let error = unpack_on_unix(&tgz).unwrap_err();
    assert!(matches!(error, TarballError::Gzip { .. }), "{error}");
}

#[test]
fn gzip_header_with_all_optional_fields_is_read() {
    let plain = sample().tgz();
    let mut tgz = plain[..10].to_vec();
    tgz[3] = 0b0001_1110;
    tgz.extend_from_slice(b"\x03\x00abcname.tar\0a comment\0");
    let checksum = libdeflater::crc32(&tgz) as u16;
    tgz.extend_from_slice(&checksum.to_le_bytes());
    tgz.extend_from_slice(&plain[10..]);
    assert_eq!(unpack_on_unix(&tgz).unwrap().len(), 2);
}

#[test]
fn gzip_trailer_that_lies_about_the_length_is_not_believed() {
    let honest = sample().tgz();
    for lie in [0_u32, 1, 5000, u32::MAX] {
        let mut tgz = honest.clone();
        let at = tgz.len() - 4;
        tgz[at..].copy_from_slice(&lie.to_le_bytes());
        let error = unpack_on_unix(&tgz).unwrap_err();
        assert!(matches!(error, TarballError::Gzip { .. }), "{error}");
    }
}

#[test]
fn last_member_shorter_than_the_first_does_not_mislead() {
    let big = Archive::new().file("package/big", &vec![1; 1 << 20]).unfinished();
    let tgz = [gzip(&big), gzip(&Archive::new().file("package/a", b"").tar())].concat();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["a", "big"]);
}

#[test]
fn every_truncation_is_refused() {
    let tgz = sample().tgz();
    for length in 0..tgz.len() {
        assert!(unpack_on_unix(&tgz[..length]).is_err(), "{length} bytes");
    }
    let tar = sample().unfinished();
    // A cut between entries leaves a shorter archive that is whole.
    for length in (1..tar.len()).filter(|length| *length != 1024) {
        let error = unpack_on_unix(&gzip(&tar[..length])).unwrap_err();
        let expected =
            matches!(error, TarballError::Truncated { .. } | TarballError::Unrecognised { .. });
        assert!(expected, "{length} bytes: {error}");
    }
}

#[test]
fn no_flipped_bit_of_the_gzip_stream_changes_the_files() {
    let tgz = sample().tgz();
    let honest = unpack_on_unix(&tgz).unwrap();
    let mut refused = 0;
    for at in 0..tgz.len() {
        let mut damaged = tgz.clone();
        damaged[at] ^= 1;
        match unpack_on_unix(&damaged) {
            Ok(unpacked) => assert_eq!(unpacked.entries(), honest.entries(), "byte {at}"),
            Err(_) => refused += 1,
        }
    }
    // The text flag, time, level, system and padding bits are left.
    assert!(refused >= tgz.len() - 12, "{refused} of {}", tgz.len());
}

#[test]
fn header_with_a_wrong_checksum_is_refused() {
    let mut tar = sample().tar();
    tar[512] ^= 1;
    assert_eq!(unpack_on_unix(&tar).unwrap().len(), 2, "the body has no checksum");
    let second_header = 1024;
    let mut tar = sample().tar();
    tar[second_header + 300] ^= 1;
    let error = unpack_on_unix(&tar).unwrap_err();
    assert!(matches!(error, TarballError::Header { offset: 1024, .. }), "{error}");
}

#[test]
fn signed_checksum_of_old_archivers_is_accepted() {
    let archive = Archive::new().header("package/é".as_bytes(), b'0', b"0000644", &octal(0, 12));
    let mut tar = archive.tar();
    tar[148..156].fill(b' ');
    let sum: i64 = tar[..512].iter().map(|byte| i64::from(byte.cast_signed())).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(paths(&unpack_on_unix(&tar).unwrap()), ["é"]);
}

#[test]
fn bytes_that_are_no_archive_are_told_apart() {
    for bytes in [&b""[..], b"<html>", &[0; 4096], &[b'x'; 4096]] {
        let error = unpack_on_unix(bytes).unwrap_err();
        assert!(matches!(error, TarballError::Unrecognised { .. }), "{error}");
        let error = unpack_on_unix(&gzip(bytes)).unwrap_err();
        assert!(matches!(error, TarballError::Unrecognised { .. }), "{error}");
    }
}

#[test]
fn pax_path_and_size_override_the_header_once() {
    let tgz = Archive::new()
        .pax(b'x', &[("path", b"package/long"), ("size", b"5"), ("mtime", b"1.5")])
        .header(b"package/short", b'0', b"0000644", &octal(0, 12))
        .body(b"12345")
        .file("package/next", b"n")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["long", "next"]);
    assert_eq!(unpacked.find("long").unwrap().data, b"12345");
}

#[test]
fn pax_path_may_contain_newlines_and_equals_signs() {
    let tgz = Archive::new()
        .pax(b'x', &[("comment", b"9 path=no\n"), ("path", b"package/a\n12 path=x\n=b")])
        .file("package/short", b"")
        .tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["a\n12 path=x\n=b"]);
}

#[test]
fn damaged_pax_records_are_passed_over() {
    let tgz = Archive::new()
        .entry(b"PaxHeader", b'x', 0o644, b"99 path=package/no\nrubbish\n\n18 path=package/y\n3 \n")
        .file("package/short", b"")
        .tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["y"]);
}

#[test]
fn global_pax_path_is_ignored_and_its_size_is_not() {
    let tgz = Archive::new()
        .pax(b'g', &[("path", b"package/all"), ("comment", b"commit id"), ("size", b"2")])
        .header(b"package/a", b'0', b"0000644", &octal(0, 12))
        .body(b"ab")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["a"]);
    assert_eq!(unpacked.entries()[0].data, b"ab");
}

#[test]
fn pax_size_does_not_apply_to_a_long_name_between_it_and_the_file() {
    let tgz = Archive::new()
        .pax(b'x', &[("size", b"3")])
        .entry(b"././@LongLink", b'L', 0o644, b"package/long\0")
        .header(b"package/short", b'0', b"0000644", &octal(0, 12))
        .body(b"abc")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(unpacked.find("long").unwrap().data, b"abc");
}

#[test]
fn long_names_of_gnu_apply_to_the_next_entry_only() {
    let long = format!("package/{}", "d/".repeat(120));
    let tgz = Archive::new()
        .entry(b"././@LongLink", b'K', 0o644, b"target\0")
        .entry(b"././@LongLink", b'L', 0o644, format!("{long}a\0").as_bytes())
        .file("package/short", b"1")
        .file("package/next", b"2")
        .tgz();
    let expected = format!("{}a", "d/".repeat(120));
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), [&expected, "next"]);
}

#[test]
fn ustar_prefix_is_read_only_where_the_format_has_one() {
    let named = |archive: Archive| archive.header(b"file", b'0', b"0000644", &octal(0, 12));
    let prefix = |block: &mut [u8; 512]| block[345..353].copy_from_slice(b"package/");
    let long_prefix = |block: &mut [u8; 512]| {
        block[345..353].copy_from_slice(b"package/");
        block[353..499].fill(b'x');
    };
    let gnu = |block: &mut [u8; 512]| {
        block[257..265].copy_from_slice(b"ustar  \0");
        block[..14].copy_from_slice(b"package/by-gnu");
        block[345..353].copy_from_slice(b"ignored/");
    };
    let mut archive = named(Archive::new()).patch_header(prefix);
    archive = named(archive).patch_header(long_prefix);
    archive = named(archive).patch_header(gnu);
    let unpacked = unpack_on_unix(&archive.tgz()).unwrap();
    let long = format!("{}/file", "x".repeat(146));
    assert_eq!(paths(&unpacked), ["by-gnu", "file", &long]);
}

#[test]
fn base_256_size_is_read_and_a_negative_one_refused() {
    let sized = |size: [u8; 12]| {
        Archive::new().header(b"package/a", b'0', b"0000644", &size).body(&[5; 300]).tgz()
    };
    let unpacked = unpack_on_unix(&sized([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 44])).unwrap();
    assert_eq!(unpacked.entries()[0].data, [5; 300]);
    for size in [[0xff; 12], [0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], *b"12z\0\0\0\0\0\0\0\0\0"] {
        let error = unpack_on_unix(&sized(size)).unwrap_err();
        assert!(
            matches!(error, TarballError::Header { .. } | TarballError::Truncated { .. }),
            "{error}"
        );
    }
}

#[test]
fn size_beyond_the_archive_is_a_truncation() {
    for size in [
        octal(3000, 12),
        octal(0o77_777_777_777, 12),
        vec![0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ] {
        let tgz =
            Archive::new().header(b"package/a", b'0', b"0000644", &size).body(&[5; 300]).tgz();
        let error = unpack_on_unix(&tgz).unwrap_err();
        assert_eq!(error, TarballError::Truncated { offset: 0 });
    }
}

#[test]
fn archive_larger_than_allowed_is_refused_in_every_container() {
    let limits = Limits { max_bytes: 4096, ..unix() };
    let archive = Archive::new().file("package/a", &[0; 8192]);
    let tar = archive.clone().tar();
    let members = [gzip(&tar[..600]), gzip(&tar[600..])].concat();
    for bytes in [archive.tgz(), tar, members] {
        let error = unpack(&bytes, &limits).unwrap_err();
        assert_eq!(error, TarballError::TooLarge { limit: 4096 });
    }
}

#[test]
fn bomb_is_refused_by_ratio_before_it_is_inflated() {
    let limits = Limits { ratio_floor: 1 << 20, ..unix() };
    let archive = Archive::new().file("package/a", &vec![0; 8 << 20]).tar();
    let halves = archive.split_at(4 << 20);
    for bomb in [gzip(&archive), [gzip(halves.0), gzip(halves.1)].concat()] {
        let limit = (bomb.len() as u64 * limits.max_ratio).max(1 << 20);
        assert_eq!(
            unpack(&bomb, &limits).unwrap_err(),
            TarballError::Ratio { compressed: bomb.len(), limit }
        );
        assert!(unpack_on_unix(&bomb).is_ok(), "the default allows any ratio up to 128 MiB");
    }
}

#[test]
fn too_many_entries_are_refused_whatever_their_type() {
    let limits = Limits { max_entries: 10, ..unix() };
    for flag in [b'0', b'2', b'5', b'g', b'K'] {
        let archive =
            |n| (0..n).fold(Archive::new(), |a, _| a.entry(b"package/a", flag, 0o644, b""));
        assert!(unpack(&archive(10).tgz(), &limits).is_ok());
        let error = unpack(&archive(11).tgz(), &limits).unwrap_err();
        assert_eq!(error, TarballError::TooManyEntries { limit: 10 });
    }
}

#[test]
fn extended_header_beyond_a_mebibyte_is_refused() {
    let tgz =
        Archive::new().pax(b'x', &[("comment", &vec![b'c'; 1 << 20])]).file("package/a", b"").tgz();
    let error = unpack_on_unix(&tgz).unwrap_err();
    assert!(matches!(error, TarballError::Header { offset: 0, .. }), "{error}");
}
