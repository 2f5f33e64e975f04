use super::*;

fn package(path: &str) -> LockPackage {
    LockPackage { path: path.into(), ..LockPackage::default() }
}

fn lock(paths: &[&str]) -> Lock {
    Lock {
        format_version: 3,
        packages: paths.iter().map(|path| package(path)).collect(),
        ..Lock::default()
    }
}

#[test]
fn nearest_copy_wins_over_hoisted_one() {
    let lock = lock(&[
        "",
        "node_modules/a",
        "node_modules/a/node_modules/b",
        "node_modules/b",
        "node_modules/@s/c",
    ]);
    let found = |from, name| lock.resolve(from, name).map(|package| package.path.as_str());
    assert_eq!(found("node_modules/a", "b"), Some("node_modules/a/node_modules/b"));
    assert_eq!(found("node_modules/a/node_modules/b", "b"), Some("node_modules/a/node_modules/b"));
    assert_eq!(found("node_modules/@s/c", "b"), Some("node_modules/b"));
    assert_eq!(found("", "b"), Some("node_modules/b"));
    assert_eq!(found("", "missing"), None);
}

#[test]
fn link_is_resolved_from_its_target() {
    let mut lock =
        lock(&["", "node_modules/w", "packages/w", "packages/w/node_modules/b", "node_modules/b"]);
    lock.packages[1].link = true;
    lock.packages[1].resolved = Some("packages/w".into());
    assert_eq!(lock.resolve("node_modules/w", "b").unwrap().path, "packages/w/node_modules/b");
    assert_eq!(lock.resolve("packages/w", "w").unwrap().path, "node_modules/w");
}

#[test]
fn name_comes_from_the_path_unless_explicit() {
    assert_eq!(name_of_path("node_modules/a/node_modules/@b/c"), "@b/c");
    assert_eq!(name_of_path("packages/app"), "app");
    assert_eq!(name_of_path("packages/@s/app"), "@s/app");
    assert_eq!(name_of_path("@s/app"), "@s/app");
    assert_eq!(name_of_path("@s"), "@s");
    assert_eq!(name_of_path("@s/packages/app"), "app");
    assert_eq!(name_of_path("my_node_modules/app"), "app");
    assert_eq!(name_of_path(""), "");
    let alias = LockPackage { name: Some("real".into()), ..package("node_modules/alias") };
    assert_eq!(alias.package_name(), "real");
}

#[test]
fn linked_folders_in_a_node_modules_are_told_from_packages() {
    let link = |target: &str, number: usize| LockPackage {
        link: true,
        resolved: Some(target.into()),
        ..package(&format!("node_modules/link{number}"))
    };
    let mut lock = lock(&[
        "",
        "../node_modules/a",
        "../out",
        "../out/node_modules/held",
        "node_modules/p",
        "node_modules/p/lib/q",
        "packages/w",
        "vendor/node_modules/@s/b",
    ]);
    assert!(lock.folders_in_modules().is_empty(), "nothing is linked");
    let targets: Vec<String> =
        lock.packages.iter().skip(1).map(|entry| entry.path.clone()).collect();
    lock.packages.extend(targets.iter().enumerate().map(|(number, path)| link(path, number)));
    let mut found: Vec<&str> = lock.folders_in_modules().into_iter().collect();
    found.sort_unstable();
    assert_eq!(found, ["../node_modules/a", "node_modules/p/lib/q", "vendor/node_modules/@s/b"]);
}

#[test]
fn links_out_of_the_project_are_marked() {
    let inside = LockPackage {
        link: true,
        resolved: Some("packages/w".into()),
        ..package("node_modules/w")
    };
    let outside =
        LockPackage { link: true, resolved: Some("../w".into()), ..package("node_modules/w") };
    let tarball = LockPackage { resolved: Some("../w".into()), ..package("node_modules/w") };
    assert!(!inside.is_outside());
    assert!(outside.is_outside());
    assert!(!tarball.is_outside());
    assert!(package("../w/node_modules/x").is_outside());
    assert!(!package("..w").is_outside());
}

#[test]
fn normalise_puts_the_project_first_and_follows_npms_order() {
    let mut lock = lock(&[
        "node_modules/Base",
        "node_modules/a",
        "node_modules/@x/y",
        "",
        "node_modules/a/node_modules/b",
    ]);
    lock.packages[0].dependencies = vec![("b".into(), "1".into()), ("A".into(), "1".into())];
    lock.normalise();
    let paths: Vec<_> = lock.packages.iter().map(|package| package.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "",
            "node_modules/@x/y",
            "node_modules/a",
            "node_modules/a/node_modules/b",
            "node_modules/Base"
        ]
    );
    assert_eq!(lock.packages[4].dependencies[0].0, "A");
}

#[test]
fn bundled_entries_lie_in_the_tarball_of_the_package_that_is_no_entry_of_a_bundle() {
    let mut lock = lock(&[
        "",
        "node_modules/a",
        "node_modules/a/node_modules/b",
        "node_modules/a/node_modules/b/node_modules/c",
        "node_modules/own",
        "node_modules/own/node_modules/d",
        "node_modules/own/node_modules/e",
        "w/node_modules/f",
    ]);
    for package in &mut lock.packages {
        package.in_bundle = !package.path.is_empty() && package.path != "node_modules/a";
        if package.path == "node_modules/own" {
            package.bundle_dependencies.push("e".to_owned());
        }
        if package.path.ends_with('d') || package.path.ends_with('b') {
            package.integrity = Some("sha512-x".to_owned());
        }
    }
    let bundled = lock.bundled();
    for (path, bundler) in [
        ("node_modules/a", None),
        ("node_modules/a/node_modules/b", Some("node_modules/a")),
        ("node_modules/a/node_modules/b/node_modules/c", Some("node_modules/a")),
        ("node_modules/own", None),
        ("node_modules/own/node_modules/d", None),
        ("node_modules/own/node_modules/e", Some("node_modules/own")),
        ("w/node_modules/f", None),
    ] {
        assert_eq!(bundled.bundler(path), bundler, "{path}");
    }
    assert_eq!(bundled.doubtful().into_iter().collect::<Vec<_>>(), ["node_modules/a"]);
}
