//! The decoder of chains: it checks the bytes and finds the sections.

use super::{Chain, FORMAT, FRAME, HEADER, STATE, StateId};
use crate::FormatError;
use crate::wire::{self, Sections};

/// The number of states, and where the sections after them begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) states: u32,
    pub(super) targets_at: usize,
    pub(super) likelihoods_at: usize,
    pub(super) string_ends_at: usize,
    pub(super) text_at: usize,
}

impl Layout {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        FRAME.check_version(bytes)?;
        FRAME.check_reserved(bytes)?;
        let mut sections = Sections::new(FORMAT, 0, bytes.len());
        sections.next(1, HEADER as u64)?;
        let count = |offset| u64::from(wire::u32_at(bytes, offset));
        let states = sections.next(count(28), STATE as u64)?;
        let targets = sections.next(count(32), 4)?;
        let likelihoods = sections.next(count(32), 1)?;
        let string_ends = sections.next(count(36), 4)?;
        let text = sections.next(count(40), 1)?;
        sections.finish()?;
        FRAME.check_checksum(bytes, "contents")?;
        debug_assert_eq!(states.start, HEADER);
        let layout = Self {
            states: wire::u32_at(bytes, 28),
            targets_at: targets.start,
            likelihoods_at: likelihoods.start,
            string_ends_at: string_ends.start,
            text_at: text.start,
        };
        layout.validate(bytes)?;
        Ok(layout)
    }

    fn validate(self, bytes: &[u8]) -> Result<(), FormatError> {
        let corrupt = |what| Err(FormatError::Corrupt { format: FORMAT, what });
        let (steps, strings) = (wire::u32_at(bytes, 32), wire::u32_at(bytes, 36));
        if strings == 0 {
            return corrupt("the empty string is missing");
        }
        let chain = Chain { bytes, layout: self };
        chain.strings().validate(FORMAT)?;
        let rows = bytes.get(HEADER..self.targets_at).unwrap_or_default();
        let mut last = 0;
        for row in rows.chunks_exact(STATE) {
            let end = wire::u32_at(row, 8);
            if wire::u32_at(row, 0) >= strings {
                return corrupt("it refers to a string that is not there");
            }
            if end < last {
                return corrupt("the ends of its steps are not ascending");
            }
            last = end;
        }
        if last != steps {
            return corrupt("the ends of its steps are not ascending");
        }
        let targets = bytes.get(self.targets_at..self.likelihoods_at).unwrap_or_default();
        if wire::max_u32(targets).is_some_and(|target| target >= self.states) {
            return corrupt("a step leads to a state that is not there");
        }
        let key = |id: u32| {
            let state = chain.state(StateId(id));
            (state.name, state.major)
        };
        match (1..self.states).all(|id| key(id - 1) < key(id)) {
            true => Ok(()),
            false => corrupt("its states are not ascending"),
        }
    }
}
