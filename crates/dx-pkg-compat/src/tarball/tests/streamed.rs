//! Archives that are read while they arrive.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use dx_pkg_format::dxp::FileMode;

use super::super::{Entries, StreamedFile, Unfit};
use super::archive::{Archive, gzip};
use super::{Limits, TarballError, Unpacked, unix};

/// Bytes that arrive a few at a time.
struct Pieces<'b> {
    rest: &'b [u8],
    most: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.rest[..self.rest.len().min(self.most)])
    }

    fn consume(&mut self, amount: usize) {
        self.rest = &self.rest[amount..];
    }
}

type Files = BTreeMap<String, (Vec<u8>, FileMode)>;

pub(super) fn read(tgz: &[u8], most: usize, limits: &Limits) -> Result<Files, Unfit> {
    let mut entries = Entries::new(Pieces { rest: tgz, most }, tgz.len() as u64, limits.clone())?;
    let mut files = Files::new();
    while let Some(StreamedFile { path, mode, size }) = entries.next_file()? {
        let mut contents = Vec::new();
        while let Some(chunk) = entries.chunk()? {
            contents.extend_from_slice(chunk);
        }
        assert_eq!(contents.len() as u64, size);
        files.insert(path, (contents, mode));
    }
    assert!(entries.finish()?.rest.is_empty());
    Ok(files)
}

/// Reading while arriving gives the same files as unpacking the whole; a refused tarball is refused
/// in pieces too.
pub(super) fn check(tgz: &[u8], limits: &Limits, whole: Result<&Unpacked, &TarballError>) {
    for most in [usize::MAX, 97] {
        if let Ok(files) = read(tgz, most, limits) {
            let whole = whole.expect("what is refused whole is refused in pieces");
            let expected = whole
                .entries()
                .into_iter()
                .map(|file| (file.path.to_owned(), (file.data.to_vec(), file.mode)));
            assert_eq!(files, expected.collect());
        }
    }
}

fn in_pieces(archive: Archive) -> Result<Vec<String>, Unfit> {
    read(&archive.tgz(), 100, &unix()).map(|files| files.into_keys().collect())
}

#[test]
fn the_files_of_an_ordinary_archive_come_in_its_order_and_need_not_be_read() {
    let large = vec![7; 300_000];
    let archive = Archive::new()
        .file("package/package.json", b"{}")
        .entry(b"package/bin/", b'5', 0o755, b"")
        .entry(b"package/bin/run.js", b'0', 0o755, b"#!/usr/bin/env node")
        .file(&format!("package/{}", "long/".repeat(30)), b"")
        .file("package/large.bin", &large)
        .file("package/empty", b"");
    let tgz = archive.tgz();
    let mut entries = Entries::new(&*tgz, tgz.len() as u64, unix()).unwrap();
    let mut files = Vec::new();
    while let Some(file) = entries.next_file().unwrap() {
        files.push((file.path, file.mode, file.size));
        if file.size == 19 {
            assert_eq!(entries.chunk().unwrap(), Some(&b"#!/usr/bin/env node"[..]));
            assert_eq!(entries.chunk().unwrap(), None);
        } else if file.size == 300_000 {
            assert!(entries.chunk().unwrap().is_some_and(|chunk| chunk.len() < 300_000));
        }
    }
    entries.finish().unwrap();
    let expected = [
        ("package.json", FileMode::PLAIN, 2),
        ("bin/run.js", FileMode::EXECUTABLE, 19),
        ("large.bin", FileMode::PLAIN, 300_000),
        ("empty", FileMode::PLAIN, 0),
    ];
    assert_eq!(files, expected.map(|(path, mode, size)| (path.to_owned(), mode, size)));
}

#[test]
fn what_needs_the_whole_archive_is_unfit() {
    let twice = Archive::new().file("package/a", b"1").file("package/a", b"2");
    let both = Archive::new().file("package/.gitignore", b"1").file("package/.npmignore", b"2");
    let folder = Archive::new().file("package/a", b"1").file("package/a/b", b"2");
    for archive in [twice, both, folder, Archive::new()] {
        assert_eq!(in_pieces(archive), Err(Unfit));
    }
    assert_eq!(in_pieces(Archive::new().file("package/.gitignore", b"1")).unwrap(), [".npmignore"]);
    let plain = Archive::new().file("package/a", b"1").tar();
    assert_eq!(read(&plain, 100, &unix()), Err(Unfit));
    assert_eq!(read(&[], 100, &unix()), Err(Unfit));
}

#[test]
fn an_archive_that_ends_early_or_is_too_large_is_unfit() {
    let tgz = Archive::new().file("package/a", &[7; 5000]).file("package/b", b"1").tgz();
    for length in 0..tgz.len() {
        assert!(read(&tgz[..length], 50, &unix()).is_err(), "{length} bytes");
    }
    let archive = 3 * 512 + 5 * 1024 + 1024;
    assert!(read(&tgz, 50, &Limits { max_bytes: archive, ..unix() }).is_ok());
    assert!(read(&tgz, 50, &Limits { max_bytes: archive - 1, ..unix() }).is_err());
    assert!(read(&tgz, 50, &Limits { max_entries: 1, ..unix() }).is_err());
    let cut = Archive::new().file("package/a", &[7; 5000]).tar();
    assert!(read(&gzip(&cut[..2000]), 50, &unix()).is_err());
}
