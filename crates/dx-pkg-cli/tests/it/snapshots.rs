//! Whole outputs as a user sees them, with paths, addresses and times replaced.
//!
//! To accept changed outputs, run the tests with `INSTA_UPDATE=always`, then
//! `cargo xtask snapshots`, and read the difference.

mod errors;
mod help;
mod summaries;

use dx_pkg_testkit::Project;

use crate::harness::command;

/// Runs `dx` in a project and returns what it printed.
fn output<const N: usize>(project: &Project, args: [&str; N]) -> String {
    command(project).args(args).run().snapshot()
}
