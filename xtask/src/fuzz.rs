//! `cargo xtask fuzz`: every fuzz target for a while, one after the other, and a table of what was
//! found.

use crate::dx;
use crate::options::Options;
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

/// Builds the targets and runs those that are named, or all; fails when one finds something.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let minutes = options.value("minutes").unwrap_or("15");
    minutes.parse::<f64>().map_err(|_| format!("--minutes {minutes}: not a number"))?;
    let seed = options.number("seed", 1)?;
    let jobs = options.number("jobs", 1)?.max(1);
    let binary = build()?;
    let targets = chosen(&binary, options.words())?;
    let started = Instant::now();
    let (next, found) = (Mutex::new(targets.iter()), Mutex::new(0));
    println!("| target | inputs | seconds | findings |\n|---|---:|---:|---:|");
    let worker = || -> Result<(), String> {
        loop {
            let target = next.lock().map_err(|_| "a run panicked")?.next();
            let Some(target) = target else { return Ok(()) };
            let findings = one(&binary, target, minutes, seed)?;
            *found.lock().map_err(|_| "a run panicked")? += findings;
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a run panicked".to_owned())?)
    })?;
    println!("{} targets in {:.0?}", targets.len(), started.elapsed());
    match found.into_inner().unwrap_or_default() {
        0 => Ok(()),
        count => Err(format!("{count} findings, kept in fuzz/artifacts/")),
    }
}

/// Builds the targets; returns their program.
fn build() -> Result<PathBuf, String> {
    let folder = workspace::root().join("fuzz");
    let target = folder.join("target");
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target-dir"]).arg(&target).current_dir(&folder);
    dx::run(cargo)?;
    Ok(target.join("release").join(format!("fuzz{}", std::env::consts::EXE_SUFFIX)))
}

fn chosen(binary: &Path, words: &[String]) -> Result<Vec<String>, String> {
    let mut list = Command::new(binary);
    list.arg("--list");
    let output = dx::run(list)?;
    let all: Vec<String> =
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    if let Some(unknown) = words.iter().find(|word| !all.contains(word)) {
        return Err(format!("no target {unknown}; there are {}", all.join(", ")));
    }
    Ok(if words.is_empty() { all } else { words.to_vec() })
}

/// Runs a target and prints its row; returns the number of findings.
fn one(binary: &Path, target: &str, minutes: &str, seed: u64) -> Result<u64, String> {
    let started = Instant::now();
    let mut command = Command::new(binary);
    command.args([target, &format!("{minutes}m"), &seed.to_string()]);
    let output = command.output().map_err(|error| format!("{target}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().rev().find(|line| line.starts_with(&format!("{target}: ")));
    let number = |before: &str| {
        let (start, _) = summary?.split_once(before)?;
        start.rsplit(' ').next()?.parse::<u64>().ok()
    };
    let (Some(inputs), Some(findings)) = (number(" inputs"), number(" crashes")) else {
        return Err(format!("{target}: {}\n{text}", output.status));
    };
    println!("| {target} | {inputs} | {:.0} | {findings} |", started.elapsed().as_secs_f64());
    text.lines().filter(|line| Some(*line) != summary).for_each(|line| println!("{line}"));
    Ok(findings)
}
