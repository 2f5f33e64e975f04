use super::*;

fn sample() -> Lock {
    let package = |path: &str, dependencies: &[(&str, &str)]| LockPackage {
        path: path.into(),
        version: Some("1.0.0".into()),
        dependencies: dependencies
            .iter()
            .map(|(name, spec)| ((*name).into(), (*spec).into()))
            .collect(),
        ..LockPackage::default()
    };
    Lock {
        name: Some("project".into()),
        version: None,
        format_version: 3,
        packages: vec![
            package("", &[("a", "^1"), ("b", "^1")]),
            package("node_modules/a", &[]),
            package("node_modules/b", &[("a", "1")]),
        ],
    }
}

#[test]
fn order_and_information_do_not_matter() {
    let mut other = sample();
    other.packages.reverse();
    other.packages[2].dependencies.reverse();
    other.packages[2].name = Some("renamed".into());
    other.packages[0].license = Some("MIT".into());
    other.packages[0].deprecated = Some("no".into());
    other.format_version = 2;
    assert_eq!(graph_digest(&sample()), graph_digest(&other));
}

#[test]
fn every_graph_field_matters() {
    type Change = fn(&mut LockPackage);
    let changes: &[Change] = &[
        |p| p.path.push('x'),
        |p| p.name = Some("x".into()),
        |p| p.version = Some("1.0.1".into()),
        |p| p.resolved = Some(String::new()),
        |p| p.integrity = Some("sha512-x".into()),
        |p| p.link = true,
        |p| p.dev = true,
        |p| p.optional = true,
        |p| p.dev_optional = true,
        |p| p.peer = true,
        |p| p.in_bundle = true,
        |p| p.has_install_script = true,
        |p| p.bin.push(("x".into(), "x".into())),
        |p| p.os.push("linux".into()),
        |p| p.cpu.push("linux".into()),
        |p| p.libc.push("linux".into()),
        |p| p.dependencies.push(("x".into(), "1".into())),
        |p| p.optional_dependencies.push(("x".into(), "1".into())),
        |p| p.peer_dependencies.push(("x".into(), "1".into())),
        |p| p.peer_dependencies_meta.push(("x".into(), true)),
        |p| p.bundle_dependencies.push("x".into()),
        |p| p.extra.push(("patched".into(), "true".into())),
    ];
    let mut seen = vec![graph_digest(&sample())];
    for (number, change) in changes.iter().enumerate() {
        let mut lock = sample();
        change(&mut lock.packages[1]);
        let digest = graph_digest(&lock);
        assert!(!seen.contains(&digest), "change {number}");
        seen.push(digest);
    }
}
