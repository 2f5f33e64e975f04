use dx_pkg_core::{Coded, Integrity, PackageId};
use dx_pkg_format::FormatError;
use proptest::prelude::*;

use super::*;
use crate::{Lock, LockPackage, Patched};

const SHA512: &str = "sha512-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).into()).collect()
}

/// Returns a lock with every field in use, in npm's order.
pub(super) fn sample() -> Lock {
    let full = LockPackage {
        path: "node_modules/@scope/full".into(),
        name: Some("other-name".into()),
        version: Some("1.2.3-é".into()),
        resolved: Some("https://registry.example/full/-/full-1.2.3.tgz".into()),
        integrity: Some(SHA512.into()),
        dev: true,
        optional: true,
        dev_optional: true,
        peer: true,
        in_bundle: true,
        extraneous: true,
        has_install_script: true,
        has_shrinkwrap: true,
        deprecated: Some(String::new()),
        license: Some("MIT".into()),
        engines: Some(r#"{"node":">=20"}"#.into()),
        funding: Some(r#"{"url":"https://fund.example"}"#.into()),
        bin: pairs(&[("full", "bin/full.js")]),
        os: texts(&["linux", "!win32"]),
        cpu: texts(&["x64"]),
        libc: texts(&["glibc"]),
        dependencies: pairs(&[("a", "^1"), ("b", "")]),
        optional_dependencies: pairs(&[("c", "*")]),
        peer_dependencies: pairs(&[("d", "1"), ("e", "2")]),
        peer_dependencies_meta: vec![("d".into(), true), ("e".into(), false)],
        bundle_dependencies: texts(&["a"]),
        extra: pairs(&[("x", "[1]")]),
        ..LockPackage::default()
    };
    let project = LockPackage {
        name: Some("project".into()),
        dev_dependencies: pairs(&[("link", "file:packages/link")]),
        workspaces: Some(r#"["packages/*"]"#.into()),
        ..LockPackage::default()
    };
    let link = LockPackage {
        path: "node_modules/link".into(),
        resolved: Some("packages/link".into()),
        link: true,
        ..LockPackage::default()
    };
    let target = LockPackage {
        path: "packages/link".into(),
        version: Some("0.0.0".into()),
        ..LockPackage::default()
    };
    Lock {
        name: Some("project".into()),
        format_version: 3,
        packages: vec![project, full, link, target],
        ..Lock::default()
    }
}

#[test]
fn every_field_survives() {
    let bytes = encode(&sample(), [7; 32]);
    let view = DxlView::open(&bytes).unwrap();
    assert_eq!(view.to_lock(), sample());
    assert_eq!(view.source_digest(), [7; 32]);
    let full = view.get("node_modules/@scope/full").unwrap();
    assert_eq!(full.name(), "other-name");
    assert_eq!(full.id(), Some(PackageId::from_integrity(&Integrity::parse(SHA512).unwrap())));
    assert_eq!(full.peer_dependencies_meta().collect::<Vec<_>>(), [("d", true), ("e", false)]);
    assert_eq!(full.dependencies().iter().collect::<Vec<_>>(), [("a", "^1"), ("b", "")]);
    let link = view.get("node_modules/link").unwrap();
    assert_eq!((link.name(), link.explicit_name(), link.id()), ("link", None, None));
}

/// The golden file of version 1: a change that breaks this test needs a new version.
#[test]
fn published_version_1_is_read_and_written() {
    let golden = include_bytes!("../../fixtures/v1.dxl");
    assert_eq!(DxlView::open(golden).unwrap().to_lock(), sample());
    assert_eq!(encode(&sample(), [7; 32]), golden);
}

#[test]
fn packages_come_in_npms_order_whatever_the_lock_has() {
    let mut shuffled = sample();
    shuffled.packages.reverse();
    assert_eq!(encode(&shuffled, [7; 32]), encode(&sample(), [7; 32]));
}

#[test]
fn every_path_is_found_and_no_other() {
    let count = if cfg!(miri) { 50 } else { 3000 };
    let packages: Vec<_> = (0..count)
        .map(|n| LockPackage {
            path: format!("node_modules/package-{n}"),
            ..LockPackage::default()
        })
        .collect();
    let lock = Lock { packages, ..Lock::default() };
    let bytes = encode(&lock, [0; 32]);
    let view = DxlView::open(&bytes).unwrap();
    for package in &lock.packages {
        assert_eq!(view.get(&package.path).unwrap().path(), package.path);
        assert!(view.get(&format!("{}x", package.path)).is_none());
    }
}

#[test]
fn empty_lock_is_readable() {
    let bytes = encode(&Lock::default(), [0; 32]);
    let view = DxlView::open(&bytes).unwrap();
    assert!(view.is_empty());
    assert!(view.get("").is_none());
    assert_eq!(view.to_lock(), Lock::default());
}

#[test]
fn other_files_and_versions_are_distinguished() {
    let mut bytes = encode(&sample(), [0; 32]);
    let code = |bytes: &[u8]| DxlView::open(bytes).err().map(|error| error.code());
    assert_eq!(code(b"{}"), Some("DX_FORMAT_SIGNATURE"));
    assert_eq!(code(&bytes[..bytes.len() - 1]), Some("DX_FORMAT_TRUNCATED"));
    assert_eq!(code(&[&bytes[..], b"x"].concat()), Some("DX_FORMAT_CORRUPT"));
    bytes[100] ^= 1;
    assert_eq!(code(&bytes), Some("DX_FORMAT_CHECKSUM"));
    bytes[4] = 9;
    assert!(matches!(
        DxlView::open(&bytes),
        Err(FormatError::Version { found: 9, supported: VERSION, .. })
    ));
}

/// Repairs the checksum, as someone who changes a file with bad intent would.
fn reseal(bytes: &mut [u8]) {
    if bytes.len() >= HEADER_SIZE {
        Frame::write_checksum(bytes);
    }
}

#[test]
fn no_altered_byte_makes_reading_fail_after_opening() {
    let original = encode(&sample(), [0; 32]);
    let mut refused = 0;
    for position in 0..original.len() {
        for value in [0, 1, 0x7f, 0xff, original[position].wrapping_add(1)] {
            let mut bytes = original.clone();
            bytes[position] = value;
            reseal(&mut bytes);
            match DxlView::open(&bytes) {
                Ok(view) => {
                    let lock = view.to_lock();
                    lock.packages.iter().for_each(|package| {
                        let _ = view.get(&package.path);
                    });
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000, "{refused}");
    for length in 0..original.len() {
        let mut bytes = original[..length].to_vec();
        reseal(&mut bytes);
        assert!(DxlView::open(&bytes).is_err());
    }
}

#[test]
fn full_index_does_not_make_a_lookup_endless() {
    let lock = Lock { packages: vec![LockPackage::default()], ..Lock::default() };
    let mut bytes = encode(&lock, [0; 32]);
    let index = HEADER_SIZE + RECORD_SIZE;
    bytes[index..index + 8].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    reseal(&mut bytes);
    assert!(DxlView::open(&bytes).unwrap().get("absent").is_none());
}

fn any_package() -> impl Strategy<Value = LockPackage> {
    let text = || "[a-zA-Zé0-9./@-]{0,12}";
    let optional = move || proptest::option::of(text());
    let pairs = move || proptest::collection::vec((text(), text()), 0..4);
    let list = move || proptest::collection::vec(text(), 0..3);
    (
        "[a-z@/]{0,20}",
        (optional(), optional(), optional(), optional(), optional()),
        any::<[bool; 10]>(),
        (pairs(), pairs(), pairs(), pairs(), pairs(), pairs()),
        (list(), list(), list(), list()),
        proptest::collection::vec((text(), any::<bool>()), 0..3),
    )
        .prop_map(|(path, texts, flags, pairs, lists, meta)| LockPackage {
            path,
            name: texts.0,
            version: texts.1.clone(),
            patched: texts.2.clone().map(|path| Patched { path, integrity: "sha512-x".into() }),
            resolved: texts.2,
            integrity: texts.3,
            deprecated: texts.4.clone(),
            license: texts.1.clone(),
            engines: texts.4.clone(),
            funding: texts.1,
            workspaces: texts.4,
            link: flags[0],
            dev: flags[1],
            optional: flags[2],
            dev_optional: flags[3],
            peer: flags[4],
            in_bundle: flags[5],
            extraneous: flags[6],
            has_install_script: flags[7],
            has_shrinkwrap: flags[8],
            private_copy: flags[9],
            bin: pairs.0,
            dependencies: pairs.1,
            dev_dependencies: pairs.2,
            optional_dependencies: pairs.3,
            peer_dependencies: pairs.4,
            extra: pairs.5,
            os: lists.0,
            cpu: lists.1,
            libc: lists.2,
            bundle_dependencies: lists.3,
            peer_dependencies_meta: meta,
        })
}

proptest! {
    #[test]
    fn any_lock_survives(packages in proptest::collection::btree_map("[a-z@/]{0,20}", any_package(), 0..30)) {
        let mut packages: Vec<_> =
            packages.into_iter().map(|(path, package)| LockPackage { path, ..package }).collect();
        packages.sort_by(|a, b| crate::locale_compare(&a.path, &b.path));
        let version = Some("1".into());
        let lock = Lock { version, format_version: 3, packages, ..Lock::default() };
        let bytes = encode(&lock, [1; 32]);
        let view = DxlView::open(&bytes).unwrap();
        prop_assert_eq!(view.to_lock(), lock.clone());
        for package in &lock.packages {
            prop_assert_eq!(view.get(&package.path).unwrap().to_package(), package.clone());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = DxlView::open(&bytes);
        if bytes.len() > HEADER_SIZE {
            bytes[..4].copy_from_slice(&SIGNATURE);
            bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
            reseal(&mut bytes);
            if let Ok(view) = DxlView::open(&bytes) {
                let _ = view.to_lock();
            }
        }
    }
}
