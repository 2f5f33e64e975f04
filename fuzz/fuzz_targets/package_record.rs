//! Any bytes as the record of an expanded package: missing, or read without a panic, also when the
//! checksums are right. Whatever it says, its paths stay within the package's folder.

use std::fs;
use std::path::{Component, Path};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::HEADER;
use dx_pkg_format::wire;
use dx_pkg_store::Folder;

use crate::scratch;

/// The offset of the tables.
const TABLES_AT: usize = 24;

pub(crate) fn run(data: &[u8]) {
    check(data);
    // With a right checksum, and then with right tables as well.
    let mut repaired = data.to_vec();
    if data.len() > TABLES_AT + HEADER {
        check_repaired(&mut repaired);
        let length = u32::from_le_bytes([data[20], data[21], data[22], data[23]]) as usize;
        if let Some(tables) = data.get(TABLES_AT..TABLES_AT.saturating_add(length))
            && let Some(summed) = tables.get(16..)
        {
            let checksum = wire::checksum(summed).to_le_bytes();
            repaired[TABLES_AT + 8..TABLES_AT + 16].copy_from_slice(&checksum);
            check_repaired(&mut repaired);
        }
    }
}

fn check_repaired(record: &mut [u8]) {
    let checksum = wire::checksum(&record[16..]).to_le_bytes();
    record[8..16].copy_from_slice(&checksum);
    check(record);
}

fn check(data: &[u8]) {
    let store = scratch::store();
    let id = PackageId::from_bytes([7; 32]);
    let hex = id.to_string();
    let folder = store.folder(Folder::Packages).join(&hex[..2]);
    fs::create_dir_all(&folder)
        .and_then(|()| fs::create_dir_all(store.expanded(id)))
        .and_then(|()| fs::write(folder.join(format!("{hex}.dxt")), data))
        .expect("a record can be written");
    let tables = store.open_tables(id).expect("a damaged record counts as missing");
    if let Some(tables) = &tables {
        assert_eq!(store.file_count(id), Some(tables.dxp().len()));
        for entry in tables.dxp().entries() {
            let is_plain = |part| matches!(part, Component::Normal(_));
            assert!(Path::new(entry.path).components().all(is_plain), "{}", entry.path);
        }
        let files = store.open_files(id, tables).expect("the folder is there");
        let _ = store.is_unaltered(id, &files).expect("files can be looked at");
    }
}
