//! Any bytes as a packument in a file of its own, as an index of packuments, and as the table of
//! packages' fields: missing, or read without a panic, also when the checksum is right.

use std::fs;

use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_format::wire;
use dx_pkg_store::Folder;
use dx_pkg_store::metadata::Form;

use crate::scratch;

/// The position of the checksum.
const CHECKSUM: std::ops::Range<usize> = 8..16;
/// The length of the header of a packument without its texts; it ends with the lengths of those.
const FIXED: usize = 56;
const REGISTRY: &str = "registry";

pub(crate) fn run(data: &[u8]) {
    let files = [("registry/a-a.dxm", header(data)), ("registry/index.dxi", data.len())];
    for (file, covered) in files.into_iter().chain([("packages.dxn", data.len())]) {
        check(file, data);
        if let Some(checked) = data.get(CHECKSUM.end..covered) {
            let mut repaired = data.to_vec();
            repaired[CHECKSUM].copy_from_slice(&wire::checksum(checked).to_le_bytes());
            check(file, &repaired);
        }
    }
}

/// Returns how many bytes the header of a packument has, by the lengths in it.
fn header(data: &[u8]) -> usize {
    let text = |at| match wire::u32_at(data, at) {
        u32::MAX => 0,
        length => length as usize,
    };
    (FIXED + text(48) + text(52)).next_multiple_of(8)
}

fn check(file: &str, data: &[u8]) {
    let folder = scratch::store().folder(Folder::Metadata);
    fs::create_dir_all(folder.join(REGISTRY)).expect("a folder can be made");
    fs::write(folder.join(file), data).expect("a file can be written");
    // Each process sees the cache as it was when it was opened.
    let store = scratch::opened_again();
    let name = PackageName::parse("a").expect("a name");
    for form in [Form::Abbreviated, Form::Full] {
        let _ = store.metadata(REGISTRY, &name, form);
        let sources = store.metadata_sources(REGISTRY, &name);
        assert!(store.metadata_is_unchanged(&sources, u64::MAX));
    }
    let _ = (store.known_packages(), store.package_fields().get(PackageId::from_bytes([7; 32])));
    fs::remove_file(folder.join(file)).expect("a file can be removed");
}
