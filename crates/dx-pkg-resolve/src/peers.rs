//! Peer requirements that contradict each other, and what was done about them.

use std::collections::HashSet;

pub use crate::explain::Conflict;
pub use crate::explanation::{
    Change, Ending, Exception, Explanation, Fact, Finding, Need, Party, Section, Statement, Wanted,
};
pub use crate::solve::Move;

/// Returns whether conflicts about the peers `disputed` may have a solution once the packages
/// `dropped` are no longer required: these are among the peers, or one asks for another. `packages`
/// are the names in the tree, each with the names of its peers.
pub fn were_in_the_way<'p, P: Iterator<Item = &'p str> + Clone>(
    dropped: &[String],
    disputed: &HashSet<&str>,
    mut packages: impl Iterator<Item = (&'p str, P)>,
) -> bool {
    let is_dropped = |name: &str| dropped.iter().any(|one| one == name);
    let is_joined = |(name, mut peers): (&str, P)| {
        is_dropped(name) && peers.clone().any(|peer| disputed.contains(peer))
            || disputed.contains(name) && peers.any(is_dropped)
    };
    !dropped.is_empty()
        && (dropped.iter().any(|name| disputed.contains(name.as_str())) || packages.any(is_joined))
}
