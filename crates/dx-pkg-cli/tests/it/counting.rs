//! The numbers of system calls and requests of an install: measurements without noise.

use std::fs;
use std::process::{Command, Stdio};

use dx_pkg_testkit::require::{Need, met};
use dx_pkg_testkit::{Project, Registry};

use crate::harness::ok;

/// The limit of an install with nothing to do. Starting a process takes about 50, and 8 more for
/// the library of mathematics, which only an unoptimised build loads. Two see that there are still
/// no settings of pnpm and Yarn.
const NOOP: u64 = if cfg!(debug_assertions) { 82 } else { 74 };
/// The limit of installing [`PACKAGES`] of [`FILES`] files from the store. One call a file, and
/// four a package, find out that no project has written to it. Twelve see that no link is in the
/// store, and that nothing is mounted in the tree.
const WARM: u64 = 1372;
const PACKAGES: usize = 20;
const FILES: usize = 10;

/// Counts the system calls of a command and its threads in a project; `None` without strace.
#[track_caller]
fn system_calls<const N: usize>(project: &Project, command: [&str; N]) -> Option<u64> {
    let report = project.home().join("strace.txt");
    let strace = Command::new("strace")
        .args(["-f", "-c", "-U", "calls,name", "-o"])
        .arg(&report)
        .args(["--", env!("CARGO_BIN_EXE_dx")])
        .args(command)
        .current_dir(project.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", project.home())
        .env("DX_STORE", project.store())
        .env("DX_PREPARED_TREES", "0")
        .env("XDG_DATA_HOME", project.home().join(".local/share"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let traced = match strace {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("strace: {status}")),
        Err(error) => Err(format!("strace: {error}")),
    };
    met(Need::Strace, traced)?;
    let report = fs::read_to_string(&report).unwrap();
    let total = report.lines().find_map(|line| line.trim().strip_suffix("total"));
    Some(
        total.unwrap_or_else(|| panic!("strace counted nothing: {report}")).trim().parse().unwrap(),
    )
}

fn project_of_many_files(registry: &Registry) -> Project {
    project_of(registry, PACKAGES)
}

fn project_of(registry: &Registry, packages: usize) -> Project {
    let mut project = Project::new(registry);
    for package in 0..packages {
        let name = format!("package-{package}");
        let mut builder = registry.package(&name, "1.0.0");
        for file in 0..FILES {
            builder = builder.file(&format!("lib/file-{file}.js"), "module.exports = 1;\n");
        }
        builder.publish();
        project = project.dep(&name, "^1.0.0");
    }
    project.create()
}

#[test]
fn an_install_with_nothing_to_do_makes_few_system_calls() {
    let registry = Registry::start();
    let project = project_of_many_files(&registry);
    ok(&project, ["install"]);
    ok(&project, ["install"]);
    if let Some(calls) = system_calls(&project, ["install"]) {
        assert!(calls <= NOOP, "{calls} system calls");
    }
}

#[test]
fn an_install_from_the_store_makes_a_few_system_calls_a_file() {
    let registry = Registry::start();
    let project = project_of_many_files(&registry);
    ok(&project, ["install"]);
    ok(&project, ["store", "maintain"]);
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    ok(&project, ["install"]);
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    if let Some(calls) = system_calls(&project, ["install"]) {
        assert!(project.path().join("node_modules/package-0/lib/file-0.js").exists());
        assert!(calls <= WARM, "{calls} system calls for {} files", PACKAGES * FILES);
    }
}

#[test]
fn adding_and_removing_a_package_makes_no_more_system_calls_in_a_larger_tree() {
    let registries = [Registry::start(), Registry::start()];
    for registry in &registries {
        registry.package("one-more", "1.0.0").dep("package-3", "1").dep("inner", "1").publish();
        registry.package("inner", "1.0.0").publish();
    }
    let (small, large) =
        (project_of(&registries[0], PACKAGES), project_of(&registries[1], 8 * PACKAGES));
    for project in [&small, &large] {
        ok(project, ["install"]);
        // The store then has the package.
        ok(project, ["install", "one-more"]);
        ok(project, ["remove", "one-more"]);
    }
    for command in [["install", "one-more"], ["remove", "one-more"]] {
        let counted = (system_calls(&small, command), system_calls(&large, command));
        if let (Some(small), Some(large)) = counted {
            assert!(
                large < small + PACKAGES as u64,
                "{command:?}: {small} and {large} system calls"
            );
        }
    }
}

#[test]
fn locked_install_into_an_empty_store_requests_tarballs_only() {
    let registry = Registry::start();
    let project = project_of_many_files(&registry);
    ok(&project, ["install"]);
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    fs::remove_dir_all(project.store()).unwrap();
    registry.clear_requests();
    ok(&project, ["ci"]);
    assert_eq!((registry.metadata_requests(), registry.tarball_requests()), (0, PACKAGES));
    assert_eq!(registry.requests().len(), PACKAGES);
}
