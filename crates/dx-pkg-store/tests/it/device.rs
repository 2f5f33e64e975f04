//! A device that is full or read-only.

use dx_pkg_core::Coded;
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_store::Store;
use dx_pkg_testkit::Device;

use crate::{files, identify};

#[test]
fn a_full_device_is_named_and_nothing_half_written_stays() {
    let Some(device) = Device::memory("size=256k") else { return };
    let store = Store::open(&device.path().join("store")).unwrap();
    let (small, _) = identify("small");
    store.insert(small, None, &files("{}")).unwrap();
    // Too large by far, and then by less and less: at last only the record does not fit.
    let (large, _) = identify("large");
    let insert = |size: usize| {
        let data = vec![1; size];
        let files = [FileEntry { path: "a", mode: FileMode::PLAIN, data: &data }];
        store.insert(large, None, &files)
    };
    let mut sizes = [1_000_000].into_iter().chain((200_000..270_000).rev().step_by(2048));
    let mut refused = 0;
    while let Err(error) = insert(sizes.next().unwrap()) {
        assert_eq!(error.code(), "DX_STORE_FULL", "{error}");
        assert!(!store.has(large));
        assert_eq!(std::fs::read_dir(store.tmp_dir().unwrap()).unwrap().count(), 0);
        assert_eq!(store.verify(false).unwrap().damage, []);
        refused += 1;
    }
    assert!(refused > 2 && store.has(large));
    assert!(store.has(small));
    assert_eq!(store.verify(false).unwrap().damage, []);
}

#[test]
fn a_read_only_store_is_named() {
    let Some(device) = Device::memory("size=256k") else { return };
    std::fs::create_dir_all(device.path().join("store/v1")).unwrap();
    device.remount("ro");
    let store = Store::open(&device.path().join("store")).unwrap();
    let (id, _) = identify("a");
    let error = store.insert(id, None, &files("{}")).unwrap_err();
    assert_eq!(error.code(), "DX_STORE_READ_ONLY", "{error}");
    assert!(error.to_string().contains("store/v1"), "{error}");
    assert!(!store.has(id));
    assert_eq!(store.verify(false).unwrap().packages, 0);
}
