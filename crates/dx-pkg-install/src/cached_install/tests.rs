use std::sync::Arc;

use dx_pkg_acquire::clock::now_ms;
use dx_pkg_compat::manifest::Section;
use dx_pkg_core::PackageName;
use dx_pkg_format::packument::{Form, Packument, PackumentData};
use dx_pkg_format::wire::Frame;
use dx_pkg_store::metadata::{MetadataRecord, MetadataSource};

use super::CachedInstall;
use crate::summary::{ChangeKind, ChangedPackage, Deprecation};
use crate::visits::Visit;

fn sample() -> CachedInstall<'static> {
    CachedInstall {
        prepared: [3; 32],
        fresh_until_ms: 17,
        packages: 2,
        placed: 3,
        credentials: 4,
        importers: vec!["packages/a".into(), String::new()],
        direct: vec![ChangedPackage {
            kind: ChangeKind::Added,
            name: "@s/a".into(),
            path: "node_modules/@s/a".into(),
            before: None,
            version: Some("1.0.0".into()),
            section: Some(Section::Dev),
        }],
        deprecated: vec![Deprecation {
            name: "old".into(),
            version: "1.0.0".into(),
            path: "node_modules/old".into(),
            message: "use new".into(),
            is_direct: false,
        }],
        scripts_skipped: vec!["esbuild@1.0.0".into()],
        conflicts: Vec::new(),
        solved: vec!["b 1.0.0 instead of 2.0.0".into()],
        warnings: vec!["ä".into()],
        visits: vec![Visit { path: "node_modules/@a/b/../..".into(), end: "node_modules".into() }],
        metadata: vec![MetadataSource { name: "r/a-x".into(), revision: 5 }],
        is_baseline: true,
        is_complete: true,
        lockfile: Some("{}\n"),
    }
}

/// The golden file of version 6: a change that breaks this test needs a new version.
#[test]
fn the_golden_file_is_read_and_written_the_same() {
    let golden: &[u8] = include_bytes!("../../tests/golden/dxr-v6.dxr");
    assert_eq!(CachedInstall::decode(golden), Some(sample()));
    assert_eq!(sample().encode(), golden);
}

#[test]
fn what_was_written_is_read() {
    let bytes = sample().encode();
    assert_eq!(CachedInstall::decode(&bytes), Some(sample()));
    let bytes = CachedInstall { lockfile: None, ..sample() }.encode();
    assert_eq!(CachedInstall::decode(&bytes).unwrap().lockfile, None);
}

#[test]
fn damage_is_noticed_wherever_it_is() {
    let bytes = sample().encode();
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        assert_eq!(CachedInstall::decode(&damaged), None, "byte {position}");
        assert_eq!(CachedInstall::decode(&bytes[..position]), None, "cut to {position}");
    }
}

#[test]
fn nothing_in_a_body_makes_reading_panic() {
    // The checksum is made to fit, as only dx itself would.
    let bytes = sample().encode();
    for position in Frame::SIZE..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut altered = bytes.clone();
            altered[position] = value;
            let checksum = dx_pkg_format::wire::checksum(&altered[Frame::SIZE..]);
            altered[8..Frame::SIZE].copy_from_slice(&checksum.to_le_bytes());
            let _ = CachedInstall::decode(&altered);
        }
    }
}

#[test]
fn a_result_is_valid_for_its_user_while_its_metadata_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = dx_pkg_store::Store::open(folder.path()).unwrap();
    let resting_on = |metadata| CachedInstall { fresh_until_ms: u64::MAX, metadata, ..sample() };
    assert!(resting_on(Vec::new()).is_valid(&store, 5), "on nothing");
    let missing = MetadataSource { name: "r/a-x".to_owned(), revision: 1 };
    assert!(!resting_on(vec![missing]).is_valid(&store, 4));
    let put = |fetched_ms| {
        let data = PackumentData { name: "x".into(), ..PackumentData::default() };
        let packument = Packument::decode(Arc::new(data.encode().unwrap())).unwrap();
        let record = MetadataRecord {
            packument: &packument,
            form: Form::Abbreviated,
            etag: None,
            last_modified: None,
            fetched_ms,
            fresh_until_ms: u64::MAX,
            stale_until_ms: u64::MAX,
            credential: 4,
        };
        let name = PackageName::parse("x").unwrap();
        store.put_metadata("r", &name, &record).unwrap();
        store.metadata_sources("r", &name)
    };
    let sources = put(now_ms());
    assert!(resting_on(sources.clone()).is_valid(&store, 4));
    assert!(!resting_on(sources.clone()).is_valid(&store, 5), "another user of the registry");
    let stale = CachedInstall { fresh_until_ms: now_ms() - 1, ..resting_on(sources) };
    assert!(!stale.is_valid(&store, 4));
    // As it looks once the clock was set back by an hour.
    assert!(!resting_on(put(now_ms() + 3_600_000)).is_valid(&store, 4));
}
