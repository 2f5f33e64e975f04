//! Paths and what they visit.

use std::fs;

use dx_pkg_lock::{Lock, LockPackage, dxl};
use tempfile::TempDir;

use super::{LONGEST, RESERVE, others_are_there, recorded, visiting};

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

fn lead_somewhere(root: &TempDir, paths: &[String]) -> bool {
    paths.iter().all(|path| root.path().join(path).exists())
}

#[test]
fn the_path_visits_everything_below_the_top_level() {
    let paths = visiting(
        "node_modules",
        &["@a/b".into(), "@a/c".into(), "d/node_modules/e".into()],
        &["", ".bin"],
        4000,
    );
    assert_eq!(
        paths,
        ["node_modules/@a/b/../c/../../d/node_modules/e/../../..", "node_modules/.bin"]
    );
}

#[cfg(unix)]
#[test]
fn a_missing_folder_anywhere_leads_nowhere() {
    let packages = ["@a/b", "@a/c", "d", "d/node_modules/e", "d/node_modules/@a/b", "f"];
    let packages: Vec<String> =
        packages.iter().map(|path| format!("node_modules/{path}")).collect();
    for gone in ["@a", "@a/c", "d/node_modules", "d/node_modules/e", "d/node_modules/@a/b"] {
        let (root, record) = tree(&packages);
        let paths = recorded(root.path(), &dxl::DxlView::open(&record).unwrap());
        assert!(lead_somewhere(&root, &paths), "{paths:?}");
        fs::remove_dir_all(root.path().join("node_modules").join(gone)).unwrap();
        assert!(!lead_somewhere(&root, &paths), "{gone}: {paths:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_large_tree_has_a_bounded_number_of_paths_and_the_rest_is_looked_at_by_installs() {
    let packages: Vec<String> =
        (0..4000).map(|n| format!("node_modules/@scope-{:02}/package-{n}", n % 60)).collect();
    let (root, record) = tree(&packages);
    let view = dxl::DxlView::open(&record).unwrap();
    let paths = recorded(root.path(), &view);
    assert_eq!(paths.len(), 5);
    let longest = paths.iter().map(String::len).max().unwrap();
    assert!(longest + root.path().as_os_str().len() + RESERVE <= LONGEST, "{longest}");
    assert!(lead_somewhere(&root, &paths));
    assert!(others_are_there(root.path(), &view));
    fs::remove_dir(root.path().join("node_modules/@scope-59/package-3959")).unwrap();
    assert!(lead_somewhere(&root, &paths), "it is among those that do not fit");
    assert!(!others_are_there(root.path(), &view));
}

#[test]
fn nothing_is_visited_where_paths_are_too_long_for_the_system() {
    let paths = visiting("node_modules", &["@a/b".into()], &["", ".bin"], 10);
    assert_eq!(paths, ["node_modules", "node_modules/.bin"]);
}
