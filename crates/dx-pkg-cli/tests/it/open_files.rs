//! Installs in processes that may have few files open.

use std::fs;

use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::incompressible;

/// The packages of a project, each of which depends on the next two.
const PACKAGES: usize = 200;

fn project() -> (Registry, Project) {
    let registry = Registry::start();
    let mut project = Project::new(&registry).dep("large", "1").dep("deep", "1");
    for number in 0..PACKAGES {
        let mut package = registry.package(&format!("p{number}"), "1.0.0");
        for next in (number + 1..PACKAGES).take(2) {
            package = package.dep(&format!("p{next}"), "1");
        }
        let mut package = package;
        for folder in 0..4 {
            package = package.file(&format!("lib/{folder}/index.js"), format!("{number}"));
        }
        package.publish();
        if number % 10 == 0 {
            project = project.dep(&format!("p{number}"), "1");
        }
    }
    registry.package("large", "1.0.0").file("large.bin", incompressible()).publish();
    let path = "deep/".repeat(80) + "index.js";
    registry.package("deep", "1.0.0").file(&path, "deep").publish();
    (registry, project.create())
}

/// Runs dx with a limit on open files; `may_raise` leaves the hard limit as it is.
fn limited(project: &Project, may_raise: bool, ci: bool, args: &[&str]) -> Run {
    let hard = if may_raise { "" } else { "ulimit -Hn 64 && " };
    let script = format!("ulimit -Sn 64 && {hard} exec \"$@\"");
    let mut command = project
        .dx("/bin/sh")
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("DX_PREPARED_TREES", "0")
        .args(["-c", &script, "sh", env!("CARGO_BIN_EXE_dx")])
        .args(args);
    if ci {
        command = command.env("CI", "true");
    }
    command.run().success()
}

fn installed(project: &Project) -> usize {
    let folder = project.path().join("node_modules");
    assert!(folder.join("large/large.bin").is_file());
    assert!(folder.join("deep").join("deep/".repeat(80)).join("index.js").is_file());
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| !name.to_string_lossy().starts_with('.')).count()
}

fn installs(may_raise: bool, ci: bool) {
    let (_registry, project) = project();
    limited(&project, may_raise, ci, &["install"]);
    assert_eq!(installed(&project), PACKAGES + 2);
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    limited(&project, may_raise, ci, &["install"]);
    assert_eq!(installed(&project), PACKAGES + 2);
    fs::remove_dir_all(project.store()).unwrap();
    limited(&project, may_raise, ci, &["ci"]);
    assert_eq!(installed(&project), PACKAGES + 2);
}

#[test]
fn an_install_needs_no_more_than_64_open_files() {
    installs(false, false);
}

#[test]
fn an_install_in_continuous_integration_needs_no_more_than_64_open_files() {
    installs(false, true);
}

#[test]
fn a_limit_of_64_open_files_is_raised_where_that_is_allowed() {
    installs(true, false);
}

#[test]
fn a_limit_that_may_be_raised_limits_no_connections() {
    let (registry, project) = project();
    limited(&project, true, false, &["install"]);
    let raised = registry.most_in_flight();
    let (registry, project) = self::project();
    limited(&project, false, false, &["install"]);
    assert!(registry.most_in_flight() <= 24, "{}", registry.most_in_flight());
    assert!(raised >= 1);
}

/// Runs an install of a small project, limited by a shell's `ulimit`.
fn small(limit: &str) -> Run {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let script = format!("ulimit {limit} && exec \"$@\"");
    let sh = project.dx("/bin/sh").env("DX_PREPARED_TREES", "0");
    sh.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_dx"), "install"]).run()
}

#[test]
fn a_limit_that_is_too_low_is_told() {
    // Which step is the first without a descriptor differs from limit to limit.
    std::thread::scope(|scope| {
        for limit in 8..=20 {
            scope.spawn(move || {
                let run = small(&format!("-n {limit}")).failure();
                assert!(run.stderr.contains("Too many open files"), "{limit}: {run}");
                assert!(run.stderr.contains("allow more open files"), "{limit}: {run}");
            });
        }
    });
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_of_the_file() {
    let run = small("-f 0").failure();
    assert!(run.stderr.contains("File too large"), "{run}");
}
