//! Peer requirements that contradict each other, and what was done about them.

pub use crate::explain::Conflict;
pub use crate::solve::Move;
