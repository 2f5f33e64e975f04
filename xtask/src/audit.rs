//! `cargo xtask audit`: the dependencies of both workspaces against the database of known
//! vulnerabilities, from the network or from a copy of it.

use crate::options::Options;
use crate::workspace;
use std::process::{Command, Stdio};

/// The lockfiles of the two workspaces.
const LOCKFILES: [&str; 2] = ["Cargo.lock", "fuzz/Cargo.lock"];

/// Runs `cargo audit` on each lockfile. With `--db` its database is that folder, a copy of the
/// repository of advisories, and nothing is requested.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut version = Command::new("cargo");
    version.args(["audit", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        return Err("cargo-audit is not installed: `cargo install cargo-audit --locked`".to_owned());
    }
    let database = options.path("db")?;
    if let Some(folder) = database.as_deref().filter(|folder| !folder.join("crates").is_dir()) {
        return Err(format!("--db {}: no database of advisories is there", folder.display()));
    }
    for lockfile in LOCKFILES {
        println!("{lockfile}");
        let mut audit = Command::new("cargo");
        audit.args(["audit", "--deny", "warnings", "--file", lockfile]);
        if let Some(folder) = &database {
            // Whether a version was yanked is known to the index of the registry alone.
            audit.args(["--no-fetch", "--stale", "--no-yanked", "--db"]).arg(folder);
        }
        let status = audit.current_dir(workspace::root()).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("cargo audit of {lockfile} ended with {status}")),
            Err(error) => return Err(format!("cargo audit: {error}")),
        }
    }
    Ok(())
}
