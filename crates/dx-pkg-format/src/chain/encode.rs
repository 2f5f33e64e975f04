//! Writing a chain.

use super::{CHECKED_FROM, FORMAT, HEADER, SIGNATURE, STATE, VERSION};
use crate::FormatError;
use crate::wire::{self, StringTableBuilder};

/// What a chain is written from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChainData<'a> {
    /// When it was trained, in milliseconds since 1970.
    pub trained_ms: u64,
    /// How many resolutions it has seen.
    pub resolutions: u32,
    /// Its states, in any order.
    pub states: Vec<StateData<'a>>,
}

/// One state to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateData<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its major version.
    pub major: u32,
    /// The number of the resolution it was last seen in.
    pub seen: u32,
    /// How many resolutions it was seen in.
    pub observations: u32,
    /// Where it leads.
    pub steps: Vec<Step>,
}

/// One step of a state to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The position of the state it leads to, among those given.
    pub to: usize,
    /// Its likelihood in 255ths.
    pub likelihood: u8,
}

impl ChainData<'_> {
    /// The DXC bytes of this chain. Steps that lead nowhere are left out.
    ///
    /// # Errors
    /// A state that is given twice, or more of anything than 32 bits can count.
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
        let (mut rows, mut targets, mut likelihoods) = (Vec::new(), Vec::new(), Vec::new());
        rows.reserve(order.len() * STATE);
        for position in order {
            let state = &self.states[position];
            let mut steps: Vec<(u32, u8)> = state
                .steps
                .iter()
                .filter_map(|step| Some((*place.get(step.to)?, step.likelihood)))
                .collect();
            steps.sort_unstable();
            for (target, likelihood) in steps {
                targets.extend_from_slice(&target.to_le_bytes());
                likelihoods.push(likelihood);
            }
            let end = u32::try_from(likelihoods.len()).map_err(|_| too_large("steps"))?;
            for word in
                [strings.intern(state.name), state.major, end, state.seen, state.observations]
            {
                rows.extend_from_slice(&word.to_le_bytes());
            }
        }
        let steps = u32::try_from(likelihoods.len()).map_err(|_| too_large("steps"))?;
        let (string_count, string_bytes) = strings.counts().ok_or(too_large("strings"))?;
        let mut out = Vec::with_capacity(
            HEADER + rows.len() + 5 * likelihoods.len() + string_bytes as usize * 2,
        );
        out.extend_from_slice(&SIGNATURE);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(&self.trained_ms.to_le_bytes());
        for word in [self.resolutions, states, steps, string_count, string_bytes] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.resize(HEADER, 0);
        for section in [rows, targets, likelihoods] {
            out.extend_from_slice(&section);
        }
        strings.write(&mut out);
        let checksum = wire::checksum(out.get(CHECKED_FROM..).unwrap_or_default());
        if let Some(field) = out.get_mut(8..16) {
            field.copy_from_slice(&checksum.to_le_bytes());
        }
        Ok(out)
    }
}
