//! A lockfile as DXL and as JSON: opening it, checking it, and looking up every package.
//!
//! `BENCH_LOCKFILE` names a `package-lock.json`; without it, one of 1,226 packages is made.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use dx_pkg_compat::lockfile::npm;
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_os::files::Map;
use serde_json::{Value, json};
use std::hint::black_box;

fn lockfile() -> String {
    if let Some(path) = std::env::var_os("BENCH_LOCKFILE") {
        return std::fs::read_to_string(path).unwrap();
    }
    let mut packages = serde_json::Map::new();
    packages.insert(String::new(), json!({ "name": "made", "version": "1.0.0" }));
    for number in 1..1226 {
        packages.insert(
            format!("node_modules/package-{number}"),
            json!({
                "version": format!("{}.{}.0", number % 9, number % 31),
                "resolved": format!("https://registry.example/package-{number}/-/package-{number}-1.0.0.tgz"),
                "integrity": format!("sha512-{}==", "A".repeat(86)),
                "license": "MIT",
                "dependencies": { "a": "^1.0.0", "b": "^2.0.0", "c": "^3.0.0" },
                "engines": { "node": ">=18" },
            }),
        );
    }
    json!({ "name": "made", "lockfileVersion": 3, "requires": true, "packages": packages })
        .to_string()
}

fn lockfiles(criterion: &mut Criterion) {
    let text = lockfile();
    let lock = npm::read(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (json_file, dxl_file) =
        (folder.path().join("package-lock.json"), folder.path().join("lock.dxl"));
    std::fs::write(&json_file, &text).unwrap();
    std::fs::write(&dxl_file, dxl::encode(&lock, [0; 32])).unwrap();
    let paths: Vec<&str> = lock.packages.iter().map(|package| package.path.as_str()).collect();
    let mut group = criterion.benchmark_group("lockfile");

    group.bench_function("dxl", |bencher| {
        bencher.iter(|| {
            let bytes = Map::open(&dxl_file).unwrap();
            let view = DxlView::open(&bytes).unwrap();
            let versions =
                paths.iter().map(|path| view.get(path).unwrap().version().map_or(0, str::len));
            black_box(versions.sum::<usize>())
        });
    });
    group.bench_function("dxl-open", |bencher| {
        bencher.iter(|| {
            let bytes = Map::open(&dxl_file).unwrap();
            black_box(DxlView::open(&bytes).unwrap().len())
        });
    });
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| {
            let text = std::fs::read_to_string(&json_file).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let packages = &value["packages"];
            let versions =
                paths.iter().map(|path| packages[*path]["version"].as_str().map_or(0, str::len));
            black_box(versions.sum::<usize>())
        });
    });
    group.bench_function("dx-reads-json", |bencher| {
        bencher.iter(|| {
            let text = std::fs::read_to_string(&json_file).unwrap();
            black_box(npm::read(&text).unwrap().packages.len())
        });
    });
    group.finish();
}

criterion_group!(benches, lockfiles);
criterion_main!(benches);
