//! Resolution: scenarios, properties of random projects, and npm's own results.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod brute;
mod bundles;
mod change;
mod choice;
mod conflicts;
mod explain;
mod fewest;
mod folders;
mod growth;
mod helped;
mod incomplete;
mod lockfile;
mod offers;
mod optional;
mod oracle;
mod peers;
mod placement;
mod planned;
mod properties;
mod refusals;
mod shapes;
mod shapes_cases;
mod solve;
mod stale_overrides;
mod stale_peers;
mod taken;
mod whole;
mod world;
