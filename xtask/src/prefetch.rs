//! `cargo xtask train-prefetch`: the table shipped in dx of which packages are likely to follow
//! which.
//!
//! npm resolves the projects of `xtask/prefetch/projects.json` one after the other and installs
//! none of them. Their lockfiles, and npm's cache, stay below `target/prefetch`: a project is
//! resolved again when its lockfile is removed. The table is learnt from them and written into the
//! source tree. `train-prefetch measure` tells how well it does on other projects, given as folders
//! with `package.json` and `package-lock.json`.

use crate::options::Options;
use crate::{dx, workspace};
use dx_pkg_acquire::prediction::{self, CERTAIN, Seed};
use dx_pkg_compat::lockfile::npm;
use dx_pkg_format::chain::Chain;
use dx_pkg_lock::Lock;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the table is.
const TABLE: &str = "crates/dx-pkg-acquire/src/prediction/prefetch.dxc";

/// Trains the table, or measures it.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    match options.word() {
        None => train(options),
        Some("measure") => measure(options),
        Some(other) => Err(format!("train-prefetch {other}: no such part; see `cargo xtask`")),
    }
}

fn train(options: &Options) -> Result<(), String> {
    let root = workspace::root();
    let projects = workspace::read(&root.join("xtask/prefetch/projects.json"))?;
    let projects: BTreeMap<String, Value> = serde_json::from_str(&projects)
        .map_err(|error| format!("xtask/prefetch/projects.json: {error}"))?;
    let folder = options.path("data")?.unwrap_or_else(|| workspace::target().join("prefetch"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    for (name, project) in &projects {
        let lock = resolved(&folder, name, project, options)?;
        bytes = prediction::learn(
            Chain::decode(&bytes).ok(),
            &prediction::observations(&lock, |_| true),
            now,
        )
        .map_err(|error| error.to_string())?;
        println!("{name:<24} {:>5} packages", lock.packages.len());
    }
    let chain = Chain::decode(&bytes).map_err(|error| error.to_string())?;
    println!("{TABLE}: {} packages by major, {} bytes", chain.len(), bytes.len());
    fs::write(root.join(TABLE), &bytes).map_err(|error| format!("{TABLE}: {error}"))
}

/// The lock npm makes of a project, or has made.
fn resolved(folder: &Path, name: &str, project: &Value, options: &Options) -> Result<Lock, String> {
    let place = folder.join(name);
    let lockfile = place.join("package-lock.json");
    if !lockfile.exists() {
        dx::write(&place.join("package.json"), &project.to_string())?;
        let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command
            .args([
                "install",
                "--package-lock-only",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--force",
            ])
            // Nobody waits for it, so few connections will do.
            .args(["--maxsockets=4", "--update-notifier=false", "--cache"])
            .arg(folder.join("cache"))
            .current_dir(&place);
        if let Some(registry) = options.value("registry") {
            command.arg(format!("--registry={registry}"));
        }
        dx::run(command)?;
    }
    read_lock(&lockfile)
}

fn read_lock(path: &Path) -> Result<Lock, String> {
    npm::read(&workspace::read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

/// For each project of `--fixture`: how much of what it needs is predicted, and how much is
/// predicted in vain.
fn measure(options: &Options) -> Result<(), String> {
    let bytes =
        fs::read(workspace::root().join(TABLE)).map_err(|error| format!("{TABLE}: {error}"))?;
    let chain = Chain::decode(&bytes).map_err(|error| error.to_string())?;
    println!(
        "{:<20} {:>5} {:>6} {:>9} {:>5} {:>6} {:>5}",
        "project", "least", "needed", "predicted", "hits", "found", "vain"
    );
    for folder in options.required("fixture")?.split(',').map(PathBuf::from) {
        let lock = read_lock(&folder.join("package-lock.json"))?;
        let root = lock
            .root()
            .ok_or_else(|| format!("{}: no project in its lockfile", folder.display()))?;
        let asked = root
            .dependencies
            .iter()
            .chain(&root.dev_dependencies)
            .chain(&root.optional_dependencies);
        let seeds: Vec<Seed> = asked.filter_map(|(name, spec)| Seed::of(name, spec)).collect();
        let states = lock.packages.iter().filter_map(prediction::state_of);
        let needed: HashSet<&str> = states
            .map(|(name, _)| name)
            .filter(|name| !seeds.iter().any(|seed| seed.name == *name))
            .collect();
        for percent in [25, 50, 75, 90] {
            let predicted = prediction::predict(&[chain], &seeds, CERTAIN / 100 * percent);
            let hits =
                predicted.iter().filter(|prediction| needed.contains(prediction.name)).count();
            let share = |part: usize, whole: usize| format!("{} %", 100 * part / whole.max(1));
            println!(
                "{:<20} {percent:>4}% {:>6} {:>9} {hits:>5} {:>6} {:>5}",
                folder.file_name().unwrap_or_default().to_string_lossy(),
                needed.len(),
                predicted.len(),
                share(hits, needed.len()),
                share(predicted.len() - hits, predicted.len()),
            );
        }
    }
    Ok(())
}
