//! Packages as PACK messages have them, made of tarballs.

use libdeflater::Decompressor;

/// A package: its files ascending by path, and their contents.
#[derive(Clone, Debug)]
pub(super) struct Pack {
    /// Path, who may execute it, and size.
    pub(super) files: Vec<(String, u8, u64)>,
    pub(super) contents: Vec<u8>,
    pub(super) root: [u8; 32],
    integrity: String,
}

impl Pack {
    /// Reads a tarball as the builders here write them: plain files below one folder.
    pub(super) fn of_tarball(tarball: &[u8]) -> Self {
        let mut tar = vec![0; 256 << 20];
        let length = Decompressor::new().gzip_decompress(tarball, &mut tar).expect("a gzip stream");
        tar.truncate(length);
        let mut files = Vec::new();
        let mut long_name = None;
        let mut rest = tar.as_slice();
        while rest.len() >= 512 && rest[0] != 0 {
            let (header, after) = rest.split_at(512);
            let text = |range: std::ops::Range<usize>| {
                let field = &header[range];
                let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
                String::from_utf8_lossy(&field[..end]).into_owned()
            };
            let octal = |range| u64::from_str_radix(text(range).trim(), 8).unwrap_or(0);
            let size = usize::try_from(octal(124..136)).unwrap();
            let data = &after[..size];
            match header[156] {
                b'L' => long_name = Some(String::from_utf8_lossy(&data[..size - 1]).into_owned()),
                b'0' => {
                    let name = long_name.take().unwrap_or_else(|| text(0..100));
                    let (_, path) = name.split_once('/').expect("a folder above every file");
                    let mode = octal(100..108);
                    let flags = (mode >> 6 & 1) | (mode >> 3 & 1) << 1 | (mode & 1) << 2;
                    files.push((path.to_owned(), u8::try_from(flags).unwrap(), data.to_vec()));
                }
                _ => {}
            }
            rest = &after[size.next_multiple_of(512)..];
        }
        files.sort_by(|one, other| one.0.cmp(&other.0));
        let contents = files.iter().flat_map(|(_, _, data)| data.iter().copied()).collect();
        let files = files.into_iter().map(|(path, flags, data)| (path, flags, data.len() as u64));
        let integrity = crate::integrity_sha512(tarball);
        let mut pack = Self { files: files.collect(), contents, root: [0; 32], integrity };
        pack.root = pack.content_root();
        pack
    }

    fn content_root(&self) -> [u8; 32] {
        let mut root = blake3::Hasher::new();
        let mut rest = self.contents.as_slice();
        for (path, flags, size) in &self.files {
            let (data, others) = rest.split_at(usize::try_from(*size).unwrap());
            rest = others;
            let flags = u32::from(*flags);
            let mode = 0o644 | (flags & 1) << 6 | (flags >> 1 & 1) << 3 | flags >> 2 & 1;
            root.update(&u32::try_from(path.len()).unwrap().to_le_bytes());
            root.update(path.as_bytes());
            root.update(&mode.to_le_bytes());
            root.update(blake3::hash(data).as_bytes());
        }
        *root.finalize().as_bytes()
    }

    /// Changes a byte of the contents, with the root that they have then.
    pub(super) fn alter(&mut self) {
        let last = self.contents.last_mut().expect("some contents");
        *last ^= 1;
        self.root = self.content_root();
    }

    /// What is signed.
    pub(super) fn statement(&self, id: &[u8; 32]) -> Vec<u8> {
        [&b"dxrp statement 1\n"[..], id, &self.root].concat()
    }

    /// The message.
    pub(super) fn encode(&self, id: &[u8; 32], signature: &[u8]) -> Vec<u8> {
        let text = |text: &str| {
            let length = u32::try_from(text.len()).unwrap().to_le_bytes();
            [&length, text.as_bytes()].concat()
        };
        let mut head = [&id[..], &[0], &text(&self.integrity)].concat();
        head.extend_from_slice(&u32::try_from(self.files.len()).unwrap().to_le_bytes());
        for (path, flags, size) in &self.files {
            head.push(*flags);
            head.extend_from_slice(&size.to_le_bytes());
            head.extend_from_slice(&text(path));
        }
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let plain = length(&head);
        let head = zstd::bulk::compress(&head, 3).expect("compressed");
        let contents = zstd::bulk::compress(&self.contents, 3).expect("compressed");
        [&[0], &self.root[..], signature, &plain, &length(&head), &head, &contents].concat()
    }
}
