//! DXC: a Markov chain of packages, mapped and read in place.
//!
//! A state is a package in one major version. Its steps lead to the packages that resolutions had
//! below it, each with its likelihood. States ascend by name and major version, so they are found
//! by binary search. Decoding checks the checksum, every offset, every reference and the order
//! once; accessors then cannot fail. Little-endian throughout:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXC\0` |
//! | 4 | 2 | format version, 1 |
//! | 6 | 2 | zero |
//! | 8 | 8 | XXH3-64 of all bytes from offset 16 |
//! | 16 | 8 | time of training, ms since 1970 |
//! | 24 | 4 | number of resolutions it was trained with |
//! | 28 | 4 | number of states, N |
//! | 32 | 4 | number of steps, E |
//! | 36 | 4 | number of strings, S |
//! | 40 | 4 | bytes of strings, B |
//! | 44 | 20 | zero |
//! | 64 | N × 20 | states: name (string number), major, end of steps, last seen, observations |
//! | … | E × 4 | steps: the state each leads to |
//! | … | E × 1 | likelihood of each step, in 255ths |
//! | … | S × 4 | end of each string, in bytes |
//! | … | B | strings, UTF-8 |
//!
//! String 0 is empty.

mod encode;
mod layout;

use std::cmp::Ordering;
use std::ops::Range;

use crate::FormatError;
use crate::wire::{self, Frame, StringTable};
use layout::Layout;

pub use encode::{ChainData, StateData, Step};

/// The first four bytes of a DXC file.
pub const SIGNATURE: [u8; 4] = *b"DXC\0";
/// The version of the format this build reads and writes.
pub const VERSION: u16 = 1;

const FORMAT: &str = "DXC";
const FRAME: Frame = Frame { format: FORMAT, signature: SIGNATURE, version: VERSION };
const HEADER: usize = 64;
const STATE: usize = 20;

/// The position of a state among the ascending states of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub u32);

/// A decoded chain over borrowed bytes.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

/// A state: a package in one major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its major version.
    pub major: u32,
    /// The number of the last resolution with this state.
    pub seen: u32,
    /// The number of resolutions with this state.
    pub observations: u32,
}

impl<'a> Chain<'a> {
    /// Decodes a chain in place.
    ///
    /// # Errors
    /// When the signature or version does not match, or the bytes are truncated or damaged.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        Ok(Self { bytes, layout: Layout::decode(bytes)? })
    }

    /// Returns the time of training, in milliseconds since 1970.
    #[must_use]
    pub fn trained_ms(&self) -> u64 {
        wire::u64_at(self.bytes, 16)
    }

    /// Returns the number of resolutions it was trained with.
    #[must_use]
    pub fn resolutions(&self) -> u32 {
        wire::u32_at(self.bytes, 24)
    }

    /// Returns the number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.states as usize
    }

    /// Returns whether there are no states.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layout.states == 0
    }

    /// Returns all states, ascending.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = StateId> + use<> {
        (0..self.layout.states).map(StateId)
    }

    /// Returns a state; an empty one for an id of another chain.
    #[must_use]
    pub fn state(&self, id: StateId) -> State<'a> {
        let at = HEADER + id.0 as usize * STATE;
        let in_chain = id.0 < self.layout.states;
        let word =
            |field: usize| if in_chain { wire::u32_at(self.bytes, at + field * 4) } else { 0 };
        State {
            name: self.strings().get(word(0)),
            major: word(1),
            seen: word(3),
            observations: word(4),
        }
    }

    /// Returns the steps of a state: the next state, and the likelihood in 255ths.
    pub fn steps(&self, id: StateId) -> impl ExactSizeIterator<Item = (StateId, u8)> + use<'a> {
        let end =
            |state: u32| wire::u32_at(self.bytes, HEADER + state as usize * STATE + 8) as usize;
        let range = match id.0 {
            state if state >= self.layout.states => 0..0,
            0 => 0..end(0),
            state => end(state - 1)..end(state),
        };
        let slice = |start: usize, size: usize| {
            self.bytes.get(start + range.start * size..start + range.end * size).unwrap_or_default()
        };
        let targets = wire::words(slice(self.layout.targets_at, 4));
        targets
            .zip(slice(self.layout.likelihoods_at, 1))
            .map(|(target, likelihood)| (StateId(target), *likelihood))
    }

    /// Returns the state of a package in this major version.
    #[must_use]
    pub fn find(&self, name: &str, major: u32) -> Option<StateId> {
        let majors = self.majors(name);
        let first =
            majors.start + self.lower_bound(majors.clone(), |state| state.major.cmp(&major));
        (majors.contains(&first) && self.state(StateId(first)).major == major)
            .then_some(StateId(first))
    }

    /// Returns the states of a package, ascending by major version; empty if there are none.
    #[must_use]
    pub fn majors(&self, name: &str) -> Range<u32> {
        let all = 0..self.layout.states;
        let start = self.lower_bound(all.clone(), |state| state.name.cmp(name));
        let count = self.lower_bound(start..all.end, |state| match state.name.cmp(name) {
            Ordering::Equal => Ordering::Less,
            other => other,
        });
        start..start + count
    }

    /// Returns how many states of `range` `order` finds to be less.
    fn lower_bound(&self, range: Range<u32>, order: impl Fn(&State<'a>) -> Ordering) -> u32 {
        let (mut low, mut high) = (range.start, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match order(&self.state(StateId(middle))) {
                Ordering::Less => low = middle + 1,
                _ => high = middle,
            }
        }
        low - range.start
    }

    fn strings(&self) -> StringTable<'a> {
        let Layout { string_ends_at, text_at, .. } = self.layout;
        let slice = |range: Range<usize>| self.bytes.get(range).unwrap_or_default();
        StringTable::new(slice(string_ends_at..text_at), slice(text_at..self.bytes.len()))
    }
}
