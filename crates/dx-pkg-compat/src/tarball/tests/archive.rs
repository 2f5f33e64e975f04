//! A small tar writer that can also write malformed archives.

/// Builds an archive entry by entry.
#[derive(Default, Clone)]
pub(super) struct Archive {
    bytes: Vec<u8>,
}

impl Archive {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a regular file that anyone may read.
    pub(super) fn file(self, name: &str, data: &[u8]) -> Self {
        self.entry(name.as_bytes(), b'0', 0o644, data)
    }

    /// Adds an entry of any type; names of more than 100 bytes go into a pax header.
    pub(super) fn entry(self, name: &[u8], flag: u8, mode: u32, data: &[u8]) -> Self {
        let archive = if name.len() > 100 { self.pax(b'x', &[("path", name)]) } else { self };
        let short = &name[..name.len().min(100)];
        archive
            .header(short, flag, &octal(mode.into(), 8), &octal(data.len() as u64, 12))
            .body(data)
    }

    /// Adds a pax header with the given fields.
    pub(super) fn pax(self, flag: u8, fields: &[(&str, &[u8])]) -> Self {
        let records: Vec<u8> =
            fields.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
        self.entry(b"PaxHeader", flag, 0o644, &records)
    }

    /// Adds a ustar header with a valid checksum and raw fields.
    pub(super) fn header(mut self, name: &[u8], flag: u8, mode: &[u8], size: &[u8]) -> Self {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name);
        block[100..100 + mode.len()].copy_from_slice(mode);
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = flag;
        block[257..265].copy_from_slice(b"ustar\x0000");
        self.bytes.extend_from_slice(&sealed(block));
        self
    }

    /// Changes the last block and renews its checksum.
    pub(super) fn patch_header(mut self, change: impl FnOnce(&mut [u8; 512])) -> Self {
        let start = self.bytes.len() - 512;
        let mut block: [u8; 512] = self.bytes[start..].try_into().unwrap();
        change(&mut block);
        self.bytes.truncate(start);
        self.bytes.extend_from_slice(&sealed(block));
        self
    }

    /// Adds a body, padded to whole blocks.
    pub(super) fn body(mut self, data: &[u8]) -> Self {
        self.bytes.extend_from_slice(data);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    /// Returns the archive without the two zero blocks at its end.
    pub(super) fn unfinished(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the archive.
    pub(super) fn tar(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 1024, 0);
        self.bytes
    }

    /// Returns the archive, compressed.
    pub(super) fn tgz(self) -> Vec<u8> {
        gzip(&self.tar())
    }
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let level = libdeflater::CompressionLvl::new(1).unwrap();
    let mut compressor = libdeflater::Compressor::new(level);
    let mut out = vec![0; compressor.gzip_compress_bound(data.len())];
    let length = compressor.gzip_compress(data, &mut out).unwrap();
    out.truncate(length);
    out
}

pub(super) fn octal(value: u64, width: usize) -> Vec<u8> {
    format!("{value:0width$o}\0", width = width - 1).into_bytes()
}

fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

fn sealed(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}
