//! Any bytes as a binary packument: refused, or read without a panic, also when the checksum is
//! right.

use std::sync::Arc;

use dx_pkg_format::packument::Packument;
use dx_pkg_format::wire;

pub(crate) fn run(data: &[u8]) {
    decode(data.to_vec());
    let mut repaired = data.to_vec();
    if let Some(checksum) = data.get(16..).map(wire::checksum) {
        repaired[8..16].copy_from_slice(&checksum.to_le_bytes());
        decode(repaired);
    }
}

fn decode(data: Vec<u8>) {
    let Ok(packument) = Packument::decode(Arc::new(data)) else {
        return;
    };
    let _ = (packument.name(), packument.modified(), packument.len());
    for (tag, _) in packument.dist_tags() {
        if let Some(index) = packument.tag(tag) {
            assert_eq!(packument.version(index).index(), index);
            assert!((index.0 as usize) < packument.len());
        }
    }
    for view in packument.versions() {
        let _ = (view.version(), view.prerelease(), view.deprecated(), view.published());
        let _ = (view.tarball(), view.integrity(), view.unpacked_size(), view.file_count());
        let _ = (view.license(), view.funding_json(), view.engines_node(), view.bundles_all());
        let pairs = [
            view.dependencies(),
            view.optional_dependencies(),
            view.peer_dependencies(),
            view.engines(),
            view.bins(),
            view.extra(),
        ];
        for pairs in pairs {
            assert_eq!(pairs.len(), pairs.count());
        }
        for texts in [view.bundled(), view.os(), view.cpu(), view.libc()] {
            assert_eq!(texts.len(), texts.count());
        }
        let _ = view.peer_meta().filter(|(name, _)| view.peer_optional(name)).count();
        let _ = (packument.find(&view.version()), packument.find_str(view.version_str()));
    }
}
