//! Runs of this crate's `dx`, and what tests ask about a project and its store afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use dx_pkg_testkit::{Command, Project, ProjectBuilder, Registry, Run};
use serde_json::Value;

/// A `dx` that sees nothing of this machine's configuration.
pub(crate) fn command(project: &Project) -> Command {
    project
        .dx(env!("CARGO_BIN_EXE_dx"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("NO_UPDATE_NOTIFIER", "1")
        // Nothing goes on working when a test has ended; tests of prepared trees ask for them.
        .env("DX_PREPARED_TREES", "0")
}

/// Runs `dx` to its end.
pub(crate) fn dx<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    command(project).args(args).run()
}

/// Runs `dx`, which is to succeed.
#[track_caller]
pub(crate) fn ok<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    dx(project, args).success()
}

/// Fails the test unless `dx` exited with 1 and named this code; returns what it said.
#[track_caller]
pub(crate) fn fails(run: Run, code: &str) -> String {
    assert_eq!(run.status, Some(1), "{run}");
    assert!(run.stderr.contains(&format!("[{code}]")), "no {code}: {run}");
    run.stderr
}

/// A project whose failed requests are given up on at once.
pub(crate) fn impatient(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .npmrc("fetch-timeout=800")
        .npmrc("fetch-retries=1")
        .npmrc("fetch-retry-mintimeout=1")
        .npmrc("fetch-retry-maxtimeout=2")
}

/// A file that makes a tarball large enough to be unpacked as it arrives.
pub(crate) fn incompressible() -> Vec<u8> {
    (0..300_000_u32)
        .flat_map(|i| {
            (i ^ i.wrapping_mul(2_654_435_761).rotate_left(13))
                .wrapping_mul(0x9e37_79b1)
                .to_le_bytes()
        })
        .collect()
}

/// Every file of the project with its contents; a link with where it leads.
pub(crate) fn files(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    list(&project.path(), "", &mut found);
    found
}

fn list(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            found.insert(path, target.into_os_string().into_encoded_bytes());
        } else if kind.is_dir() {
            found.insert(format!("{path}/"), Vec::new());
            list(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path, fs::read(entry.path()).unwrap());
        }
    }
}

/// The packages in the project's store: names of the package files.
pub(crate) fn stored(project: &Project) -> Vec<String> {
    in_store(project, "packages")
}

/// The ids of the packages that lie unpacked in the project's store.
pub(crate) fn unpacked(project: &Project) -> Vec<String> {
    in_store(project, "expanded")
}

fn in_store(project: &Project, kind: &str) -> Vec<String> {
    let Ok(groups) = fs::read_dir(project.store().join("v1").join(kind)) else { return Vec::new() };
    let entries = groups.flat_map(|group| fs::read_dir(group.unwrap().path()).unwrap());
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The lockfile's entry at a path; `null` where there is none.
pub(crate) fn locked(project: &Project, path: &str) -> Value {
    project.json("package-lock.json")["packages"][path].clone()
}

/// The version the lockfile has at a path.
#[track_caller]
pub(crate) fn locked_version(project: &Project, path: &str) -> String {
    let entry = locked(project, path);
    entry["version"]
        .as_str()
        .unwrap_or_else(|| panic!("{path} in the lockfile: {entry}"))
        .to_owned()
}

/// `path → name@version` as a map to compare [`Project::installed`] with.
pub(crate) fn tree<const N: usize>(packages: [(&str, &str); N]) -> BTreeMap<String, String> {
    packages.into_iter().map(|(path, id)| (format!("node_modules/{path}"), id.to_owned())).collect()
}

/// What `require(name)` gives in the project.
#[track_caller]
pub(crate) fn required(project: &Project, name: &str) -> String {
    project.node(&format!("console.log(require({name:?}))")).success().stdout.trim().to_owned()
}

/// Runs `dx` with one tree kept ready for each project; what goes on in the background is over when it returns.
#[track_caller]
pub(crate) fn dx_with_spares<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    let run = command(project).env("DX_PREPARED_TREES", "1").args(args).run().success();
    settle(project);
    run
}

/// Does what waits in the background of such a command, and returns what that came to.
#[track_caller]
pub(crate) fn settle(project: &Project) -> Value {
    let run = command(project)
        .env("DX_PREPARED_TREES", "1")
        .args(["store", "maintain", "--json"])
        .run()
        .success();
    serde_json::from_str(&run.stdout).unwrap()
}

/// Waits until something is so; a test that waits in vain fails.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
