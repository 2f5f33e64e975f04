//! `cargo xtask compare installs`: whole installs of generated projects with npm and with dx.
//!
//! `installs/compare.js` runs npm's own code in its process and dx beside it, on a registry of its
//! own, and compares lockfiles, trees and refusals. Here it is given its programs.

use std::process::{Command, Stdio};

use crate::dx::Dx;
use crate::options::Options;
use crate::workspace;

/// Compares `--runs` generated projects from `--seed` on, of one kind only with `--only`; fails
/// when any differs.
pub(super) fn run(options: &Options) -> Result<(), String> {
    options.required("npm")?;
    let cli = options.path("npm")?.unwrap_or_default();
    let npm = cli.ancestors().nth(2).ok_or("--npm is to name npm's bin/npm-cli.js")?.to_owned();
    let dx = Dx::new(options)?;
    let (seed, runs) = (options.number("seed", 1)?, options.number("runs", 1000)?);
    let mut node = Command::new(options.path("node")?.unwrap_or_else(|| "node".into()));
    node.arg(workspace::root().join("xtask/installs/compare.js")).arg(npm).arg(dx.path());
    node.args([seed.to_string(), runs.to_string()]).stdin(Stdio::null());
    if let Some(kind) = options.value("only") {
        node.args(["--kind", kind]);
    }
    if let Some(folder) = options.path("data")? {
        node.arg("--keep").arg(folder);
    }
    let status = node.status().map_err(|error| format!("{node:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("some projects differ, or could not be compared".to_owned())
    }
}
