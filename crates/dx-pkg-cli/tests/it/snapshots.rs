//! Whole outputs as a user sees them, with paths, addresses and times replaced.
//!
//! To accept changed outputs, run the tests with `INSTA_UPDATE=always`, then
//! `cargo xtask snapshots`, and read the difference. Those of `situations` are files.

mod errors;
mod help;
mod help_archives;
mod help_of_all;
mod help_remove;
mod situations;
mod summaries;

use dx_pkg_testkit::Project;

use crate::harness::command;

/// Runs `dx` in a project and returns what it printed.
fn output<const N: usize>(project: &Project, args: [&str; N]) -> String {
    without_machine(&command(project).args(args).run().snapshot())
}

/// Replaces what is said of this machine: its platform and its version of Node.js.
fn without_machine(text: &str) -> String {
    let mut parts = text.split("(current: ");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push_str("(current: [HERE]");
        replaced.push_str(part.find(')').map_or("", |end| &part[end..]));
    }
    replaced
}
