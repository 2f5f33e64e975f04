//! A salted Bloom filter of package ids, by which a client says what it holds without naming it.
//!
//! Ids are digests, so their own bytes serve as hashes once the salt is mixed in. The positions of
//! an id are `first + number * second` modulo the number of bits, the double hashing of Kirsch and
//! Mitzenmacher ("Less Hashing, Same Performance", 2006).

use dx_pkg_core::PackageId;
use twox_hash::XxHash3_64;

use crate::wire::{Reader, Writer};

/// The most bytes of a filter.
pub const MOST_FILTER: usize = 64 << 10;
/// The most positions of one id.
const MOST_HASHES: u8 = 20;

/// A set of ids that may seem to contain some that it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    salt: u64,
    hashes: u8,
    bits: Vec<u8>,
}

impl Filter {
    /// Returns a filter of `ids` in which an id that is not among them seems to be, with a
    /// probability of about `error`, unless that would take more than [`MOST_FILTER`] bytes. A new
    /// `salt` makes other mistakes.
    #[must_use]
    pub fn new(ids: &[PackageId], error: f64, salt: u64) -> Self {
        let halvings = -error.clamp(1e-6, 0.5).log2();
        let bits = ids.len() as f64 * halvings * std::f64::consts::LOG2_E;
        // At most MOST_FILTER, and not negative.
        let bytes = (bits / 8.0).ceil().min(MOST_FILTER as f64) as usize;
        let mut filter = Filter { salt, hashes: 1, bits: vec![0; bytes] };
        if !ids.is_empty() {
            let best = bytes as f64 * 8.0 / ids.len() as f64 * std::f64::consts::LN_2;
            filter.hashes = best.round().clamp(1.0, f64::from(MOST_HASHES)) as u8;
        }
        for id in ids {
            for position in filter.positions(*id).collect::<Vec<_>>() {
                if let Some(byte) = filter.bits.get_mut(position / 8) {
                    *byte |= 1 << (position % 8);
                }
            }
        }
        filter
    }

    /// Returns whether `id` seems to be in the set: true for every id that is.
    #[must_use]
    pub fn contains(&self, id: PackageId) -> bool {
        let is_set = |position: usize| {
            self.bits.get(position / 8).is_some_and(|byte| byte >> (position % 8) & 1 != 0)
        };
        !self.bits.is_empty() && self.positions(id).all(is_set)
    }

    fn positions(&self, id: PackageId) -> impl Iterator<Item = usize> + use<> {
        let bits = (self.bits.len() as u64 * 8).max(1);
        let first = XxHash3_64::oneshot_with_seed(self.salt, id.as_bytes());
        let second = XxHash3_64::oneshot_with_seed(!self.salt, id.as_bytes()) | 1;
        (0..u64::from(self.hashes))
            .map(move |number| (first.wrapping_add(number.wrapping_mul(second)) % bits) as usize)
    }

    pub(super) fn write(&self, out: &mut Writer) {
        out.u64(self.salt);
        out.u8(self.hashes);
        out.blob(&self.bits);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let (salt, hashes, bits) = (reader.u64()?, reader.u8()?, reader.blob()?);
        let is_bounded = (1..=MOST_HASHES).contains(&hashes) && bits.len() <= MOST_FILTER;
        is_bounded.then(|| Self { salt, hashes, bits: bits.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(from: u64, count: u64) -> Vec<PackageId> {
        let id =
            |number: u64| PackageId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (from..from + count).map(id).collect()
    }

    #[test]
    #[cfg_attr(miri, ignore = "hashes tens of thousands of packages")]
    fn a_filter_contains_what_it_was_made_of_and_little_else() {
        let held = ids(0, 5000);
        let filter = Filter::new(&held, 0.01, 7);
        assert!(held.iter().all(|id| filter.contains(*id)));
        assert!((5900..6100).contains(&filter.bits.len()), "{} bytes", filter.bits.len());
        let mistaken = ids(1_000_000, 20_000).iter().filter(|id| filter.contains(**id)).count();
        assert!((100..300).contains(&mistaken), "{mistaken} of 20,000, expected 200");
    }

    #[test]
    #[cfg_attr(miri, ignore = "hashes tens of thousands of packages")]
    fn a_filter_has_a_limit_and_an_empty_one_contains_nothing() {
        assert_eq!(Filter::new(&ids(0, 200_000), 0.001, 1).bits.len(), MOST_FILTER);
        let empty = Filter::new(&[], 0.001, 1);
        assert!(empty.bits.is_empty() && !ids(0, 100).iter().any(|id| empty.contains(*id)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "hashes tens of thousands of packages")]
    fn another_salt_makes_other_mistakes() {
        let held = ids(0, 1000);
        let (one, other) = (Filter::new(&held, 0.05, 1), Filter::new(&held, 0.05, 2));
        let others = ids(1_000_000, 10_000);
        let both = others.iter().filter(|id| one.contains(**id) && other.contains(**id)).count();
        assert!(both < 100, "{both}, expected 25");
    }
}
