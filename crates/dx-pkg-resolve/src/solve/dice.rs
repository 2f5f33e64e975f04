//! Numbers for the random problems of the tests.

/// A small generator of numbers; the same seed gives the same problem.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, end: usize) -> bool {
        self.below(end) == 0
    }
}
