use super::*;

fn entry(path: &str, dependencies: &[&str]) -> LockPackage {
    let dependencies = dependencies.iter().map(|name| ((*name).to_owned(), "*".to_owned()));
    LockPackage {
        path: path.to_owned(),
        dependencies: dependencies.collect(),
        ..LockPackage::default()
    }
}

fn link(path: &str, target: &str) -> LockPackage {
    LockPackage { link: true, resolved: Some(target.to_owned()), ..entry(path, &[]) }
}

/// Returns the new paths with those in the lockfile.
fn placed(packages: Vec<LockPackage>) -> Result<Vec<(String, String)>, String> {
    let lock = Lock { packages, ..Lock::default() };
    let target = |folder: &str| match folder {
        "packages/a" => String::new(),
        other => format!(".workspaces/{other}"),
    };
    let placed = place(&lock, "packages/a", false, &target)?;
    Ok(placed.into_iter().map(|one| (one.path, one.old)).collect())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(path, old)| ((*path).to_owned(), (*old).to_owned())).collect()
}

#[test]
fn what_a_workspace_has_below_it_comes_to_the_top() {
    let found = placed(vec![
        entry("", &[]),
        entry("packages/a", &["one", "two"]),
        // `two` finds another `one` than the workspace does.
        entry("node_modules/one", &[]),
        entry("node_modules/two", &["one"]),
        entry("packages/a/node_modules/one", &["three"]),
        entry("node_modules/three", &[]),
        entry("node_modules/unneeded", &[]),
    ]);
    let expected = pairs(&[
        ("", "packages/a"),
        ("node_modules/one", "packages/a/node_modules/one"),
        ("node_modules/two", "node_modules/two"),
        ("node_modules/three", "node_modules/three"),
        ("node_modules/two/node_modules/one", "node_modules/one"),
    ]);
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn other_workspaces_are_copied_with_links_to_them() {
    let found = placed(vec![
        entry("", &[]),
        entry("packages/a", &["b", "one"]),
        entry("packages/b", &["one", "a"]),
        link("node_modules/a", "packages/a"),
        link("node_modules/b", "packages/b"),
        entry("node_modules/one", &[]),
        entry("packages/b/node_modules/one", &[]),
    ]);
    let expected = pairs(&[
        ("", "packages/a"),
        ("node_modules/b", "node_modules/b"),
        (".workspaces/packages/b", "packages/b"),
        ("node_modules/one", "node_modules/one"),
        (".workspaces/packages/b/node_modules/one", "packages/b/node_modules/one"),
        ("node_modules/a", "node_modules/a"),
    ]);
    assert_eq!(found.unwrap(), expected);
}

#[test]
fn nothing_is_put_between_a_package_and_what_it_finds() {
    // `deep` below `one` must not get a `two` between `one` and the top that `one` itself uses.
    let found = placed(vec![
        entry("packages/a", &["two", "one"]),
        entry("node_modules/two", &[]),
        entry("node_modules/one", &["two", "deep"]),
        entry("node_modules/deep", &["two"]),
        entry("node_modules/deep/node_modules/two", &[]),
        entry("packages/a/node_modules/deep", &[]),
    ])
    .unwrap();
    let place = |old: &str| found.iter().find(|(_, known)| known == old).unwrap().0.clone();
    assert_eq!(place("node_modules/two"), "node_modules/two");
    assert_eq!(place("node_modules/deep/node_modules/two"), "node_modules/deep/node_modules/two");
}

#[test]
fn a_lockfile_that_lacks_something_is_refused() {
    assert!(placed(vec![entry("packages/a", &["gone"])]).is_err());
    assert!(placed(vec![entry("", &[])]).is_err());
}
