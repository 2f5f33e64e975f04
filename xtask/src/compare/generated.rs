//! `cargo xtask compare generated` and `compare semver`: npm's own code and
//! this workspace's tests on the same generated projects and ranges.
//!
//! npm is driven by the scripts beside those tests, many cases in one Node. Projects that come out
//! differently are shrunk and written where `--data` says, in the form of `dx-pkg-resolve`'s
//! `tests/fixtures/oracle.jsonl`.

mod shrink;

use crate::dx;
use crate::options::Options;
use crate::workspace;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The projects that one Node process resolves: npm keeps in memory what it has read.
const BATCH: u64 = 100;

/// npm's code, and where the questions and answers lie.
pub(super) struct Oracle {
    node: PathBuf,
    /// npm's package folder.
    npm: PathBuf,
    place: PathBuf,
}

/// Differences by the label of the case.
type Differences = BTreeMap<String, String>;

impl Oracle {
    fn new(options: &Options, place: &Path) -> Result<Oracle, String> {
        options.required("npm")?;
        let cli = options.path("npm")?.unwrap_or_default();
        let npm = cli.ancestors().nth(2).ok_or("--npm is to name npm's bin/npm-cli.js")?.to_owned();
        let node = options.path("node")?.unwrap_or_else(|| PathBuf::from("node"));
        Ok(Oracle { node, npm, place: place.to_owned() })
    }

    /// Writes the output of npm's script for these arguments into a file; returns its path.
    fn record(&self, script: &str, arguments: &[&str], name: &str) -> Result<PathBuf, String> {
        let path = self.place.join(name);
        let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut command = Command::new(&self.node);
        command
            .arg(workspace::root().join(script))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file);
        let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
        if status.success() { Ok(path) } else { Err(format!("{command:?} ended with {status}")) }
    }

    fn projects(&self, arguments: &[&str], name: &str) -> Result<PathBuf, String> {
        let npm = self.npm.display().to_string();
        let arguments: Vec<&str> =
            std::iter::once(npm.as_str()).chain(arguments.iter().copied()).collect();
        self.record("crates/dx-pkg-resolve/tests/oracle/npm.js", &arguments, name)
    }

    /// Returns the differences of dx's resolutions, by case, and the summary.
    fn differences(corpus: &Path) -> Result<(Differences, String), String> {
        let printed = test(
            "dx-pkg-resolve",
            "oracle::random_projects_resolve_as_with_npm",
            "RESOLVE_ORACLE",
            corpus,
        )?;
        let mut found = Differences::new();
        let mut summary = String::new();
        for line in printed.lines() {
            match line.split_once(": ") {
                Some((label, what))
                    if label.starts_with("seed ") || label.starts_with(shrink::LABEL) =>
                {
                    found.insert(label.to_owned(), what.to_owned());
                }
                _ if line.contains(" projects in ") => line.clone_into(&mut summary),
                _ => {}
            }
        }
        if summary.is_empty() { Err(printed) } else { Ok((found, summary)) }
    }
}

/// Runs one ignored test of a crate over a record and returns what it printed, whether it failed or
/// not.
fn test(package: &str, name: &str, variable: &str, record: &Path) -> Result<String, String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args([
            "test",
            "--quiet",
            "-p",
            package,
            "--test",
            "it",
            "--",
            "--ignored",
            "--exact",
            name,
            "--nocapture",
        ])
        .current_dir(workspace::root())
        .env(variable, record)
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    Ok([&output.stdout[..], &output.stderr[..]]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat())
}

/// Compares `--runs` generated projects from `--seed` on; fails when any comes out differently.
pub(super) fn projects(options: &Options) -> Result<(), String> {
    let place = dx::workplace("generated")?;
    let oracle = Oracle::new(options, place.path())?;
    let (first, runs) = (options.number("seed", 1)?, options.number("runs", 1000)?);
    let kept = options.path("data")?;
    let mut different = 0;
    for start in (first..first + runs).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        let count = BATCH.min(first + runs - start);
        let corpus = oracle.projects(&[&start.to_string(), &count.to_string()], "corpus.jsonl")?;
        let (found, summary) = Oracle::differences(&corpus)?;
        println!("from seed {start}: {summary}");
        different += found.len();
        for (label, what) in &found {
            println!("  {label}: {what}");
            if let Some(kept) = &kept {
                let case = shrink::case(&workspace::read(&corpus)?, label)?;
                let small = shrink::shrink(&oracle, case)?;
                let path = kept.join(format!("{}.jsonl", label.replace(' ', "-")));
                dx::write(&path, &small)?;
                println!("    shrunk: {}", path.display());
            }
        }
    }
    if different == 0 { Ok(()) } else { Err(format!("{different} of {runs} projects differ")) }
}

/// Compares versions and ranges in `--runs` generated rounds from `--seed` with npm's own `semver`.
pub(super) fn ranges(options: &Options) -> Result<(), String> {
    let place = dx::workplace("semver")?;
    let oracle = Oracle::new(options, place.path())?;
    let semver = oracle.npm.join("node_modules/semver").display().to_string();
    let (seed, rounds) =
        (options.number("seed", 1)?.to_string(), options.number("runs", 10)?.to_string());
    let script = "crates/dx-pkg-core/tests/oracle/semver.cjs";
    let record = oracle.record(script, &[&semver, "random", &seed, &rounds], "semver.txt")?;
    let printed =
        test("dx-pkg-core", "semver::agrees_with_npm_on_a_large_record", "SEMVER_ORACLE", &record)?;
    let summary = workspace::read(&record.with_extension("txt.summary")).map_err(|_| printed)?;
    println!("{summary}");
    Ok(())
}
