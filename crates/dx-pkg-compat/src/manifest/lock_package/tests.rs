use super::*;

#[test]
fn record_holds_what_the_lockfile_stores() {
    let manifest = Manifest::parse(
        r#"{
            "name": "app", "version": "1.2.3", "license": {"type": "MIT"}, "funding": "https://f.example",
            "engines": {"node": ">=20"}, "workspaces": ["packages/*"], "bin": "cli.js",
            "os": "linux", "cpu": ["x64"], "libc": "glibc", "scripts": {"install": "make"},
            "dependencies": {"a": "^1"}, "devDependencies": {"b": "2"},
            "optionalDependencies": {"c": "3"}, "peerDependencies": {"d": "4"},
            "peerDependenciesMeta": {"d": {"optional": true}}, "bundleDependencies": ["a"]
        }"#,
    );
    let pair = |name: &str, spec: &str| vec![(name.to_owned(), spec.to_owned())];
    let expected = LockPackage {
        name: Some("app".to_owned()),
        version: Some("1.2.3".to_owned()),
        license: Some("MIT".to_owned()),
        engines: Some(r#"{"node":">=20"}"#.to_owned()),
        funding: Some(r#"{"url":"https://f.example"}"#.to_owned()),
        workspaces: Some(r#"["packages/*"]"#.to_owned()),
        bin: pair("app", "cli.js"),
        os: vec!["linux".to_owned()],
        extra: pair("os", r#""linux""#).into_iter().chain(pair("libc", r#""glibc""#)).collect(),
        cpu: vec!["x64".to_owned()],
        libc: vec!["glibc".to_owned()],
        has_install_script: true,
        dependencies: pair("a", "^1"),
        dev_dependencies: pair("b", "2"),
        optional_dependencies: pair("c", "3"),
        peer_dependencies: pair("d", "4"),
        peer_dependencies_meta: vec![("d".to_owned(), true)],
        bundle_dependencies: vec!["a".to_owned()],
        ..LockPackage::default()
    };
    assert_eq!(manifest.unwrap().to_lock_package(), expected);
}

#[test]
fn empty_values_are_left_out() {
    for empty in [r#""""#, "[]", "{}", "null", "false"] {
        let text = format!(r#"{{"engines": {empty}, "workspaces": {empty}}}"#);
        let record = Manifest::parse(&text).unwrap().to_lock_package();
        assert_eq!(record, LockPackage::default(), "{empty}");
    }
}
