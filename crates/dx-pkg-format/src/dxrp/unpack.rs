//! What is compressed within messages.

use std::io::Read as _;

/// The stated length up to which memory is allocated at once, in bytes.
const AT_ONCE: usize = 1 << 20;

/// Decompresses one Zstandard frame that must have `length` bytes then. Beyond a mebibyte, memory
/// is allocated as the bytes come, so that a length that is not true costs nothing.
#[must_use]
pub fn unpack(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    if length <= AT_ONCE {
        let unpacked = zstd::bulk::decompress(bytes, length).ok()?;
        return (unpacked.len() == length).then_some(unpacked);
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(bytes).ok()?.single_frame();
    let mut unpacked = Vec::with_capacity(AT_ONCE);
    // One byte more than there may be shows that there are too many.
    decoder.take(length as u64 + 1).read_to_end(&mut unpacked).ok()?;
    (unpacked.len() == length).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_is_not_true_is_refused_and_not_allocated() {
        let large = vec![7; AT_ONCE * 2];
        let bytes = zstd::bulk::compress(&large, 3).unwrap();
        assert_eq!(unpack(&bytes, large.len()), Some(large.clone()));
        for length in [0, 1, AT_ONCE, large.len() - 1, large.len() + 1, usize::MAX / 2] {
            assert_eq!(unpack(&bytes, length), None, "{length}");
        }
        let small = zstd::bulk::compress(b"small", 3).unwrap();
        assert_eq!(unpack(&small, 5).as_deref(), Some(&b"small"[..]));
        assert_eq!(unpack(&small, 4), None);
        assert_eq!(unpack(b"none at all", 5), None);
    }
}
