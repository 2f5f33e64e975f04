//! Hexadecimal digits in lower case, as digests and ids are written.

/// Decodes lower-case hexadecimal digits into `bytes`; returns whether they fill it exactly.
pub(crate) fn decode_hex(hex: &str, bytes: &mut [u8]) -> bool {
    let digit = |byte| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    hex.len() == bytes.len() * 2
        && bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)).all(|(byte, pair)| {
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => {
                    *byte = high << 4 | low;
                    true
                }
                _ => false,
            }
        })
}
