use dx_pkg_core::PackageId;

use crate::layout::EntryName;
use crate::{Folder, Store};

#[test]
fn a_recorded_license_is_found_under_its_package() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (mine, other) = (PackageId::from_bytes([7; 32]), PackageId::from_bytes([8; 32]));
    assert_eq!(store.license(mine), None);
    let path = store.folder(Folder::Packages).join(EntryName::of_package(mine, ".license"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, "MIT").unwrap();
    assert_eq!(store.license(mine).as_deref(), Some("MIT"));
    assert_eq!(store.license(other), None);
    assert_eq!(Store::open(folder.path()).unwrap().license(mine).as_deref(), Some("MIT"));
}
