//! The solver of peer conflicts.
//!
//! npm's rules choose the version of each package by itself, and refuse where peers then contradict
//! each other. Here the versions are chosen together: those of an importer's direct dependencies
//! that peer requirements join, and those of packages that are there only as peers. Everything else
//! is placed by npm's rules. The design is in `docs/design/0017-solver.md`.

mod encode;
pub(crate) mod fewest;
mod gather;
mod order;
mod problem;
mod remedy;
mod sat;

#[cfg(test)]
mod tests;

pub use remedy::Move;
pub(crate) use remedy::remedy;
