//! npm's rules on honest archives.

use dx_pkg_format::dxp::FileMode;

use super::super::SkippedKind;
use super::archive::Archive;
use super::{paths, unix, unpack, unpack_on_unix};

#[test]
fn first_segment_is_dropped_whatever_it_is() {
    let tgz = Archive::new()
        .file("package/package.json", b"{}")
        .file("other name/lib/a.js", b"a")
        .file("./b.js", b"b")
        .file("./package/c.js", b"c")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["b.js", "lib/a.js", "package.json", "package/c.js"]);
    assert_eq!(unpacked.find("lib/a.js").unwrap().data, b"a");
    assert!(unpacked.find("lib").is_none());
}

#[test]
fn file_beside_the_package_folder_is_left_out() {
    let tgz = Archive::new()
        .file("package.json", b"outside")
        .file("package/package.json", b"inside")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["package.json"]);
    assert_eq!(unpacked.entries()[0].data, b"inside");
    assert_eq!(unpacked.skipped()[0].kind, SkippedKind::OutsideFolder);
}

#[test]
fn dots_and_empty_segments_vanish() {
    let tgz = Archive::new().file("package//./lib/.//a.js", b"").tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["lib/a.js"]);
}

#[test]
fn last_entry_of_a_path_wins() {
    let tgz = Archive::new()
        .file("package/a", b"first")
        .file("package/b", b"b")
        .entry(b"package/./a", b'0', 0o755, b"second")
        .file("other/b", b"B")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["a", "b"]);
    let a = unpacked.find("a").unwrap();
    assert_eq!((a.data, a.mode), (&b"second"[..], FileMode::EXECUTABLE));
    assert_eq!(unpacked.find("b").unwrap().data, b"B");
}

#[test]
fn of_the_mode_only_the_bits_to_execute_count() {
    let modes = [
        (0o755, 0o755),
        (0o644, 0o644),
        (0o100_700, 0o744),
        (0o611, 0o655),
        (0o654, 0o654),
        (0o001, 0o645),
        (0, 0o644),
        (0o777, 0o755),
        (0o666, 0o644),
        (0o4755, 0o755),
        (0o3644, 0o644),
    ];
    let tgz = modes.iter().enumerate().fold(Archive::new(), |archive, (number, (mode, _))| {
        archive.entry(format!("package/{number:02}").as_bytes(), b'0', *mode, b"")
    });
    let unpacked = unpack_on_unix(&tgz.tgz()).unwrap();
    let found: Vec<u32> = unpacked.entries().iter().map(|entry| entry.mode.bits()).collect();
    assert_eq!(found, modes.map(|(_, expected)| expected));
}

#[test]
fn file_can_be_made_executable_afterwards() {
    let tgz = Archive::new().file("package/cli.js", b"").file("package/a", b"").tgz();
    let mut unpacked = unpack_on_unix(&tgz).unwrap();
    assert!(unpacked.set_executable("cli.js"));
    assert!(!unpacked.set_executable("missing.js"));
    assert_eq!(unpacked.find("cli.js").unwrap().mode, FileMode::EXECUTABLE);
    assert_eq!(unpacked.find("a").unwrap().mode, FileMode::PLAIN);
}

#[test]
fn gitignore_becomes_npmignore() {
    let tgz = Archive::new()
        .file("package/.gitignore", b"root")
        .file("package/a/.gitignore", b"a")
        .file("package/not.gitignore", b"kept")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), [".npmignore", "a/.npmignore", "not.gitignore"]);
}

#[test]
fn npmignore_wins_over_gitignore_in_either_order() {
    let before =
        Archive::new().file("package/.npmignore", b"npm").file("package/.gitignore", b"git").tgz();
    let after =
        Archive::new().file("package/.gitignore", b"git").file("package/.npmignore", b"npm").tgz();
    for tgz in [before, after] {
        let unpacked = unpack_on_unix(&tgz).unwrap();
        assert_eq!(paths(&unpacked), [".npmignore"]);
        assert_eq!(unpacked.entries()[0].data, b"npm");
    }
}

#[test]
fn gitignore_is_kept_on_request() {
    let limits = super::Limits { keep_gitignore: true, ..unix() };
    let tgz = Archive::new().file("package/.gitignore", b"").tgz();
    assert_eq!(paths(&unpack(&tgz, &limits).unwrap()), [".gitignore"]);
}

#[test]
fn folders_are_not_entries_even_as_old_archivers_wrote_them() {
    let tgz = Archive::new()
        .entry(b"package/", b'5', 0o755, b"")
        .entry(b"package/old/", b'0', 0o755, b"")
        .entry(b"package/older/", 0, 0o755, b"")
        .entry(b"package/dump", b'D', 0o755, b"names")
        .header(b"package/sized", b'5', b"0000755", b"00000001000")
        .file("package/a", b"a")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["a"]);
    assert_eq!(unpacked.skipped(), []);
}

#[test]
fn unknown_types_are_passed_over_with_their_bodies() {
    let tgz = Archive::new()
        .entry(b"package/acl", b'A', 0o644, &[1; 600])
        .entry(b"package/contiguous", b'7', 0o644, b"c")
        .file("package/a", b"a")
        .tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["a", "contiguous"]);
}

#[test]
fn odd_names_of_real_packages_are_kept() {
    let names = [
        "ab:c.json",
        "aux.js",
        "com1",
        "trailing. ",
        "dots...",
        "new\nline",
        " ",
        "...",
        "..a",
        "node_modules/.bin/x",
        "ü",
        "*?|<>\"",
    ];
    let archive = names.iter().fold(Archive::new(), |archive, name| {
        archive.file(&format!("package/{name}"), name.as_bytes())
    });
    let unpacked = unpack_on_unix(&archive.tgz()).unwrap();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(paths(&unpacked), expected);
}

#[test]
fn name_that_is_no_utf8_is_decoded_as_npm_does() {
    let tgz = Archive::new().entry(b"package/caf\xe9", b'0', 0o644, b"").tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["caf\u{fffd}"]);
}

#[test]
fn names_differing_in_case_or_form_are_kept_and_told() {
    let tgz = Archive::new()
        .file("package/README.md", b"1")
        .file("package/readme.md", b"2")
        .file("package/caf\u{e9}", b"3")
        .file("package/cafe\u{301}", b"4")
        .file("package/Lib", b"5")
        .file("package/lib/a", b"6")
        .file("package/lib/b", b"7")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(unpacked.len(), 7);
    assert_eq!(
        unpacked.collides_when_case_folded(),
        [("cafe\u{301}", "caf\u{e9}"), ("README.md", "readme.md"), ("Lib", "lib/a")]
    );
}

#[test]
fn archive_of_folders_only_is_an_empty_package() {
    let tgz = Archive::new().entry(b"package/", b'5', 0o755, b"").tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert!(unpacked.is_empty());
    assert_eq!(unpacked.entries(), []);
}
