//! Any bytes as a DXP file: refused, or read without a panic, also when every checksum is right.

use dx_pkg_format::{dxp, wire};

pub(crate) fn run(data: &[u8]) {
    decode(data);
    let payload = usize::try_from(wire::u64_at(data, 32)).unwrap_or(usize::MAX);
    let mut repaired = data.to_vec();
    if let Some(checksum) = data.get(16..payload).map(wire::checksum) {
        repaired[8..16].copy_from_slice(&checksum.to_le_bytes());
        decode(&repaired);
    }
}

fn decode(data: &[u8]) {
    let Ok(dxp) = dxp::decode(data) else { return };
    let sound = dxp.verify().is_ok();
    for entry in dxp.entries() {
        assert!(dxp::is_safe_path(entry.path));
        let found = dxp.find(entry.path);
        let contents = dxp.read(&entry);
        if sound {
            assert_eq!(found, Some(entry));
            assert_eq!(contents.unwrap().len() as u64, entry.size);
        }
    }
    assert_eq!(dxp.entries().len(), dxp.len());
    assert!(dxp.find("no/such/file").is_none_or(|entry| entry.path == "no/such/file"));
    let _ = (dxp.integrity(), dxp.content_root());
}
