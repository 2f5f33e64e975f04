//! `cargo xtask compare generated --only KIND,…`: whole installs of generated projects with every
//! source and form that a `package.json` can have; `cargo xtask compare installs`: such of packages
//! from a registry.
//!
//! `forms/compare.js` runs npm's own code once for each project and records what it makes of its
//! steps; dx is compared with the record. Here it is given its programs and folders.

use std::process::{Command, Stdio};

use crate::dx::Dx;
use crate::options::Options;
use crate::workspace;

/// Compares `--runs` generated projects of `kinds` from `--seed` on; fails when any
/// differs. npm's side is recorded in `--record`, by default the folder `folder` of `target`; with
/// `--without dx` nothing is compared.
pub(super) fn run(options: &Options, kinds: &str, folder: &str) -> Result<(), String> {
    options.required("npm")?;
    let cli = options.path("npm")?.unwrap_or_default();
    let npm = cli.ancestors().nth(2).ok_or("--npm is to name npm's bin/npm-cli.js")?.to_owned();
    let (seed, runs) = (options.number("seed", 1)?, options.number("runs", 300)?);
    let record = options.path("record")?;
    let record = record.unwrap_or_else(|| workspace::target().join(folder));
    let mut node = Command::new(options.path("node")?.unwrap_or_else(|| "node".into()));
    node.arg(workspace::root().join("xtask/forms/compare.js")).arg(npm);
    node.args([seed.to_string(), runs.to_string()]).args(["--kind", kinds]);
    node.arg("--record").arg(record).stdin(Stdio::null());
    if !options.list("without", "").contains(&"dx") {
        node.arg("--dx").arg(Dx::new(options)?.path());
    }
    for (option, own) in [("old-npm", "--old"), ("data", "--keep")] {
        if let Some(path) = options.path(option)? {
            node.arg(own).arg(path);
        }
    }
    let status = node.status().map_err(|error| format!("{node:?}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("some projects differ, or could not be compared".to_owned())
    }
}
