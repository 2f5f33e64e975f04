//! The MAC of a record, and its check without telling by the time where the record's padding
//! begins (the attack "Lucky Thirteen").

use sha1::Sha1;
use sha2::{Sha256, Sha384};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// The longest MAC and the longest block of a digest, in bytes.
const LONGEST: usize = 48;
const LONGEST_BLOCK: usize = 128;

/// The digest of a MAC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha384,
}

impl Digest {
    /// Returns the length of the MAC, and of its key, in bytes.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    pub(super) fn keyed(self, key: &[u8]) -> Box<dyn Mac> {
        match self {
            Self::Sha1 => Box::new(Hmac::<Sha1>::new(key, 64)),
            Self::Sha256 => Box::new(Hmac::<Sha256>::new(key, 64)),
            Self::Sha384 => Box::new(Hmac::<Sha384>::new(key, 128)),
        }
    }
}

/// A MAC with its key.
pub(super) trait Mac: Send + Sync {
    /// Returns the length of the MAC in bytes.
    fn length(&self) -> usize;

    /// Returns the MAC of `header` and `content`; the bytes after its length are zero.
    fn sign(&self, header: &[u8], content: &[u8]) -> [u8; LONGEST];

    /// Returns the MAC of `header` and the first `length` bytes of `content`, in a time that
    /// depends on `range` alone. `length` is within `range`, which is within `content`.
    fn sign_secretly(
        &self,
        header: &[u8],
        content: &[u8],
        length: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> [u8; LONGEST];
}

/// HMAC (RFC 2104) with a key that is no longer than a block.
struct Hmac<D> {
    inner: D,
    outer: D,
}

impl<D: sha2::Digest + Clone> Hmac<D> {
    fn new(key: &[u8], block: usize) -> Self {
        let begin = |fill: u8| {
            let mut pad = [fill; LONGEST_BLOCK];
            for (pad, key) in pad[..block].iter_mut().zip(key) {
                *pad ^= key;
            }
            D::new().chain_update(&pad[..block])
        };
        Self { inner: begin(0x36), outer: begin(0x5c) }
    }

    fn finish(&self, inner: &[u8]) -> [u8; LONGEST] {
        let mut mac = [0; LONGEST];
        let digest = self.outer.clone().chain_update(inner).finalize();
        mac[..digest.len()].copy_from_slice(&digest);
        mac
    }
}

impl<D: sha2::Digest + Clone + Send + Sync> Mac for Hmac<D> {
    fn length(&self) -> usize {
        <D as sha2::Digest>::output_size()
    }

    fn sign(&self, header: &[u8], content: &[u8]) -> [u8; LONGEST] {
        let inner = self.inner.clone().chain_update(header).chain_update(content);
        self.finish(&inner.finalize())
    }

    fn sign_secretly(
        &self,
        header: &[u8],
        content: &[u8],
        length: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> [u8; LONGEST] {
        // The digest is taken at every length that is possible, and the right one is kept.
        let (first, last) = range.into_inner();
        let mut running = self.inner.clone().chain_update(header).chain_update(&content[..first]);
        let mut kept = [0; LONGEST];
        for end in first..=last {
            let digest = running.clone().finalize();
            let is_end = (end as u64).ct_eq(&(length as u64));
            for (kept, byte) in kept.iter_mut().zip(digest.iter()) {
                kept.conditional_assign(byte, is_end);
            }
            if end < last {
                running.update(&content[end..=end]);
            }
        }
        self.finish(&kept[..self.length()])
    }
}

/// Returns the length of the content of a decrypted record `content ‖ MAC ‖ padding`, if MAC and
/// padding are right. `header` returns the header for a length of the content.
pub(super) fn open(
    mac: &dyn Mac,
    record: &[u8],
    header: impl Fn(usize) -> [u8; 13],
) -> Option<usize> {
    let size = mac.length();
    // The length of the record is no secret.
    let room = record.len().checked_sub(size + 1)?;
    let (claimed, mut is_right) = padding(record, room);
    let length = room - claimed;
    let first = room.saturating_sub(255);
    let expected = mac.sign_secretly(&header(length), record, length, first..=room);
    let mut found = [0; LONGEST];
    for start in first..=room {
        let is_start = (start as u64).ct_eq(&(length as u64));
        for (found, byte) in found[..size].iter_mut().zip(&record[start..start + size]) {
            found.conditional_assign(byte, is_start);
        }
    }
    is_right &= found[..size].ct_eq(&expected[..size]);
    bool::from(is_right).then_some(length)
}

/// Returns the number of padding bytes before the last one, or zero where the padding is wrong,
/// and whether it is right. At most `room` bytes may be padding.
fn padding(record: &[u8], room: usize) -> (usize, Choice) {
    let Some((&last, before)) = record.split_last() else {
        return (0, Choice::from(0));
    };
    let claimed = u64::from(last);
    let mut is_right = !less(room as u64, claimed);
    for (distance, byte) in before.iter().rev().take(255).enumerate() {
        let is_padding = less(distance as u64, claimed);
        is_right &= !is_padding | byte.ct_eq(&last);
    }
    let claimed = u64::conditional_select(&0, &claimed, is_right);
    (claimed as usize, is_right)
}

/// Returns whether `a < b`, for numbers below 2^63, without a branch.
fn less(a: u64, b: u64) -> Choice {
    Choice::from((a.wrapping_sub(b) >> 63) as u8)
}
