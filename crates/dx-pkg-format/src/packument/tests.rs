use std::sync::Arc;

use super::*;

fn data<'a>(versions: &[&'a str]) -> PackumentData<'a> {
    PackumentData {
        name: "a".into(),
        versions: versions
            .iter()
            .map(|version| VersionData { version: (*version).into(), ..VersionData::default() })
            .collect(),
        ..PackumentData::default()
    }
}

fn decode(data: &PackumentData<'_>) -> Packument {
    Packument::decode(Arc::new(data.encode().unwrap())).unwrap()
}

fn order(packument: &Packument) -> Vec<&str> {
    packument.versions().map(VersionView::version_str).collect()
}

#[test]
fn versions_ascend_by_semver_not_by_text() {
    let packument = decode(&data(&["10.0.0", "9.0.0", "1.0.0", "1.0.0-rc.10", "1.0.0-rc.9"]));
    assert_eq!(order(&packument), ["1.0.0-rc.9", "1.0.0-rc.10", "1.0.0", "9.0.0", "10.0.0"]);
}

#[test]
fn versions_that_are_not_semver_are_left_out() {
    let packument = decode(&data(&["1.0.0", "latest", ""]));
    assert_eq!(order(&packument), ["1.0.0"]);
}

#[test]
fn a_repeated_version_is_kept_once() {
    let mut data = data(&["1.0.0", "1.0.0"]);
    data.versions[0].tarball = "first".into();
    let packument = decode(&data);
    assert_eq!(packument.len(), 1);
    assert_eq!(packument.version(VersionIndex(0)).tarball(), "first");
}

#[test]
fn versions_that_differ_in_build_only_are_found_by_their_text() {
    let packument = decode(&data(&["1.0.0+b", "1.0.0+a", "1.0.0", "0.9.0", "1.0.1"]));
    for text in ["1.0.0+b", "1.0.0+a", "1.0.0"] {
        let index = packument.find_str(text).unwrap();
        assert_eq!(packument.version(index).version_str(), text);
    }
    assert_eq!(packument.find_str("1.0.0+c"), None);
}

#[test]
fn a_prerelease_is_not_found_as_its_release() {
    let packument = decode(&data(&["1.0.0-rc.1", "2.0.0"]));
    assert_eq!(packument.find_str("1.0.0"), None);
    assert_eq!(packument.find_str("2.0.0-rc.1"), None);
    assert_eq!(packument.find_str("1.0.0-rc.1"), Some(VersionIndex(0)));
}

#[test]
fn a_tag_without_its_version_is_listed_but_leads_nowhere() {
    let mut data = data(&["1.0.0"]);
    data.dist_tags = vec![("latest".into(), "1.0.0".into()), ("gone".into(), "3.0.0".into())];
    let packument = decode(&data);
    assert_eq!(packument.dist_tags().collect::<Vec<_>>(), [("latest", "1.0.0"), ("gone", "3.0.0")]);
    assert_eq!(packument.tag("latest"), Some(VersionIndex(0)));
    assert_eq!(packument.tag("gone"), None);
    assert_eq!(packument.tag("other"), None);
}

#[test]
fn a_packument_without_versions_is_empty() {
    let packument = decode(&data(&[]));
    assert!(packument.is_empty());
    assert_eq!(packument.find_str("1.0.0"), None);
    assert_eq!(packument.modified(), None);
}

#[test]
fn the_prerelease_and_engine_need_no_parsing() {
    let mut data = data(&["1.0.0-beta.2"]);
    data.versions[0].engines = vec![("npm".into(), ">=9".into()), ("node".into(), ">=20".into())];
    let packument = decode(&data);
    let view = packument.version(VersionIndex(0));
    assert_eq!(view.prerelease(), "beta.2");
    assert_eq!(view.numbers(), (1, 0, 0));
    assert_eq!(view.engines_node(), Some(">=20"));
    assert_eq!(view.engines().value_of("npm"), Some(">=9"));
}

#[test]
fn a_peer_is_optional_only_when_its_meta_says_so() {
    let mut data = data(&["1.0.0"]);
    data.versions[0].peer_meta = vec![("a".into(), true), ("b".into(), false)];
    let packument = decode(&data);
    let view = packument.version(VersionIndex(0));
    assert!(view.peer_optional("a"));
    assert!(!view.peer_optional("b"));
    assert!(!view.peer_optional("c"));
}

#[test]
fn equal_manifests_share_their_lists() {
    let mut few = data(&["1.0.0"]);
    let mut many = data(&["1.0.0", "1.0.1", "1.0.2", "1.0.3"]);
    let dependencies: Vec<_> =
        (0..50).map(|n| (format!("dependency-{n}").into(), "^1.0.0".into())).collect();
    for version in few.versions.iter_mut().chain(&mut many.versions) {
        version.dependencies = dependencies.clone();
    }
    let added = many.encode().unwrap().len() - few.encode().unwrap().len();
    assert!(added < 3 * 160, "three more versions took {added} bytes");
}

#[test]
fn another_signature_or_version_is_named() {
    let mut bytes = data(&["1.0.0"]).encode().unwrap();
    bytes[4] = 3;
    let error = Packument::decode(Arc::new(bytes.clone())).unwrap_err();
    assert_eq!(error, FormatError::Version { format: "DXM", found: 3, supported: 2 });
    bytes[0] = b'X';
    let error = Packument::decode(Arc::new(bytes)).unwrap_err();
    assert_eq!(error, FormatError::Signature { format: "DXM" });
}
