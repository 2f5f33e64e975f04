//! Files written by each published format version are read, and written the same, by this one.
//!
//! A change that makes these tests fail needs a new format version and a new golden file;
//! `UPDATE_GOLDEN=1` writes the missing ones.

use std::path::PathBuf;
use std::sync::Arc;

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::archive::{self, ArchivedFile, Marks, PackageHead};
use dx_pkg_format::chain::{Chain, ChainData, StateData, Step};
use dx_pkg_format::dxp::{self, Compression, FileEntry, FileMode};
use dx_pkg_format::packument::{Packument, PackumentData, VersionData};

pub(super) fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::read(&path).unwrap()
}

/// The files of the golden packages, with their modes in version 1 and in version 2.
const MODES: [(&str, [FileMode; 2]); 3] = [
    ("package.json", [FileMode::PLAIN; 2]),
    ("bin/golden.js", [FileMode::EXECUTABLE; 2]),
    ("lib/text.txt", [FileMode::PLAIN, FileMode::of_bits(0o654)]),
];
const INTEGRITY: &str = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";

fn files(large: &str) -> [FileEntry<'_>; 3] {
    let contents: [&[u8]; 3] = [
        b"{\"name\":\"golden\",\"version\":\"1.0.0\"}\n",
        b"#!/usr/bin/env node\n",
        large.as_bytes(),
    ];
    let file = |number: usize| {
        let (path, [_, mode]) = MODES[number];
        FileEntry { path, mode, data: contents[number] }
    };
    [file(0), file(1), file(2)]
}

