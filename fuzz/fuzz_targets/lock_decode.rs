//! Any bytes as a DXL file: refused, or readable throughout. Compiled lockfiles, the records of
//! trees and those of prepared trees are such files.

use dx_pkg_lock::dxl::{DxlView, encode};

/// The position of the checksum; it covers the bytes after it.
const CHECKSUM: std::ops::Range<usize> = 8..16;

pub(crate) fn run(data: &[u8]) {
    check(data);
    // Past the checksum, which chance does not meet.
    let mut sealed = data.to_vec();
    if sealed.len() > CHECKSUM.end {
        let sum = dx_pkg_format::wire::checksum(&sealed[CHECKSUM.end..]);
        sealed[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        check(&sealed);
    }
}

fn check(data: &[u8]) {
    let Ok(view) = DxlView::open(data) else { return };
    let lock = view.to_lock();
    for package in &lock.packages {
        let _ = view.get(&package.path);
    }
    let again = encode(&lock, view.source_digest());
    let mut expected = lock;
    expected.packages.sort_by(|a, b| {
        dx_pkg_lock::locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path))
    });
    assert_eq!(DxlView::open(&again).map(|view| view.to_lock()), Ok(expected));
}
