//! The order of a tarball's entries.

use std::io::Read;

use flate2::read::GzDecoder;

use super::MAX_PACKAGE_SIZE;

/// Returns the names of a tarball's entries, without their first folder, in their order; none of
/// what is no tarball. [`super::unpack`] says what is wrong with it.
#[must_use]
pub fn names_in_order(tgz: &[u8]) -> Vec<String> {
    const BLOCK: usize = 512;
    let mut tar = Vec::new();
    let inflated = GzDecoder::new(tgz).take(MAX_PACKAGE_SIZE).read_to_end(&mut tar);
    if inflated.is_err() {
        return Vec::new();
    }
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    let (mut names, mut at, mut long) = (Vec::new(), 0, None);
    while let Some(header) = tar.get(at..at + BLOCK) {
        let size = text(&header[124..136]);
        let Ok(size) = usize::from_str_radix(size.trim(), 8) else { break };
        let body = tar.get(at + BLOCK..at + BLOCK + size).unwrap_or_default();
        match header[156] {
            b'x' => {
                let records = String::from_utf8_lossy(body).into_owned();
                long =
                    records.lines().find_map(|line| Some(line.split_once(" path=")?.1.to_owned()));
            }
            b'L' => long = Some(text(body)),
            _ => {
                let (prefix, name) = (text(&header[345..500]), text(&header[..100]));
                let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                let name = long.take().unwrap_or(name);
                names.extend(name.split_once('/').map(|(_, rest)| rest.to_owned()));
            }
        }
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    names
}