fn check_dxp(bytes: &[u8], files: &[FileEntry<'_>], version: usize) {
    let dxp = dxp::decode(bytes).unwrap();
    dxp.verify().unwrap();
    assert_eq!(dxp::file_count(bytes), Some(files.len()));
    for (file, (_, modes)) in files.iter().zip(MODES) {
        let entry = dxp.find(file.path).unwrap();
        assert_eq!(entry.mode, modes[version - 1]);
        assert_eq!(&*dxp.read(&entry).unwrap(), file.data);
    }
    assert_eq!(dxp.integrity(), Some(INTEGRITY));
}

#[test]
fn dxp_version_1_is_read() {
    let large = "0123456789abcdef".repeat(4096);
    for name in ["dxp-v1.dxp", "dxp-v1-lz4.dxp"] {
        check_dxp(&golden(name, b""), &files(&large), 1);
    }
}

#[test]
fn dxp_version_2() {
    let large = "0123456789abcdef".repeat(4096);
    let files = files(&large);
    let integrity = Integrity::parse(INTEGRITY).unwrap();
    let encode = |compression| dxp::encode(&files, Some(&integrity), compression).unwrap();
    let stored = golden("dxp-v2.dxp", &encode(Compression::Stored));
    assert_eq!(stored, encode(Compression::Stored));
    // The LZ4 block of the same contents may change with the compressor, so that file is only
    // read.
    let compressed = golden("dxp-v2-lz4.dxp", &encode(Compression::Lz4));
    assert!(compressed.len() < stored.len() / 10);
    for bytes in [stored, compressed] {
        check_dxp(&bytes, &files, 2);
    }
}

#[test]
fn dxc_version_1() {
    let step = |to, likelihood| Step { to, likelihood };
    let state = |name, major, steps| StateData { name, major, seen: 3, observations: 2, steps };
    let states = vec![
        state("golden", 2, vec![step(2, 255), step(1, 128)]),
        state("@scope/zeta", 0, Vec::new()),
        state("alpha", 11, vec![step(1, 13)]),
    ];
    let bytes =
        ChainData { trained_ms: 1_700_000_000_000, resolutions: 3, states }.encode().unwrap();
    let kept = golden("dxc-v1.dxc", &bytes);
    assert_eq!(kept, bytes);
    let chain = Chain::decode(&kept).unwrap();
    assert_eq!((chain.trained_ms(), chain.resolutions(), chain.len()), (1_700_000_000_000, 3, 3));
    let golden = chain.find("golden", 2).unwrap();
    let steps: Vec<_> =
        chain.steps(golden).map(|(to, likelihood)| (chain.state(to).name, likelihood)).collect();
    assert_eq!(steps, [("@scope/zeta", 128), ("alpha", 255)]);
    let alpha = chain.state(chain.find("alpha", 11).unwrap());
    assert_eq!((alpha.seen, alpha.observations), (3, 2));
}

#[test]
fn dxm_version_2() {
    let version = |version: &'static str| VersionData {
        version: version.into(),
        published: Some(1_700_000_000_000),
        tarball: format!("https://registry.example/golden/-/golden-{version}.tgz").into(),
        integrity: Some("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=".into()),
        unpacked_size: Some(1234),
        file_count: Some(5),
        dependencies: vec![("zeta".into(), "^1.0.0".into()), ("alpha".into(), "~2.0.0".into())],
        peer_dependencies: vec![("peer".into(), "*".into())],
        peer_meta: vec![("peer".into(), true)],
        engines: vec![("node".into(), ">=18".into())],
        os: vec!["!win32".into()],
        bins: vec![("golden".into(), "bin/golden.js".into())],
        license: Some("MIT".into()),
        extra: vec![("workspaces".into(), "[\"website\"]".into())],
        ..VersionData::default()
    };
    let mut versions = vec![version("1.0.0"), version("1.0.0-rc.1"), version("0.9.0")];
    versions[2].deprecated = "use 1.0.0".into();
    versions[2].has_install_script = true;
    let data = PackumentData {
        name: "golden".into(),
        modified: Some(1_700_000_000_001),
        dist_tags: vec![("latest".into(), "1.0.0".into()), ("next".into(), "1.0.0-rc.1".into())],
        versions,
    };
    let bytes = data.encode().unwrap();
    let kept = golden("dxm-v2.dxm", &bytes);
    assert_eq!(kept, bytes);
    let packument = Packument::decode(Arc::new(kept)).unwrap();
    let versions: Vec<_> = packument.versions().map(|view| view.version_str()).collect();
    assert_eq!(versions, ["0.9.0", "1.0.0-rc.1", "1.0.0"]);
    let latest = packument.version(packument.tag("latest").unwrap());
    assert_eq!(
        latest.dependencies().collect::<Vec<_>>(),
        [("zeta", "^1.0.0"), ("alpha", "~2.0.0")]
    );
    assert!(latest.peer_optional("peer"));
    assert_eq!(latest.extra().collect::<Vec<_>>(), [("workspaces", "[\"website\"]")]);
    assert_eq!(packument.versions().next().unwrap().deprecated(), Some("use 1.0.0"));
}

#[test]
fn dxm_of_version_1_is_refused() {
    let bytes = golden("dxm-v1.dxm", &[]);
    assert!(Packument::decode(Arc::new(bytes)).is_err(), "it is requested again");
}

#[test]
fn dxa_version_1() {
    let integrity = Integrity::parse(INTEGRITY).unwrap();
    let file = |path: &str, mode, size| ArchivedFile { path: path.to_owned(), mode, size };
    let head = PackageHead {
        id: PackageId::from_integrity(&integrity),
        marks: Marks { gyp: true, written: false },
        integrity,
        files: vec![
            file("bin/golden.js", FileMode::EXECUTABLE, 20),
            file("lib/text.txt", FileMode::of_bits(0o654), 1 << 20),
            file("package.json", FileMode::PLAIN, 36),
        ],
    };
    // The Zstandard frame between them may change with the compressor: these are its contents.
    let bytes = [archive::encode_header(1), head.encode().unwrap()].concat();
    let kept = golden("dxa-v1.head", &bytes);
    assert_eq!(kept, bytes);
    let (header, rest) = kept.split_at(archive::HEADER);
    assert_eq!(archive::decode_header(header), Ok(1));
    assert_eq!(PackageHead::decode(rest), Ok(head));
}
