//! The solver of peer conflicts.
//!
//! npm's rules choose the version of each package by itself, and refuse where peers then contradict
//! each other. Here the versions are chosen together: those of an importer's direct dependencies
//! that peer requirements join, and those of packages that are there only as peers. Everything else
//! is placed by npm's rules. What has no solution is explained. The design is in
//! `docs/design/0017-solver.md`.

mod alterations;
mod between;
mod consent;
#[cfg(test)]
mod dice;
mod encode;
pub(crate) mod fewest;
mod gather;
mod helpful;
mod input;
mod joint;
mod offer;
mod order;
mod packages;
mod pinned;
mod places;
mod problem;
mod published;
mod remedy;
mod sat;
mod search;
mod taken;
mod told;
mod unavailable;
mod variants;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use input::Input;
pub use pinned::Move;
pub(crate) use remedy::{Remedy, remedy};
pub(crate) use taken::{completed, is_refused};
pub(crate) use told::given_up;
pub(crate) use unavailable::{Available, told, with_available, with_fitting_engines};
