//! The field of a file that says where it comes from: the digest of a text, or, in the record of a
//! tree, what whoever wrote it put there to know it again.

use dx_pkg_format::wire::Frame;

use super::{HEADER_SIZE, header};

/// The offset at which the field ends.
const END: usize = header::SOURCE_DIGEST + 32;

/// Returns the parts of a file beside the field and the checksum over it; `None` for bytes that are
/// too few for a file.
#[must_use]
pub fn without_source_digest(bytes: &[u8]) -> Option<[&[u8]; 2]> {
    let start = bytes.get(..header::CHECKSUM).filter(|_| bytes.len() >= HEADER_SIZE)?;
    Some([start, bytes.get(END..)?])
}

/// Sets the field of a file.
pub fn set_source_digest(bytes: &mut [u8], digest: [u8; 32]) {
    if let Some(field) = bytes.get_mut(header::SOURCE_DIGEST..END) {
        field.copy_from_slice(&digest);
        Frame::write_checksum(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Lock;
    use crate::dxl::{DxlView, encode};

    #[test]
    fn only_the_field_and_the_checksum_differ() {
        let lock = Lock { name: Some("project".to_owned()), ..Lock::default() };
        let plain = encode(&lock, [0; 32]);
        let mut changed = plain.clone();
        set_source_digest(&mut changed, [7; 32]);
        assert_eq!(changed, encode(&lock, [7; 32]));
        assert_eq!(DxlView::open(&changed).unwrap().source_digest(), [7; 32]);
        assert_eq!(without_source_digest(&changed), without_source_digest(&plain));
        let other = encode(&Lock::default(), [7; 32]);
        assert_ne!(without_source_digest(&changed), without_source_digest(&other));
        assert_eq!(without_source_digest(&plain[..79]), None);
    }
}
