//! Any bytes as a package tarball: refused, or files whose paths stay inside the package; the same
//! ones if it is read as it arrives.

use std::collections::BTreeMap;
use std::io::Write;

use dx_pkg_compat::tarball::{Entries, Limits, StreamError, unpack};

/// Length of a tar header and where its checksum is.
const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

pub(crate) fn run(data: &[u8]) {
    check(data);
    // Past the checksums, which chance does not meet.
    let mut sealed = data.to_vec();
    for block in sealed.chunks_exact_mut(BLOCK) {
        block[CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    check(&sealed);
}

fn check(data: &[u8]) {
    let limits = Limits { max_bytes: 1 << 24, ..Limits::default() };
    let streamed = stream(data, &limits);
    let zipped = stream(&gzip(data), &limits);
    let Ok(unpacked) = unpack(data, &limits) else {
        assert!(streamed.is_err());
        return;
    };
    let entries = unpacked.entries();
    let is_gzip = data.starts_with(&[0x1f, 0x8b]);
    for files in [Some(streamed), Some(zipped).filter(|_| !is_gzip)].into_iter().flatten().flatten()
    {
        let whole = entries
            .iter()
            .map(|entry| (entry.path.to_owned(), (entry.data.to_vec(), entry.mode.bits())));
        assert_eq!(files, whole.collect());
    }
    assert!(entries.is_sorted_by(|a, b| a.path < b.path));
    for entry in &entries {
        assert!(
            entry.path.split('/').all(|part| !matches!(part, "" | "." | "..")),
            "{:?}",
            entry.path
        );
        assert!(!entry.path.contains(['\\', '\0']), "{:?}", entry.path);
        assert!(unpacked.find(entry.path).is_some_and(|found| found.data == entry.data));
        let inside = entries.iter().filter(|other| {
            other.path.strip_prefix(entry.path).is_some_and(|rest| rest.starts_with('/'))
        });
        assert_eq!(inside.count(), 0, "{:?}", entry.path);
    }
    let _ = unpacked.collides_when_case_folded();
    for skipped in unpacked.skipped() {
        assert!(!skipped.name.contains(char::is_control));
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(data).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn stream(
    data: &[u8],
    limits: &Limits,
) -> Result<BTreeMap<String, (Vec<u8>, u32)>, StreamError> {
    let mut entries = Entries::new(data, limits.clone());
    let mut files = BTreeMap::new();
    while let Some(file) = entries.next_file()? {
        let mut contents = Vec::new();
        while let Some(chunk) = entries.chunk()? {
            contents.extend_from_slice(chunk);
        }
        let before = files.insert(file.path, (contents, file.mode.bits()));
        assert_eq!(before.is_some(), file.replaces);
    }
    entries.finish()?;
    Ok(files)
}
