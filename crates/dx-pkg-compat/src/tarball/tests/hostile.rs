//! Names that must never become paths, and entries that must never be created.

use dx_pkg_core::Coded;

use super::super::{Limits, NameRules, PathProblem, SkippedKind, TarballError};
use super::archive::Archive;
use super::{paths, unix, unpack, unpack_on_unix};

fn problem_of(name: &[u8], limits: &Limits) -> Option<PathProblem> {
    let tgz = Archive::new().file("package/good", b"").entry(name, b'0', 0o644, b"").tgz();
    match unpack(&tgz, limits) {
        Err(error @ TarballError::UnsafePath { problem, .. }) => {
            assert_eq!(error.code(), "DX_TARBALL_UNSAFE_PATH");
            Some(problem)
        }
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[test]
fn name_that_climbs_is_refused() {
    for name in ["package/../x", "../x", "package/a/..", "package/a/../../../etc/passwd", ".."] {
        assert_eq!(problem_of(name.as_bytes(), &unix()), Some(PathProblem::Parent), "{name}");
    }
}

#[test]
fn absolute_name_is_refused() {
    for name in ["/etc/passwd", "//server/share", "/package/x"] {
        assert_eq!(problem_of(name.as_bytes(), &unix()), Some(PathProblem::Absolute), "{name}");
    }
}

#[test]
fn slashes_after_the_first_segment_do_not_make_a_name_absolute() {
    let tgz = Archive::new().file("package//etc/passwd", b"").tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["etc/passwd"]);
}

#[test]
fn backslash_is_refused() {
    for name in [r"package\x", r"package/..\..\x", r"\\server\share\x", r"package/a\b"] {
        assert_eq!(problem_of(name.as_bytes(), &unix()), Some(PathProblem::Backslash), "{name}");
    }
}

#[test]
fn drive_letter_is_refused_where_it_would_count() {
    for name in ["package/C:/x", "package/c:x", "C:/package/x", "package/./z:"] {
        assert_eq!(problem_of(name.as_bytes(), &unix()), Some(PathProblem::Drive), "{name}");
    }
    for name in ["package/lib/C:/x", "package/ab:c", "package/1:2"] {
        assert_eq!(problem_of(name.as_bytes(), &unix()), None, "{name}");
    }
}

#[test]
fn nul_in_a_name_is_refused() {
    let by_pax =
        Archive::new().pax(b'x', &[("path", b"package/a\0b")]).file("package/short", b"").tgz();
    let by_gnu = Archive::new()
        .entry(b"././@LongLink", b'L', 0o644, b"package/a\0b\0")
        .file("package/short", b"")
        .tgz();
    for tgz in [by_pax, by_gnu] {
        let error = unpack_on_unix(&tgz).unwrap_err();
        assert!(
            matches!(error, TarballError::UnsafePath { problem: PathProblem::Nul, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(r"a\0b"), "{error}");
    }
}

#[test]
fn over_long_names_are_refused() {
    let component = |length| format!("package/{}", "x".repeat(length));
    assert_eq!(problem_of(component(255).as_bytes(), &unix()), None);
    assert_eq!(problem_of(component(256).as_bytes(), &unix()), Some(PathProblem::TooLong));
    let path = |folders| format!("package/{}a", "0123456/".repeat(folders));
    assert_eq!(problem_of(path(511).as_bytes(), &unix()), None);
    assert_eq!(problem_of(path(512).as_bytes(), &unix()), Some(PathProblem::TooLong));
    let deep = |folders| format!("package/{}a", "x/".repeat(folders));
    assert_eq!(problem_of(deep(1023).as_bytes(), &unix()), None);
    assert_eq!(problem_of(deep(1024).as_bytes(), &unix()), Some(PathProblem::TooLong));
}

#[test]
fn names_that_windows_cannot_store_are_refused_there_only() {
    let windows = Limits { names: NameRules::Windows, ..unix() };
    for name in [
        "CON",
        "nul",
        "aux.js",
        "Com1.tar.gz",
        "lpt9",
        "COM²",
        "CONIN$",
        "con .txt",
        "dir./a",
        "trailing.",
        "trailing ",
        "ab:c",
        "what?",
        "a*",
        "a|b",
        "<a>",
        "\"",
        "tab\t",
        "lib/prn",
    ] {
        let name = format!("package/{name}");
        assert_eq!(problem_of(name.as_bytes(), &windows), Some(PathProblem::Windows), "{name}");
        assert_eq!(problem_of(name.as_bytes(), &unix()), None, "{name}");
    }
    for name in ["console", "com", "com10", "lpt", "aux-js", "nullable.txt", ".con", "a.b"] {
        let name = format!("package/{name}");
        assert_eq!(problem_of(name.as_bytes(), &windows), None, "{name}");
    }
}

#[test]
fn error_cannot_drive_the_terminal() {
    let tgz = Archive::new().file("package/../\u{1b}[2J\u{202e}\r\n\u{9b}31m", b"").tgz();
    let text = unpack_on_unix(&tgz).unwrap_err().to_string();
    assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
    assert!(text.contains(r"\u{1b}[2J"), "{text}");
}

#[test]
fn error_does_not_repeat_an_endless_name() {
    let tgz = Archive::new().file(&format!("package/{}", "../".repeat(5000) + "x"), b"").tgz();
    assert!(unpack_on_unix(&tgz).unwrap_err().to_string().len() < 500);
}

#[test]
fn links_and_devices_are_never_created_and_are_told() {
    let link = |archive: Archive, name: &[u8], flag| {
        archive
            .entry(name, flag, 0o777, b"")
            .patch_header(|block| block[157..163].copy_from_slice(b"/etc/x"))
    };
    let mut archive = link(Archive::new(), b"package/soft\x1b", b'2');
    archive = link(archive, b"package/hard", b'1');
    let tgz = archive
        .entry(b"package/null", b'3', 0o644, b"")
        .entry(b"package/disk", b'4', 0o644, b"")
        .entry(b"package/pipe", b'6', 0o644, b"")
        .file("package/a", b"a")
        .tgz();
    let unpacked = unpack_on_unix(&tgz).unwrap();
    assert_eq!(paths(&unpacked), ["a"]);
    let kinds: Vec<_> = unpacked.skipped().iter().map(|skipped| skipped.kind).collect();
    assert_eq!(
        kinds,
        [
            SkippedKind::Symlink,
            SkippedKind::Hardlink,
            SkippedKind::Device,
            SkippedKind::Device,
            SkippedKind::Fifo
        ]
    );
    assert_eq!(unpacked.skipped()[0].name, r"package/soft\u{1b}");
}

#[test]
fn file_below_a_link_is_an_ordinary_file() {
    let tgz = Archive::new()
        .entry(b"package/lib", b'2', 0o777, b"")
        .patch_header(|block| block[157..161].copy_from_slice(b"/etc"))
        .file("package/lib/passwd", b"x")
        .tgz();
    assert_eq!(paths(&unpack_on_unix(&tgz).unwrap()), ["lib/passwd"]);
}

#[test]
fn file_that_is_also_a_folder_is_refused() {
    for (file, below) in [("a", "a/b"), ("a", "a/b/c/d"), ("x/a", "x/a/b")] {
        // A name that sorts between the two must not hide them from each other.
        let archive = Archive::new()
            .file(&format!("package/{below}"), b"")
            .file("package/a-b", b"")
            .file("package/a!/x", b"")
            .file(&format!("package/{file}"), b"");
        let error = unpack_on_unix(&archive.tgz()).unwrap_err();
        assert_eq!(error.code(), "DX_TARBALL_COLLISION");
        assert_eq!(
            error,
            TarballError::FileAndFolder { file: file.to_owned(), below: below.to_owned() }
        );
    }
}

#[test]
fn folded_collisions_are_refused_for_file_systems_that_fold() {
    let folding = Limits { refuse_folded_collisions: true, ..unix() };
    for (first, second) in [
        ("A", "a"),
        ("X/b", "x/B"),
        ("cafe\u{301}", "caf\u{e9}"),
        ("Lib", "lib/a"),
        ("stra\u{df}e", "STRASSE"),
    ] {
        let tgz = Archive::new()
            .file(&format!("package/{first}"), b"")
            .file(&format!("package/{second}"), b"")
            .tgz();
        let error = unpack(&tgz, &folding).unwrap_err();
        assert!(matches!(error, TarballError::FoldedCollision { .. }), "{first} {second}: {error}");
        assert_eq!(unpack_on_unix(&tgz).unwrap().len(), 2);
    }
    let fine = Archive::new().file("package/Lib/a", b"").file("package/lib/b", b"").tgz();
    assert_eq!(unpack(&fine, &folding).unwrap().len(), 2);
}
