//! Deterministic mutations of a corpus.

/// Values at which decoders that count, add or compare tend to fail.
const INTERESTING: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// Headers and tables stand at the beginning; half of all mutations happen there.
const HEAD: usize = 512;

/// Makes inputs out of valid ones.
pub struct Mutator<'a> {
    state: u64,
    corpus: &'a [Vec<u8>],
}

impl<'a> Mutator<'a> {
    pub fn new(seed: u64, corpus: &'a [Vec<u8>]) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, corpus }
    }

    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.corpus[self.below(self.corpus.len())].clone();
        for _ in 0..=self.below(4) {
            self.mutate(&mut input);
        }
        input
    }

    /// A number below `limit`, by xorshift64*.
    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let number = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        (number % limit.max(1) as u64) as usize
    }

    fn position(&mut self, length: usize) -> usize {
        let limit = if self.below(2) == 0 { length.min(HEAD) } else { length };
        self.below(limit)
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.position(input.len());
        match self.below(9) {
            0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
            1 if !input.is_empty() => input[at] = self.below(256) as u8,
            2 if !input.is_empty() => input[at] = input[at].wrapping_add(1),
            3 => self.overwrite(input, at),
            4 => input.truncate(at),
            5 => {
                let end = (at + 1 + self.below(32)).min(input.len());
                input.drain(at.min(end)..end);
            }
            6 => {
                let bytes: Vec<u8> = (0..=self.below(16)).map(|_| self.below(256) as u8).collect();
                input.splice(at..at, bytes);
            }
            7 => self.copy_within(input, at),
            _ => self.splice(input, at),
        }
    }

    /// Writes an interesting number, or a small one, in 1, 2, 4 or 8 bytes, at a multiple of its
    /// width.
    fn overwrite(&mut self, input: &mut [u8], at: usize) {
        let width = 1 << self.below(4);
        let at = at / width * width;
        let number = match self.below(3) {
            0 => self.below(1024) as u64,
            _ => INTERESTING[self.below(INTERESTING.len())],
        };
        if let Some(place) = input.get_mut(at..at + width) {
            place.copy_from_slice(&number.to_le_bytes()[..width]);
        }
    }

    fn copy_within(&mut self, input: &mut [u8], at: usize) {
        let from = self.position(input.len());
        let length = self.below(64).min(input.len() - from).min(input.len() - at);
        input.copy_within(from..from + length, at);
    }

    /// Goes on with another input's bytes.
    fn splice(&mut self, input: &mut Vec<u8>, at: usize) {
        let other = &self.corpus[self.below(self.corpus.len())];
        let from = at.min(other.len());
        input.truncate(at);
        input.extend_from_slice(&other[from..]);
    }
}
