//! `cargo xtask realworld`: the examples installed from the configured registry, then built and
//! tested; with `sources`, well-known packages from tarballs and git in every spelling.

use crate::dx::{self, Dx};
use crate::options::Options;
use crate::{tree, workspace};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The scripts that are run when an example has them.
const SCRIPTS: [&str; 2] = ["build", "test"];

/// The outcome of one example.
struct Report {
    packages: usize,
    install: Duration,
    scripts: Vec<(&'static str, Duration)>,
}

/// Installs and builds every example, prints a table, and fails when one failed.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let dx = Dx::new(options)?;
    if options.word() == Some("sources") {
        return sources(options, &dx);
    }
    let place = dx::workplace("realworld")?;
    let examples = workspace::root().join("examples");
    let mut failed = Vec::new();
    println!("{:<14} {:>9} {:>9}  scripts", "example", "packages", "install");
    for name in names(&examples)? {
        if options.value("only").is_some_and(|only| only != name) {
            continue;
        }
        let project = place.path().join(&name);
        let outcome = workspace::copy_project(&examples.join(&name), &project)
            .and_then(|()| install_and_run(&dx, &project, &place.path().join("store")));
        match outcome {
            Ok(report) => {
                let scripts = report
                    .scripts
                    .iter()
                    .map(|(script, time)| format!("{script} {:.1} s", time.as_secs_f64()));
                let scripts = scripts.collect::<Vec<_>>().join(", ");
                println!(
                    "{name:<14} {:>9} {:>7.2} s  {scripts}",
                    report.packages,
                    report.install.as_secs_f64()
                );
            }
            Err(error) => {
                println!("{name:<14} failed");
                failed.push(format!("{name}: {error}"));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n\n")) }
}

/// Runs `real/sources.mjs`, which prints a line for each spelling.
fn sources(options: &Options, dx: &Dx) -> Result<(), String> {
    let mut node = Command::new(options.path("node")?.unwrap_or_else(|| "node".into()));
    node.arg(workspace::root().join("xtask/real/sources.mjs")).arg("--dx").arg(dx.path());
    if let Some(npm) = options.path("npm")? {
        node.arg("--npm").arg(npm);
    }
    if let Some(parts) = options.value("only") {
        node.arg("--only").arg(parts);
    }
    let status = node.status().map_err(|error| format!("{node:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err("some packages were not installed".to_owned()) }
}

fn names(examples: &Path) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", examples.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(examples).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().join("package.json").exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn install_and_run(dx: &Dx, project: &Path, store: &Path) -> Result<Report, String> {
    let install = dx.run(project, store, &["install"])?;
    let packages = tree::packages(project)?.len();
    let text = workspace::read(&project.join("package.json"))?;
    let manifest: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let mut scripts = Vec::new();
    for script in SCRIPTS {
        if manifest["scripts"].get(script).is_none() {
            continue;
        }
        let started = Instant::now();
        dx::run(script_command(project, script))?;
        scripts.push((script, started.elapsed()));
    }
    if scripts.is_empty() {
        return Err("has neither a build nor a test script".to_owned());
    }
    Ok(Report { packages, install, scripts })
}

/// A script run by npm, which finds the commands in `node_modules/.bin` and touches no package.
fn script_command(project: &Path, script: &str) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command
        .args(["run", script])
        .current_dir(project)
        .env("CI", "true")
        .env("npm_config_offline", "true")
        .env("NEXT_TELEMETRY_DISABLED", "1")
        .env("ASTRO_TELEMETRY_DISABLED", "1");
    command
}
