//! A package as DXP and as `.tar.gz`: reading one file of it, and all.
//!
//! `BENCH_TARBALL` names a tarball; without it, one of 600 files is made. Contents are summed, so
//! that every byte is read and no page is merely mapped.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use dx_pkg_compat::tarball::{Limits, unpack};
use dx_pkg_format::dxp::{self, Compression};
use dx_pkg_os::files::Map;
use dx_pkg_testkit::{Entry, tgz};
use std::hint::black_box;

/// The file that is read alone.
const ONE: &str = "package.json";

fn tarball() -> Vec<u8> {
    if let Some(path) = std::env::var_os("BENCH_TARBALL") {
        return std::fs::read(path).unwrap();
    }
    let text = |number: usize| {
        format!("module.exports = function number{number}() {{ return {number}; }};\n").repeat(30)
    };
    let modules =
        (0..600).map(|number| Entry::file(format!("package/lib/module-{number}.js"), text(number)));
    let manifest = Entry::file("package/package.json", r#"{"name":"made","version":"1.0.0"}"#);
    tgz(&modules.chain([manifest]).collect::<Vec<_>>())
}

/// Reads every byte.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

fn packages(criterion: &mut Criterion) {
    let packed = tarball();
    let unpacked = unpack(&packed, &Limits::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tgz_file, dxp_file) =
        (folder.path().join("package.tgz"), folder.path().join("package.dxp"));
    std::fs::write(&tgz_file, &packed).unwrap();
    std::fs::write(&dxp_file, dxp::encode(&unpacked.entries(), None, Compression::Stored).unwrap())
        .unwrap();
    let mut group = criterion.benchmark_group("package");

    group.bench_function("one-file-of-dxp", |bencher| {
        bencher.iter(|| {
            let bytes = Map::open(&dxp_file).unwrap();
            let package = dxp::decode(&bytes).unwrap();
            let entry = package.find(ONE).unwrap();
            black_box(sum(&package.read(&entry).unwrap()))
        });
    });
    group.bench_function("one-file-of-tgz", |bencher| {
        bencher.iter(|| {
            let bytes = std::fs::read(&tgz_file).unwrap();
            let package = unpack(&bytes, &Limits::default()).unwrap();
            black_box(sum(package.find(ONE).unwrap().data))
        });
    });
    group.bench_function("all-files-of-dxp", |bencher| {
        bencher.iter(|| {
            let bytes = Map::open(&dxp_file).unwrap();
            let package = dxp::decode(&bytes).unwrap();
            black_box(
                package.entries().map(|entry| sum(&package.read(&entry).unwrap())).sum::<u64>(),
            )
        });
    });
    group.bench_function("all-files-of-tgz", |bencher| {
        bencher.iter(|| {
            let bytes = std::fs::read(&tgz_file).unwrap();
            let package = unpack(&bytes, &Limits::default()).unwrap();
            black_box(package.entries().iter().map(|entry| sum(entry.data)).sum::<u64>())
        });
    });
    group.finish();
}

criterion_group!(benches, packages);
criterion_main!(benches);
