//! The fewest versions of packages that a whole project needs, or the fewest that are outdated.
//!
//! npm's rules take the newest version for each requirement, one after the other. Here all are
//! chosen together, within the same ranges: every version of a package that is in the tree, and
//! that needs no package of a name that is not, may be chosen. The choice becomes pins of an
//! ordinary resolution, which counts only if it has no conflict that was not there before. The
//! design is in `docs/design/0019-fewest-versions.md`.

mod apply;
mod gather;
mod problem;
mod score;
mod search;
mod single;
mod trial;

#[cfg(test)]
mod tests;

pub use apply::minimise;
pub use score::{Aim, Fewer, Score, Step};
pub(crate) use single::with_single;
