use super::super::encode;
use super::*;
use crate::{Lock, LockPackage};

fn entry(path: &str, name: Option<&str>, dependencies: &[&str], peers: &[&str]) -> LockPackage {
    let pairs =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect();
    LockPackage {
        path: path.into(),
        name: name.map(str::to_owned),
        dependencies: pairs(dependencies),
        peer_dependencies: pairs(peers),
        ..LockPackage::default()
    }
}

#[test]
fn packages_are_found_by_name_and_by_dependency() {
    let packages = vec![
        entry("", Some("project"), &["a", "other"], &[]),
        entry("node_modules/a", None, &["b"], &["c"]),
        entry("node_modules/a/node_modules/b", None, &[], &[]),
        entry("node_modules/b", None, &[], &["a"]),
        entry("node_modules/other", Some("b"), &["b"], &[]),
    ];
    let bytes = encode(&Lock { packages, ..Lock::default() }, [0; 32]);
    let dependents = NameIndex::new(&DxlView::open(&bytes).unwrap());
    assert_eq!(dependents.packages_named("a"), [1]);
    assert_eq!(dependents.packages_named("b"), [2, 3]);
    assert_eq!(dependents.packages_named("other"), [4]);
    assert_eq!(dependents.packages_named("c"), [0_u32; 0]);
    assert_eq!(dependents.dependents_of("a"), [0, 3]);
    assert_eq!(dependents.dependents_of("b"), [1, 4]);
    assert_eq!(dependents.dependents_of("c"), [1]);
    assert_eq!(dependents.dependents_of("nobody"), [0_u32; 0]);
    let mut names: Vec<&str> = dependents.names().collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c", "other"]);
}
