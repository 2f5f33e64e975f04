//! Predicts which packages an install will request: a Markov chain over packages, learnt from
//! resolutions.
//!
//! A state is a package in one of its majors. [`learn`] adds a resolution: a dependency that it has
//! becomes more likely below its dependent, one that it lacks less so. [`predict`] follows the
//! chain from the project's requirements along the likeliest path to every package; likelihoods
//! multiply along it. A wrong prediction costs time, nothing else.
//!
//! [`History`] applies both to a machine: the chains in the store, the project's lockfile and the
//! table shipped with dx.

mod history;
mod learn;
mod observe;
mod search;
mod seed;
#[cfg(test)]
mod tests;

pub use history::{History, table_date};
pub use learn::{Observation, learn};
pub use observe::{major_of, observations, state_of};
pub use search::{Prediction, predict};
pub use seed::Seed;

/// The likelihood of a certain package.
pub const CERTAIN: u32 = 1 << 16;
