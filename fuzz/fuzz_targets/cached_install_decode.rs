//! Any bytes as a cached install: refused, or read so that it is written again the same, also
//! when the checksum is right.

use dx_pkg_format::wire;
use dx_pkg_install::maintenance::CachedInstall;

pub(crate) fn run(data: &[u8]) {
    check(data);
    let mut repaired = data.to_vec();
    if let Some(checksum) = data.get(16..).map(wire::checksum) {
        repaired[8..16].copy_from_slice(&checksum.to_le_bytes());
        check(&repaired);
    }
}

fn check(data: &[u8]) {
    if let Some(found) = CachedInstall::decode(data) {
        assert_eq!(CachedInstall::decode(&found.encode()), Some(found));
    }
}
