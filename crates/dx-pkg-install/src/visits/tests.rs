//! Paths and what they visit.

use std::fs;
use std::path::Path;

use dx_pkg_lock::{Lock, LockPackage, dxl};
#[cfg(unix)]
use dx_pkg_os::files::{Identity, identity};
use tempfile::TempDir;

#[cfg(unix)]
use super::{LONGEST, RESERVE, others_are_there};
use super::{Visit, end, holder, recorded, shared, visiting};

/// Creates the folders, and returns them with the record of their packages.
fn tree(paths: &[String]) -> (TempDir, Vec<u8>) {
    let root = TempDir::new().unwrap();
    for path in paths {
        fs::create_dir_all(root.path().join(path)).unwrap();
    }
    fs::create_dir_all(root.path().join("node_modules/.bin")).unwrap();
    let package = |path: &String| LockPackage { path: path.clone(), ..LockPackage::default() };
    let mut lock = Lock { packages: paths.iter().map(package).collect(), ..Lock::default() };
    lock.normalise();
    let record = dxl::encode(&lock, [0; 32]);
    (root, record)
}

/// Returns the paths of visits; each ends where it says.
fn paths(visits: Vec<Visit>) -> Vec<String> {
    let paths = visits.into_iter().map(|Visit { path, end: place }| {
        assert_eq!(end(Path::new(&path)), Path::new(&place));
        path
    });
    paths.collect()
}

#[cfg(unix)]
fn identities(root: &TempDir, visits: &[Visit]) -> Vec<Option<Identity>> {
    let found = visits.iter().map(|visit| identity(&root.path().join(&visit.path)).unwrap());
    found.collect()
}

#[test]
fn the_path_visits_everything_below_the_top_level() {
    let visits =
        visiting("node_modules", &["@a/b", "@a/c", "d/node_modules/e"], &["", ".bin"], 4000);
    assert_eq!(
        paths(visits),
        ["node_modules/@a/b/../c/../../d/node_modules/e/../../..", "node_modules/.bin"]
    );
}

#[test]
fn paths_share_whole_segments() {
    for (a, b, expected) in [
        ("", "@a/b", 0),
        ("@a/b", "@a/c", 2),
        ("@a/b", "@a/bc", 2),
        ("@a/b", "@a/b/node_modules/c", 4),
        ("@a/b/node_modules/c", "@a/b", 4),
        ("@a/b", "@ab/c", 0),
        ("é/a", "è/a", 0),
    ] {
        assert_eq!(shared(a, b), expected, "{a} {b}");
    }
}

#[test]
fn packages_are_nested_in_others() {
    for (inner, expected) in [
        ("a", None),
        ("@a/b", None),
        ("a/node_modules/b", Some("a")),
        ("a/node_modules/@b/c", Some("a")),
        ("@a/b/node_modules/c", Some("@a/b")),
        ("@a/b/node_modules/@c/d/node_modules/@e/f", Some("@a/b/node_modules/@c/d")),
    ] {
        assert_eq!(holder(inner), expected, "{inner}");
    }
}

#[test]
fn folders_with_most_packages_are_not_visited_but_looked_at() {
    let inner = ["@a/b", "@b/c", "@b/d", "@b/e", "e/node_modules/f", "e/node_modules/g", "e"];
    let (root, record) = tree(&inner.map(|path| format!("node_modules/{path}")));
    let visits = recorded(root.path(), &dxl::DxlView::open(&record).unwrap());
    assert_eq!(
        paths(visits),
        ["node_modules", "node_modules/@b", "node_modules/e/node_modules", "node_modules/@a"]
    );
}

#[cfg(unix)]
#[cfg(unix)]
#[test]
fn a_missing_folder_anywhere_is_noticed() {
    let packages = ["@a/b", "@a/c", "d", "d/node_modules/e", "d/node_modules/@a/b", "f"]
        .map(str::to_owned)
        .into_iter()
        // These scopes are larger, so that the folders above are visited.
        .chain((0..4).flat_map(|scope| (0..3).map(move |n| format!("@scope-{scope}/package-{n}"))));
    let packages: Vec<String> = packages.map(|path| format!("node_modules/{path}")).collect();
    for gone in [
        "@a",
        "@a/c",
        "d/node_modules",
        "d/node_modules/e",
        "d/node_modules/@a/b",
        "@scope-0/package-1",
        "@scope-3",
    ] {
        let (root, record) = tree(&packages);
        let visits = recorded(root.path(), &dxl::DxlView::open(&record).unwrap());
        let before = identities(&root, &visits);
        assert!(before.iter().all(Option::is_some), "{visits:?}");
        fs::remove_dir_all(root.path().join("node_modules").join(gone)).unwrap();
        assert_ne!(identities(&root, &visits), before, "{gone}: {visits:?}");
    }
}

#[cfg(unix)]
#[cfg(unix)]
#[test]
fn a_large_tree_has_a_bounded_number_of_paths_and_the_rest_is_looked_at_by_installs() {
    let packages: Vec<String> =
        (0..4000).map(|n| format!("node_modules/@scope-{:02}/package-{n}", n % 60)).collect();
    let (root, record) = tree(&packages);
    let view = dxl::DxlView::open(&record).unwrap();
    let visits = recorded(root.path(), &view);
    assert_eq!(visits.len(), 5);
    let longest = visits.iter().map(|visit| visit.path.len()).max().unwrap();
    assert!(longest + root.path().as_os_str().len() + RESERVE <= LONGEST, "{longest}");
    let before = identities(&root, &visits);
    assert!(before.iter().all(Option::is_some), "{visits:?}");
    assert!(others_are_there(root.path(), &view));
    fs::remove_dir(root.path().join("node_modules/@scope-59/package-3959")).unwrap();
    assert_eq!(identities(&root, &visits), before, "it is among those that do not fit");
    assert!(!others_are_there(root.path(), &view));
}

#[test]
fn nothing_is_visited_where_paths_are_too_long_for_the_system() {
    let visits = visiting("node_modules", &["@a/b"], &["", ".bin"], 10);
    assert_eq!(paths(visits), ["node_modules", "node_modules/.bin"]);
}
