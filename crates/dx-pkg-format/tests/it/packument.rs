//! Properties and the golden file of DXM.

use std::sync::Arc;

use dx_pkg_format::packument::{Packument, PackumentData, VersionData};
use proptest::prelude::*;

fn decode(bytes: Vec<u8>) -> Result<Packument, dx_pkg_format::FormatError> {
    Packument::decode(Arc::new(bytes))
}

fn pairs(strategy: &'static str) -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec(("[a-z@/-]{1,8}", strategy), 0..4)
}

fn borrowed(
    pairs: Vec<(String, String)>,
) -> Vec<(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)> {
    pairs.into_iter().map(|(a, b)| (a.into(), b.into())).collect()
}

prop_compose! {
    fn version_data()(
        numbers in (0u64..3, 0u64..3, 0u64..4),
        prerelease in proptest::option::of("(alpha|beta|rc)\\.[0-9]"),
        deprecated in prop_oneof![Just(String::new()), "\\PC{0,12}"],
        published in proptest::option::of(0u64..2_000_000_000_000),
        sizes in proptest::option::of((any::<u32>(), 0u64..10_000)),
        tables in (pairs("[~^]?[0-9]\\.x"), pairs("\\PC{0,6}"), pairs("[*]"), pairs("\\PC{0,6}")),
        peers in proptest::collection::vec(("[a-z]{1,5}", any::<bool>()), 0..3),
        lists in proptest::collection::vec("!?[a-z]{1,6}", 0..3),
        flags in any::<[bool; 3]>(),
        integrity in proptest::option::of("sha512-[a-zA-Z0-9+/]{20}"),
    ) -> VersionData<'static> {
        let (major, minor, patch) = numbers;
        let suffix = prerelease.map(|text| format!("-{text}")).unwrap_or_default();
        let version = format!("{major}.{minor}.{patch}{suffix}");
        VersionData {
            tarball: format!("https://registry.example/a/-/a-{version}.tgz").into(),
            version: version.into(),
            deprecated: deprecated.into(),
            published,
            integrity: integrity.map(Into::into),
            unpacked_size: sizes.map(|(size, _)| u64::from(size)),
            file_count: sizes.map(|(_, count)| count),
            dependencies: borrowed(tables.0),
            optional_dependencies: borrowed(tables.1),
            peer_dependencies: borrowed(tables.2),
            peer_meta: peers.into_iter().map(|(name, optional)| (name.into(), optional)).collect(),
            bundled: lists.iter().cloned().map(Into::into).collect(),
            bundles_all: flags[0],
            engines: borrowed(tables.3),
            os: lists.into_iter().map(Into::into).collect(),
            cpu: Vec::new(),
            libc: vec!["musl".into()],
            bins: vec![("a".into(), "bin/a.js".into())],
            has_install_script: flags[1],
            has_shrinkwrap: flags[2],
            license: flags[0].then(|| "MIT".into()),
            funding_json: flags[1].then(|| "[\"https://example.org\"]".into()),
            extra: flags[2].then(|| ("workspaces".into(), "[\"a\"]".into())).into_iter().collect(),
        }
    }
}

prop_compose! {
    fn packument_data()(
        mut versions in proptest::collection::vec(version_data(), 0..8),
        modified in proptest::option::of(0u64..2_000_000_000_000),
        tags in proptest::collection::vec(("[a-z]{1,6}", "[0-2]\\.[0-2]\\.[0-3]"), 0..3),
    ) -> PackumentData<'static> {
        versions.sort_by(|a, b| a.version.cmp(&b.version));
        versions.dedup_by(|a, b| a.version == b.version);
        PackumentData { name: "@scope/a".into(), modified, dist_tags: borrowed(tags), versions }
    }
}

/// Rebuilds the data from the accessors.
fn read_back(packument: &Packument) -> PackumentData<'_> {
    let owned = |(a, b): (&'_ str, &'_ str)| (a.to_owned().into(), b.to_owned().into());
    let versions = packument.versions().map(|view| VersionData {
        version: view.version_str().into(),
        deprecated: view.deprecated().unwrap_or_default().into(),
        published: view.published(),
        tarball: view.tarball().into(),
        integrity: view.integrity().map(Into::into),
        unpacked_size: view.unpacked_size(),
        file_count: view.file_count(),
        dependencies: view.dependencies().map(owned).collect(),
        optional_dependencies: view.optional_dependencies().map(owned).collect(),
        peer_dependencies: view.peer_dependencies().map(owned).collect(),
        peer_meta: view.peer_meta().map(|(name, optional)| (name.into(), optional)).collect(),
        bundled: view.bundled().map(Into::into).collect(),
        bundles_all: view.bundles_all(),
        engines: view.engines().map(owned).collect(),
        os: view.os().map(Into::into).collect(),
        cpu: view.cpu().map(Into::into).collect(),
        libc: view.libc().map(Into::into).collect(),
        bins: view.bins().map(owned).collect(),
        has_install_script: view.has_install_script(),
        has_shrinkwrap: view.has_shrinkwrap(),
        license: view.license().map(Into::into),
        funding_json: view.funding_json().map(Into::into),
        extra: view.extra().map(owned).collect(),
    });
    PackumentData {
        name: packument.name().into(),
        modified: packument.modified(),
        dist_tags: packument.dist_tags().map(owned).collect(),
        versions: versions.collect(),
    }
}

proptest! {
    #[test]
    fn encoded_contents_are_decoded(data in packument_data()) {
        let packument = decode(data.encode().unwrap()).unwrap();
        let mut read = read_back(&packument);
        let ascending: Vec<_> = packument.versions().map(|view| view.version()).collect();
        prop_assert!(ascending.is_sorted());
        read.versions.sort_by(|a, b| a.version.cmp(&b.version));
        prop_assert_eq!(&read, &data);
    }

    #[test]
    fn every_version_is_found_by_value_and_by_text(data in packument_data()) {
        let packument = decode(data.encode().unwrap()).unwrap();
        for view in packument.versions() {
            prop_assert_eq!(packument.find(&view.version()), Some(view.index()));
            prop_assert_eq!(packument.find_str(view.version_str()), Some(view.index()));
        }
        prop_assert_eq!(packument.find_str("9.9.9"), None);
        prop_assert_eq!(packument.find_str("0.0.0-zzz"), None);
    }

    #[test]
    fn any_altered_byte_is_refused(
        data in packument_data(),
        at in any::<proptest::sample::Index>(),
        flip in 1u8..,
    ) {
        let mut bytes = data.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(decode(bytes).is_err());
    }

    #[test]
    fn any_truncation_is_refused(data in packument_data(), at in any::<proptest::sample::Index>()) {
        let mut bytes = data.encode().unwrap();
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(decode(bytes).is_err());
    }

    #[test]
    fn arbitrary_contents_under_a_right_checksum_never_panic(
        data in packument_data(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = data.encode().unwrap();
        for (at, value) in changes {
            let at = 16 + at.index(bytes.len() - 16);
            bytes[at] = value;
        }
        let checksum = dx_pkg_format::wire::checksum(&bytes[16..]);
        bytes[8..16].copy_from_slice(&checksum.to_le_bytes());
        if let Ok(packument) = decode(bytes) {
            let _ = read_back(&packument);
            for view in packument.versions() {
                let _ = packument.find(&view.version());
            }
        }
    }
}
