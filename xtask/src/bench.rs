//! `cargo xtask bench`: dx beside npm, pnpm, Yarn and Bun, against a recorded registry on this machine.
//!
//! - `bench peers` installs the other managers, `bench record` records what the fixtures need; both once.
//! - `bench` runs scenarios and writes `target/bench/results.json`, `docs/benchmarks.md` and its charts.
//! - `bench parts` measures single parts of dx beside their baselines, `bench page` writes the page again.
//! - `bench serve` is the recorded registry by itself.

mod disk;
mod exec;
mod fixtures;
mod machine;
mod managers;
mod networks;
mod peers;
mod place;
mod record;
mod results;
mod scenario;
mod server;
mod suite;
mod table;

pub(crate) use exec::run as exec;

use crate::options::Options;
use crate::workspace;
use std::path::PathBuf;

/// Carries out the part of the task that the first word names.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    match options.word() {
        None => suite::run(options),
        Some("peers") => peers::install(&folder().join("peers")),
        Some("record") => record::run(options),
        Some("serve") => server::serve(options, None),
        Some("serve-recording") => server::serve(options, Some(record::upstream()?)),
        Some(other) => Err(format!("bench {other}: no such part; see `cargo xtask`")),
    }
}

/// Where everything that is measured is kept.
fn folder() -> PathBuf {
    workspace::target().join("bench")
}

/// The folder of the recorded registry.
fn data(options: &Options) -> Result<PathBuf, String> {
    Ok(options.path("data")?.unwrap_or_else(|| folder().join("registry")))
}

/// The folder in which projects are installed.
fn root(options: &Options) -> Result<PathBuf, String> {
    Ok(options.path("root")?.unwrap_or_else(|| folder().join("work")))
}
