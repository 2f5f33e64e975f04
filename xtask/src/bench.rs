//! `cargo xtask bench`: dx beside npm, pnpm, Yarn and Bun, against a recorded registry on this
//! machine.
//!
//! - `bench peers` installs the other managers, `bench record` records the packages of the
//!   fixtures; both once.
//! - `bench` runs scenarios and records the results in `target/bench/results.json`, replacing
//!   earlier ones of the same scenarios; `bench parts` measures single parts of dx beside their
//!   baselines, and records them there too.
//! - `bench page` writes `docs/benchmarks.md` and its charts from that file; `bench all` does the
//!   three.
//! - `bench timeline` draws which requests a cold install waits for, one after the other.
//! - `bench serve` is the recorded registry by itself.

mod chart;
mod claims;
mod disk;
mod exec;
mod fixtures;
mod help;
mod images;
mod machine;
mod managers;
mod networks;
mod page;
mod parts;
mod peers;
mod place;
mod record;
mod registry;
mod relay;
mod results;
mod scenario;
mod server;
mod suite;
mod table;
mod through;
mod timeline;

pub(crate) use exec::run as exec;
pub(crate) use help::{CALLS, help};

use crate::options::Options;
use crate::workspace;
use std::path::PathBuf;

/// Carries out the part of the task that the first word names.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    match options.word() {
        None => suite::run(options),
        Some("parts") => run_parts(options),
        Some("page") => page::write_all(),
        Some("all") => {
            suite::run(options).and_then(|()| run_parts(options)).and_then(|()| page::write_all())
        }
        Some("peers") => peers::install(options, &folder().join("peers")),
        Some("record") => record::run(options),
        Some("timeline") => timeline::run(options),
        Some("serve") => server::serve(options, None),
        Some("serve-recording") => server::serve(options, Some(record::upstream()?)),
        Some(other) => Err(format!("bench {other}: no such part; see `cargo xtask bench --help`")),
    }
}

fn run_parts(options: &Options) -> Result<(), String> {
    let parts = parts::measure(options)?;
    let mut results = results::Results::load()?;
    results
        .parts
        .retain(|old| !parts.iter().any(|new| (&new.group, &new.name) == (&old.group, &old.name)));
    results.parts.extend(parts);
    println!("kept in {}", results.save()?.display());
    Ok(())
}

/// Returns the folder of all measurements.
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
