use std::fs;

use dx_pkg_lock::LockPackage;

use super::agrees;
use crate::NoEvents;

#[test]
fn a_manifest_that_cannot_be_read_is_an_error_and_another_one_does_not_agree() {
    let root = tempfile::tempdir().unwrap();
    let package = LockPackage {
        path: "node_modules/a".to_owned(),
        version: Some("1.0.0".to_owned()),
        ..LockPackage::default()
    };
    let agrees = || agrees(&package, root.path(), &NoEvents);
    let manifest = root.path().join("node_modules/a/package.json");
    assert!(!agrees().unwrap(), "there is none");
    fs::create_dir_all(&manifest).unwrap();
    assert!(agrees().is_err());
    fs::remove_dir(&manifest).unwrap();
    for (text, expected) in [
        (r#"{"name":"a","version":"v1.0.0"}"#, true),
        (r#"{"name":"a","version":"1.0.1"}"#, false),
        (r#"{"name":"b","version":"1.0.0"}"#, false),
    ] {
        fs::write(&manifest, text).unwrap();
        assert_eq!(agrees().unwrap(), expected, "{text}");
    }
}
