//! What is likely to be asked for next: a Markov chain over packages, learnt from resolutions.
//!
//! A state is a package in one of its majors. A resolution is learnt package by package: what it had below a package
//! becomes more likely there, what it had not becomes less so ([`learn`]). From what a project asks for, the chain is
//! followed along the likeliest way to every package, and likelihoods multiply along it ([`predict`]). It is all about
//! names and numbers: nothing here asks for anything, and a wrong prediction costs whoever acts on it time, nothing else.

mod learn;
mod observe;
mod predict;
mod seed;
#[cfg(test)]
mod tests;

pub use learn::{Observation, learn};
pub use observe::{major_of, observations, state_of};
pub use predict::{Prediction, predict};
pub use seed::Seed;

/// The likelihood of what is certain.
pub const CERTAIN: u32 = 1 << 16;
