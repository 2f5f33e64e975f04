use dx_pkg_core::PackageName;

use crate::Store;
use crate::metadata::{Form, MetadataRecord};

#[test]
fn a_resolution_is_found_under_its_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.resolution([1; 32]).is_none());
    store.put_resolution([1; 32], b"graph").unwrap();
    assert_eq!(&*store.resolution([1; 32]).unwrap(), b"graph");
    assert!(store.resolution([2; 32]).is_none());
}

#[test]
fn metadata_that_was_written_again_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let name = PackageName::parse("a").unwrap();
    let put = |bytes: &[u8]| {
        let record = MetadataRecord {
            packument: bytes,
            form: Form::Abbreviated,
            etag: None,
            last_modified: None,
            fetched_ms: 1,
            fresh_until_ms: 2,
            stale_until_ms: 2,
            credential: 0,
        };
        store.put_metadata("http://registry.example/", &name, &record).unwrap();
    };
    assert!(store.metadata_files("http://registry.example/", &name).is_empty());
    put(b"one");
    let files = store.metadata_files("http://registry.example/", &name);
    assert_eq!(files.len(), 1);
    assert!(store.metadata_is_unchanged(&files[0].0, &files[0].1));
    put(b"two");
    assert!(!store.metadata_is_unchanged(&files[0].0, &files[0].1));
}
