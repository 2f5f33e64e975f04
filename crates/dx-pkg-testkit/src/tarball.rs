//! Writes npm package tarballs: gzipped ustar with GNU long names, byte for byte the same for the
//! same entries.
//!
//! Nothing is checked: tests build hostile archives with it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libdeflater::{CompressionLvl, Compressor};
use sha2::Digest;

/// The size of a tar header and of the blocks that file contents are padded to, in bytes.
const BLOCK: usize = 512;
/// The longest name a ustar header holds without a prefix, in bytes.
const NAME_LEN: usize = 100;
/// The time npm gives every entry of a package it packs: 26 October 1985, in seconds since 1970.
const MTIME: u64 = 499_162_500;

/// One entry of a tarball.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The path as it stands in the archive, usually starting with `package/`.
    pub path: String,
    /// The permission bits, such as `0o644`.
    pub mode: u32,
    /// The kind of entry.
    pub kind: EntryKind,
    /// The contents of a file; empty for anything else.
    pub data: Vec<u8>,
}

/// The kinds of tar entry a test may want to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to the target.
    Symlink(String),
    /// A hard link to the target, a path inside the archive.
    Hardlink(String),
    /// An entry with any other type flag, such as `b'3'` for a character device.
    Other(u8),
}

impl Entry {
    /// A regular file with mode 0644.
    pub fn file(path: impl Into<String>, data: impl Into<Vec<u8>>) -> Entry {
        Entry { path: path.into(), mode: 0o644, kind: EntryKind::File, data: data.into() }
    }

    /// A symbolic link.
    pub fn symlink(path: impl Into<String>, target: impl Into<String>) -> Entry {
        Entry {
            path: path.into(),
            mode: 0o777,
            kind: EntryKind::Symlink(target.into()),
            data: Vec::new(),
        }
    }

    fn type_flag(&self) -> u8 {
        match self.kind {
            EntryKind::File => b'0',
            EntryKind::Hardlink(_) => b'1',
            EntryKind::Symlink(_) => b'2',
            EntryKind::Directory => b'5',
            EntryKind::Other(flag) => flag,
        }
    }

    fn link_target(&self) -> &str {
        match &self.kind {
            EntryKind::Symlink(target) | EntryKind::Hardlink(target) => target,
            _ => "",
        }
    }
}

/// The entries as a gzipped tar archive.
pub fn tgz(entries: &[Entry]) -> Vec<u8> {
    let mut tar = Vec::new();
    for entry in entries {
        append(&mut tar, entry);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    gzip(&tar)
}

/// The bytes as one gzip member.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let written = compressor.gzip_compress(bytes, &mut out).expect("the bound leaves room");
    out.truncate(written);
    out
}

/// The SHA-512 of the bytes as a subresource integrity string, the form of a packument's
/// `dist.integrity`.
pub fn integrity_sha512(bytes: &[u8]) -> String {
    format!("sha512-{}", STANDARD.encode(sha2::Sha512::digest(bytes)))
}

/// The SHA-1 of the bytes in lower-case hexadecimal, the form of a packument's `dist.shasum`.
pub fn shasum(bytes: &[u8]) -> String {
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn append(tar: &mut Vec<u8>, entry: &Entry) {
    if entry.path.len() > NAME_LEN {
        let mut name = entry.path.clone().into_bytes();
        name.push(0);
        tar.extend(header("././@LongLink", 0, name.len(), b'L', ""));
        append_padded(tar, &name);
    }
    let target = entry.link_target();
    if target.len() > NAME_LEN {
        let mut name = target.as_bytes().to_vec();
        name.push(0);
        tar.extend(header("././@LongLink", 0, name.len(), b'K', ""));
        append_padded(tar, &name);
    }
    tar.extend(header(&entry.path, entry.mode, entry.data.len(), entry.type_flag(), target));
    append_padded(tar, &entry.data);
}

fn append_padded(tar: &mut Vec<u8>, data: &[u8]) {
    tar.extend_from_slice(data);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

/// A ustar header (POSIX.1-1988): name 0, mode 100, uid 108, gid 116, size 124, mtime 136, checksum
/// 148, type 156, link 157, magic 257.
fn header(path: &str, mode: u32, size: usize, flag: u8, link: &str) -> [u8; BLOCK] {
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &path.as_bytes()[..path.len().min(NAME_LEN)]);
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, format!("{MTIME:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, &[flag]);
    put(157, &link.as_bytes()[..link.len().min(NAME_LEN)]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests;
