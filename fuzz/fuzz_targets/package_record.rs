//! Any bytes as the record of an expanded package: missing, or read without a panic, also when the
//! checksums and the seal are right. Whatever it says, its paths stay within the package's folder.

use std::fs;
use std::path::{Component, Path};
use std::sync::atomic::AtomicU64;

use dx_pkg_core::PackageId;
use dx_pkg_format::dxp::HEADER;
use dx_pkg_format::wire;
use dx_pkg_store::Folder;

use crate::scratch;

/// The offset of the tables in version 2, and in version 1, which has no seal.
const TABLES_AT: [usize; 2] = [32, 24];
/// The length of the seal.
const SEAL: usize = 32;
/// The package.
const ID: [u8; 32] = [7; 32];

pub(crate) fn run(data: &[u8]) {
    check(data);
    // With a right checksum, and then with right tables as well.
    for at in TABLES_AT {
        let mut repaired = data.to_vec();
        if data.len() > at + HEADER + SEAL {
            check_repaired(&mut repaired);
            let length = data[at - 4..].first_chunk().copied().unwrap_or_default();
            let length = u32::from_le_bytes(length) as usize;
            if let Some(tables) = data.get(at..at.saturating_add(length))
                && let Some(summed) = tables.get(16..)
            {
                let checksum = wire::checksum(summed).to_le_bytes();
                repaired[at + 8..at + 16].copy_from_slice(&checksum);
                check_repaired(&mut repaired);
            }
        }
    }
}

fn check_repaired(record: &mut [u8]) {
    if record[4] == 2 {
        let key = scratch::store().key().expect("the store has a key");
        let key = blake3::derive_key("dx store v1: seals of records", key.bytes());
        let (sealed, seal) = record.split_at_mut(record.len() - SEAL);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&ID);
        for part in [&sealed[..8], &sealed[16..]] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        seal.copy_from_slice(hasher.finalize().as_bytes());
    }
    let checksum = wire::checksum(&record[16..]).to_le_bytes();
    record[8..16].copy_from_slice(&checksum);
    check(record);
}

fn check(data: &[u8]) {
    let store = scratch::store();
    let id = PackageId::from_bytes(ID);
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
        let _ = store
            .is_unaltered(id, &files, &AtomicU64::new(u64::MAX))
            .expect("files can be looked at");
    }
}
