//! Runs of this crate's `dx`, and queries of a project and its store.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use dx_pkg_testkit::{Command, Project, ProjectBuilder, Registry, Run};
use serde_json::Value;

use crate::schemas;

/// Returns a `dx` command that sees nothing of this machine's configuration.
pub(crate) fn command(project: &Project) -> Command {
    project
        .dx(env!("CARGO_BIN_EXE_dx"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("NO_UPDATE_NOTIFIER", "1")
        // No background process outlives a test; tests of prepared trees turn them on.
        .env("DX_PREPARED_TREES", "0")
}

/// Runs `dx` to its end.
#[track_caller]
pub(crate) fn dx<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    let run = command(project).args(args).run();
    schemas::check(&args, &run.stdout);
    run
}

/// Runs `dx`, which must succeed.
#[track_caller]
pub(crate) fn ok<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    dx(project, args).success()
}

/// Checks that `dx` exited with 1 and named this code; returns its standard error.
#[track_caller]
pub(crate) fn fails(run: Run, code: &str) -> String {
    assert_eq!(run.status, Some(1), "{run}");
    assert!(run.stderr.contains(&format!("[{code}]")), "no {code}: {run}");
    run.stderr
}

/// Returns a project whose failed requests are hardly retried.
pub(crate) fn impatient(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .npmrc("fetch-timeout=800")
        .npmrc("fetch-retries=1")
        .npmrc("fetch-retry-mintimeout=1")
        .npmrc("fetch-retry-maxtimeout=2")
}

/// Returns a file that makes a tarball large enough to be unpacked as it arrives.
pub(crate) fn incompressible() -> Vec<u8> {
    (0..300_000_u32)
        .flat_map(|i| {
            (i ^ i.wrapping_mul(2_654_435_761).rotate_left(13))
                .wrapping_mul(0x9e37_79b1)
                .to_le_bytes()
        })
        .collect()
}

/// Returns every file of the project with its contents, and every link with its target.
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

/// Returns the names of the package files in the project's store.
pub(crate) fn stored(project: &Project) -> Vec<String> {
    in_store(project, "packages")
}

/// Returns the ids of the unpacked packages in the project's store.
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

/// Returns the lockfile's entry at a path; `null` without one.
pub(crate) fn locked(project: &Project, path: &str) -> Value {
    project.json("package-lock.json")["packages"][path].clone()
}

/// Returns the version in the lockfile at a path.
#[track_caller]
pub(crate) fn locked_version(project: &Project, path: &str) -> String {
    let entry = locked(project, path);
    entry["version"]
        .as_str()
        .unwrap_or_else(|| panic!("{path} in the lockfile: {entry}"))
        .to_owned()
}

/// Returns `path → name@version` as a map to compare with [`Project::installed`].
pub(crate) fn tree<const N: usize>(packages: [(&str, &str); N]) -> BTreeMap<String, String> {
    packages.into_iter().map(|(path, id)| (format!("node_modules/{path}"), id.to_owned())).collect()
}

/// Returns the result of `require(name)` in the project.
#[track_caller]
pub(crate) fn required(project: &Project, name: &str) -> String {
    project.node(&format!("console.log(require({name:?}))")).success().stdout.trim().to_owned()
}

/// Gives the new stores of these projects one key, so that the same record has the same seal.
pub(crate) fn share_key(projects: &[&Project]) {
    for project in projects {
        let key = project.store().join("v1/key");
        fs::create_dir_all(key.parent().unwrap()).unwrap();
        fs::write(&key, [7; 32]).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// Runs `dx` with one prepared tree for each project, and the maintenance that follows.
#[track_caller]
pub(crate) fn dx_with_prepared_trees<const N: usize>(project: &Project, args: [&str; N]) -> Run {
    let run = command(project).env("DX_PREPARED_TREES", "1").args(args).run().success();
    maintain(project);
    run
}

/// Runs maintenance in the foreground; returns its result.
#[track_caller]
pub(crate) fn maintain(project: &Project) -> Value {
    let run = command(project)
        .env("DX_PREPARED_TREES", "1")
        .args(["store", "maintain", "--json"])
        .run()
        .success();
    serde_json::from_str(&run.stdout).unwrap()
}

/// Waits until a condition holds, and panics after a minute.
#[track_caller]
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
