//! See also `expanded/tests.rs`.

use crate::Store;

#[test]
fn a_store_without_packages_has_nothing_to_take_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.drop_second_copies(&mut || true).unwrap(), 0);
}
