//! Peer requirements that contradict each other, and what was done about them.

pub use crate::explain::Conflict;
pub use crate::explanation::{
    Change, Ending, Exception, Explanation, Fact, Finding, Need, Party, Section, Statement, Wanted,
};
pub use crate::solve::Move;
