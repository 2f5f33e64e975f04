//! Archives that are read while they arrive.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use dx_pkg_format::dxp::{FileEntry, FileMode};

use super::super::{Entries, StreamError, StreamedFile};
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

pub(super) fn read(tgz: &[u8], most: usize, limits: &Limits) -> Result<Files, TarballError> {
    let mut entries = Entries::new(Pieces { rest: tgz, most }, limits.clone());
    let mut files = Files::new();
    let refusal = |error| match error {
        StreamError::Tarball(error) => error,
        StreamError::Source(error) => panic!("{error}"),
    };
    while let Some(file) = entries.next_file().map_err(refusal)? {
        let StreamedFile { path, mode, size, replaces } = file;
        let mut contents = Vec::new();
        while let Some(chunk) = entries.chunk().map_err(refusal)? {
            contents.extend_from_slice(chunk);
        }
        assert_eq!(contents.len() as u64, size);
        assert_eq!(files.insert(path, (contents, mode)).is_some(), replaces);
    }
    entries.finish().map_err(refusal)?;
    assert!(entries.into_source().unwrap().rest.is_empty());
    Ok(files)
}

/// Reading in pieces gives the same files as unpacking the whole, and refuses the same tarballs.
pub(super) fn check(tgz: &[u8], limits: &Limits, whole: Result<&Unpacked, &TarballError>) {
    for most in [usize::MAX, 97] {
        let expected = whole.ok().map(|whole| {
            let file =
                |file: FileEntry<'_>| (file.path.to_owned(), (file.data.to_vec(), file.mode));
            whole.entries().into_iter().map(file).collect::<Files>()
        });
        assert!(read(tgz, most, limits).ok() == expected, "{most} bytes at once");
    }
}

fn in_pieces(archive: Archive) -> Result<Vec<String>, TarballError> {
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
    let mut entries = Entries::new(&*tgz, unix());
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
fn of_equal_paths_the_last_counts_and_a_real_npmignore_before_all() {
    let files = |archive: &Archive| read(&archive.clone().tgz(), 100, &unix()).unwrap();
    let contents = |files: &Files, path: &str| files[path].0.clone();
    let twice = Archive::new().file("package/a", b"1").file("x/a", b"22").file("package/b", b"3");
    assert_eq!(contents(&files(&twice), "a"), b"22");
    let (ignore, real) = (("package/.gitignore", b"1"), ("package/.npmignore", b"2"));
    for (first, second) in [(ignore, real), (real, ignore)] {
        let both = Archive::new().file(first.0, first.1).file(second.0, second.1);
        assert_eq!(contents(&files(&both), ".npmignore"), b"2");
    }
    assert_eq!(in_pieces(Archive::new().file("package/.gitignore", b"1")).unwrap(), [".npmignore"]);
}

#[test]
fn what_is_no_archive_or_no_folder_is_refused_with_the_reason() {
    let folder = Archive::new().file("package/a", b"1").file("package/a/b", b"2");
    assert!(matches!(in_pieces(folder), Err(TarballError::FileAndFolder { .. })));
    assert!(matches!(in_pieces(Archive::new()), Err(TarballError::Unrecognised { .. })));
    let html = b"<html>".repeat(200);
    for text in [&b""[..], b"<html>", &html] {
        assert!(matches!(read(text, 9, &unix()), Err(TarballError::Unrecognised { .. })));
    }
    let plain = Archive::new().file("package/a", b"1").tar();
    assert_eq!(read(&plain, 100, &unix()).unwrap().len(), 1);
}

#[test]
fn zeros_may_follow_the_last_member_and_nothing_else() {
    let tgz = Archive::new().file("package/a", b"1").tgz();
    assert_eq!(read(&[&tgz[..], &[0; 600]].concat(), 100, &unix()).unwrap().len(), 1);
    let error = read(&[&tgz[..], &[0; 600], b"x"].concat(), 100, &unix()).unwrap_err();
    assert!(error.to_string().contains("something that is not gzip"), "{error}");
}

#[test]
fn a_source_that_fails_is_told_from_a_tarball_that_does() {
    struct Failing<'b>(&'b [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    impl BufRead for Failing<'_> {
        fn fill_buf(&mut self) -> io::Result<&[u8]> {
            if self.0.is_empty() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(self.0) }
        }
        fn consume(&mut self, amount: usize) {
            self.0 = &self.0[amount..];
        }
    }
    let tgz = Archive::new().file("package/a", &[7; 5000]).tgz();
    for length in [0, 5, 40, tgz.len() - 1, tgz.len()] {
        let mut entries = Entries::new(Failing(&tgz[..length]), unix());
        let error = loop {
            match entries.next_file() {
                Ok(Some(_)) => {}
                Ok(None) => break entries.finish().unwrap_err(),
                Err(error) => break error,
            }
        };
        let StreamError::Source(error) = error else { panic!("{length}: {error}") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn an_archive_that_ends_early_or_is_too_large_is_refused() {
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
