//! The division of packages among the streams of one request.
//!
//! Each stream is a request of its own, and sizes become known while packages are converted, so the
//! first that comes divides, and the others take what it has divided.

use dx_pkg_core::PackageId;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time for which a division is kept: the streams of a request come at once.
const KEPT: Duration = Duration::from_secs(120);
/// The most divisions that are kept, and the most packages in all of them.
const MOST: usize = 256;
const MOST_PACKAGES: usize = 1 << 20;

/// The packages of each stream, by their numbers in the request, the largest first.
pub(super) type Division = Vec<Vec<u32>>;

/// A division, by the digest of its request, and when it was made.
type Known = ([u8; 32], Instant, Arc<Division>);

/// The divisions of a moment ago.
#[derive(Default)]
pub(super) struct Divisions(Mutex<VecDeque<Known>>);

impl Divisions {
    /// Returns the division of a request with this digest, the same for all its streams.
    pub(super) fn of(
        &self,
        digest: [u8; 32],
        parts: u16,
        sizes: impl FnOnce() -> Vec<u64>,
    ) -> Arc<Division> {
        if parts <= 1 {
            return Arc::new(divide(&sizes(), 1));
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, since, _)| since.elapsed() < KEPT);
        if let Some((.., division)) = known.iter().find(|(own, ..)| *own == digest) {
            return Arc::clone(division);
        }
        let division = Arc::new(divide(&sizes(), parts));
        known.push_back((digest, Instant::now(), Arc::clone(&division)));
        let count = |division: &Division| division.iter().map(Vec::len).sum::<usize>();
        let mut all: usize = known.iter().map(|(.., division)| count(division)).sum();
        while known.len() > 1 && (known.len() > MOST || all > MOST_PACKAGES) {
            let first = known.pop_front();
            all -= first.map_or(0, |(.., division)| count(&division));
        }
        division
    }
}

/// Returns the digest of what the streams of a request have in common.
pub(super) fn digest(parts: u16, ids: impl Iterator<Item = PackageId>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&parts.to_le_bytes());
    for id in ids {
        hasher.update(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Divides packages of these sizes so that all parts have about as many bytes.
fn divide(sizes: &[u64], parts: u16) -> Division {
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    let size = |number: u32| sizes.get(number as usize).copied().unwrap_or_default();
    order.sort_by_key(|number| (std::cmp::Reverse(size(*number)), *number));
    let mut filled = vec![0_u64; usize::from(parts).max(1)];
    let mut division = vec![Vec::new(); filled.len()];
    for number in order {
        let least = filled.iter().enumerate().min_by_key(|(at, bytes)| (**bytes, *at));
        let at = least.map_or(0, |(at, _)| at);
        // As many messages take time too.
        filled[at] += size(number) + 512;
        division[at].push(number);
    }
    division
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_even_and_each_package_is_in_one() {
        let sizes: Vec<u64> = (0..1000).map(|number| (number * 7919) % 100_003).collect();
        let division = divide(&sizes, 4);
        let bytes = |part: &Vec<u32>| -> u64 { part.iter().map(|at| sizes[*at as usize]).sum() };
        let (most, least) =
            (division.iter().map(bytes).max().unwrap(), division.iter().map(bytes).min().unwrap());
        assert!(most - least < 100_003 / 50, "{most} and {least}");
        let mut all: Vec<u32> = division.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        for part in &division {
            assert!(part.is_sorted_by_key(|at| std::cmp::Reverse(sizes[*at as usize])));
        }
    }

    #[test]
    fn streams_of_a_request_take_one_division_although_sizes_change() {
        let divisions = Divisions::default();
        let first = divisions.of([1; 32], 2, || vec![10, 20, 30]);
        assert_eq!(divisions.of([1; 32], 2, || vec![30, 20, 10]), first);
        assert_ne!(divisions.of([2; 32], 2, || vec![30, 20, 10]), first);
    }
}
