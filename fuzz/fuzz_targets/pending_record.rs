//! Any bytes as a record of pending packages: removed, or read without a panic, also when the
//! checksum is right. A record leads to no file outside the store.

use std::fs;

use dx_pkg_format::wire;
use dx_pkg_store::Folder;

use crate::scratch;

pub(crate) fn run(data: &[u8]) {
    check(data);
    let mut repaired = data.to_vec();
    if let Some(checksum) = data.get(16..).map(wire::checksum) {
        repaired[8..16].copy_from_slice(&checksum.to_le_bytes());
        check(&repaired);
    }
}

fn check(data: &[u8]) {
    let store = scratch::store();
    let folder = store.folder(Folder::Pending);
    let path = folder.join("record");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, data))
        .expect("a record can be written");
    let records = store.pending_records().expect("the folder can be read");
    assert_eq!(records.len(), usize::from(path.exists()), "a damaged record is removed");
    for record in &records {
        assert!(record.project.is_absolute());
        for (id, tables) in &record.packages {
            // There are no files to complete a package from.
            assert_eq!(store.complete(record, *id, tables, &[]).ok(), Some(false));
        }
    }
}
