//! The encoder of chains.

use super::{FORMAT, FRAME, HEADER, STATE};
use crate::FormatError;
use crate::wire::{Frame, StringTableBuilder, Writer};

/// A chain to encode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainData<'a> {
    /// The time of training, in milliseconds since 1970.
    pub trained_ms: u64,
    /// The number of resolutions it was trained with.
    pub resolutions: u32,
    /// The states, in any order.
    pub states: Vec<StateData<'a>>,
}

/// A state to encode.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateData<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its major version.
    pub major: u32,
    /// The number of the last resolution with this state.
    pub seen: u32,
    /// The number of resolutions with this state.
    pub observations: u32,
    /// The steps to other states.
    pub steps: Vec<Step>,
}

/// A step to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The position of the next state in [`ChainData::states`].
    pub to: usize,
    /// Its likelihood in 255ths.
    pub likelihood: u8,
}

impl ChainData<'_> {
    /// Encodes the chain as DXC. Steps to states that do not exist are left out.
    ///
    /// # Errors
    /// When a state is given twice, or there are more items than 32 bits can count.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let too_large = |what| FormatError::TooLarge { format: FORMAT, what };
        let key = |position: usize| (self.states[position].name, self.states[position].major);
        let mut order: Vec<usize> = (0..self.states.len()).collect();
        order.sort_unstable_by(|a, b| key(*a).cmp(&key(*b)));
        if order.windows(2).any(|pair| key(pair[0]) == key(pair[1])) {
            return Err(FormatError::Corrupt { format: FORMAT, what: "a state is given twice" });
        }
        let states = u32::try_from(order.len()).map_err(|_| too_large("states"))?;
        let mut place = vec![0; order.len()];
        for (number, position) in (0_u32..).zip(&order) {
            place[*position] = number;
        }
        let mut strings = StringTableBuilder::default();
        let mut rows = Writer::with_capacity(order.len() * STATE);
        let (mut targets, mut likelihoods) = (Writer::default(), Vec::new());
        for position in order {
            let state = &self.states[position];
            let mut steps: Vec<(u32, u8)> = state
                .steps
                .iter()
                .filter_map(|step| Some((*place.get(step.to)?, step.likelihood)))
                .collect();
            steps.sort_unstable();
            for (target, likelihood) in steps {
                targets.u32(target);
                likelihoods.push(likelihood);
            }
            let end = u32::try_from(likelihoods.len()).map_err(|_| too_large("steps"))?;
            let name = strings.intern(state.name);
            rows.words([name, state.major, end, state.seen, state.observations]);
        }
        let steps = u32::try_from(likelihoods.len()).map_err(|_| too_large("steps"))?;
        let (string_count, string_bytes) = strings.counts().ok_or(too_large("strings"))?;
        let mut out =
            FRAME.begin(HEADER + rows.len() + 5 * likelihoods.len() + string_bytes as usize * 2);
        out.u64(self.trained_ms);
        out.words([self.resolutions, states, steps, string_count, string_bytes]);
        out.zeros_to(HEADER);
        for section in [rows.as_bytes(), targets.as_bytes(), &likelihoods] {
            out.bytes(section);
        }
        strings.write(&mut out);
        Ok(Frame::finish(out))
    }
}
