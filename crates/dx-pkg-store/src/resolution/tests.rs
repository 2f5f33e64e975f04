use crate::Store;

#[test]
fn a_resolution_is_found_under_its_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(store.resolution([1; 32]).is_none());
    store.put_resolution([1; 32], b"graph").unwrap();
    assert_eq!(&*store.resolution([1; 32]).unwrap(), b"graph");
    assert!(store.resolution([2; 32]).is_none());
}
