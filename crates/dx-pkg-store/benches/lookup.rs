//! Finding a package of a thousand by its integrity: in the store, and in a cache laid out as
//! npm's.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxp::{FileEntry, FileMode};
use dx_pkg_store::Store;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};

const PACKAGES: usize = 1000;

/// The file of an index that lists a key's entries: a SHA-256 of the key, in folders by its first
/// digits.
fn bucket(cache: &Path, key: &str) -> PathBuf {
    let digest: String = Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect();
    cache.join("index").join(&digest[..2]).join(&digest[2..4]).join(&digest[4..])
}

/// Returns the path of the contents with a digest.
fn content(cache: &Path, integrity: &str) -> PathBuf {
    let name: String = integrity.bytes().map(|byte| format!("{byte:02x}")).collect();
    cache.join("content").join(&name[14..16]).join(&name[16..18]).join(&name[18..])
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn lookups(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let cache = folder.path().join("cache");
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for number in 0..PACKAGES {
        let manifest = format!("{{\"name\":\"package-{number}\"}}");
        let integrity = Integrity::sha512_of(manifest.as_bytes());
        let id = PackageId::from_integrity(&integrity);
        let file =
            FileEntry { path: "package.json", mode: FileMode::PLAIN, data: manifest.as_bytes() };
        store.insert(id, Some(&integrity), &[file]).unwrap();
        ids.push(id);

        let key = format!("pacote:tarball:package-{number}@1.0.0");
        let entry = json!({ "key": key, "integrity": integrity.to_string(), "time": 1, "size": manifest.len() });
        write(
            &bucket(&cache, &key),
            format!("\n0123456789012345678901234567890123456789\t{entry}").as_bytes(),
        );
        write(&content(&cache, &integrity.to_string()), manifest.as_bytes());
        keys.push(key);
    }
    // Another process's: what this one has stored it has in memory.
    let store = Store::open(&folder.path().join("store")).unwrap();
    let mut group = criterion.benchmark_group("store");
    group.bench_function("has", |bencher| {
        let mut ids = ids.iter().cycle();
        bencher.iter(|| assert!(store.has(*ids.next().unwrap())));
    });
    group.bench_function("open", |bencher| {
        let mut ids = ids.iter().cycle();
        bencher.iter(|| {
            black_box(store.open_package(*ids.next().unwrap()).unwrap().unwrap().dxp().len())
        });
    });
    group.bench_function("indexed-cache", |bencher| {
        let mut keys = keys.iter().cycle();
        bencher.iter(|| {
            let key = keys.next().unwrap();
            let lines = fs::read_to_string(bucket(&cache, key)).unwrap();
            let (_, entry) = lines.rsplit_once('\t').unwrap();
            let entry: Value = serde_json::from_str(entry).unwrap();
            assert_eq!(entry["key"], key.as_str());
            black_box(
                fs::read(content(&cache, entry["integrity"].as_str().unwrap())).unwrap().len(),
            )
        });
    });
    group.finish();
}

criterion_group!(benches, lookups);
criterion_main!(benches);
