//! Copies of a file: hard link, reflink, the system's copy, and reading and writing its bytes.
//!
//! `BENCH_FOLDERS` is a list of `name=folder`, with commas; without it, the system's temporary
//! folder is used.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use criterion::{Bencher, Criterion, SamplingMode, criterion_group, criterion_main};
use dx_pkg_os::files::{Dir, reflink};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
const SIZES: [(&str, usize); 3] = [("1MB", 1), ("100MB", 100), ("1GB", 1024)];
const SOURCE: &str = "source";
const TARGET: &str = "target";

fn folders() -> Vec<(String, PathBuf)> {
    let named = std::env::var("BENCH_FOLDERS").unwrap_or_default();
    let named: Vec<_> = named.split(',').filter_map(|entry| entry.split_once('=')).collect();
    if named.is_empty() {
        return vec![("here".to_owned(), std::env::temp_dir())];
    }
    named.into_iter().map(|(name, folder)| (name.to_owned(), folder.into())).collect()
}

/// Times `work` alone, without the removal of the file that it creates.
fn time(bencher: &mut Bencher<'_>, folder: &Path, work: impl Fn()) {
    bencher.iter_custom(|iterations| {
        let mut taken = Duration::ZERO;
        for _ in 0..iterations {
            let started = Instant::now();
            work();
            taken += started.elapsed();
            std::fs::remove_file(folder.join(TARGET)).unwrap();
        }
        taken
    });
}

fn read_and_write(folder: &Path, buffer: &mut [u8]) {
    let mut source = File::open(folder.join(SOURCE)).unwrap();
    let mut target = File::create_new(folder.join(TARGET)).unwrap();
    loop {
        let read = source.read(buffer).unwrap();
        if read == 0 {
            return;
        }
        target.write_all(&buffer[..read]).unwrap();
    }
}

fn files(criterion: &mut Criterion) {
    for (name, parent) in folders() {
        let folder = tempfile::tempdir_in(parent).unwrap();
        let dir = Dir::open(folder.path()).unwrap();
        for (size, mebibytes) in SIZES {
            let mut source = File::create(folder.path().join(SOURCE)).unwrap();
            for part in 0..mebibytes {
                source.write_all(&vec![u8::try_from(part % 251).unwrap(); MIB]).unwrap();
            }
            source.sync_all().unwrap();
            let mut group = criterion.benchmark_group(format!("files-{name}-{size}"));
            group.sample_size(10).sampling_mode(SamplingMode::Flat);
            group
                .warm_up_time(Duration::from_millis(100))
                .measurement_time(Duration::from_millis(500));
            let ways: [(&str, &dyn Fn() -> io::Result<()>); 3] = [
                ("hardlink", &|| dir.link_from(&dir, SOURCE, TARGET)),
                ("reflink", &|| reflink(&dir, SOURCE, &dir, TARGET, 0o644)),
                ("copy", &|| {
                    std::fs::copy(folder.path().join(SOURCE), folder.path().join(TARGET)).map(drop)
                }),
            ];
            for (way, place) in ways {
                if let Err(error) = place() {
                    eprintln!("{name}: no {way} here: {error}");
                    continue;
                }
                std::fs::remove_file(folder.path().join(TARGET)).unwrap();
                group.bench_function(way, |bencher| {
                    time(bencher, folder.path(), || place().unwrap())
                });
            }
            group.bench_function("read-and-write", |bencher| {
                let buffer = std::cell::RefCell::new(vec![0; MIB]);
                time(bencher, folder.path(), || {
                    read_and_write(folder.path(), &mut buffer.borrow_mut())
                });
            });
            group.finish();
        }
    }
}

criterion_group!(benches, files);
criterion_main!(benches);
