//! The first install after the system was started: files whose contents a loss of power took are
//! found by their size, and restored.

use std::fs::{self, File};
use std::path::Path;

use dx_pkg_testkit::inject::supports;
use dx_pkg_testkit::require::{Need, met};
use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::{ok, required};

/// Runs `dx` as if the system had been started a moment ago.
fn restarted(project: &Project, arguments: &[&str]) -> Run {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let offset = format!("--boottime=-{}", uptime.split('.').next().unwrap());
    project
        .command(Path::new("unshare"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("DX_PREPARED_TREES", "0")
        .args(["--time", &offset, "--", env!("CARGO_BIN_EXE_dx")])
        .args(arguments)
        .run()
}

#[track_caller]
fn may_restart() -> bool {
    met(Need::TimeNamespace, supports::time_namespace()).is_some()
}

fn project(registry: &Registry) -> Project {
    registry.package("a", "1.0.0").publish();
    Project::new(registry).dep("a", "1").create()
}

/// Empties a file as a loss of power does: its name and times stay.
fn lose(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(0).unwrap();
    file.set_modified(modified).unwrap();
}

#[test]
fn emptied_files_are_restored_by_the_first_install_after_a_start() {
    if !may_restart() {
        return;
    }
    let registry = Registry::start();
    let project = project(&registry);
    ok(&project, ["install"]);
    lose(&project.path().join("node_modules/a/index.js"));
    let run = ok(&project, ["install"]);
    assert_eq!(run.stdout, "Already up to date\n", "of this start, the record is believed");

    restarted(&project, &["install"]).success();
    assert_eq!(required(&project, "a"), "a@1.0.0");
    // What it has looked at is recorded, and believed again.
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn packages_whose_record_is_lost_too_are_fetched_after_a_start() {
    if !may_restart() {
        return;
    }
    let registry = Registry::start();
    let project = project(&registry);
    ok(&project, ["install"]);
    lose(&project.path().join("node_modules/a/package.json"));
    for group in fs::read_dir(project.store().join("v1/packages")).unwrap() {
        for record in fs::read_dir(group.unwrap().path()).unwrap() {
            lose(&record.unwrap().path());
        }
    }
    registry.clear_requests();
    restarted(&project, &["install"]).success();
    assert_eq!(registry.tarball_requests(), 1, "{:?}", registry.requests());
    assert_eq!(required(&project, "a"), "a@1.0.0");
    let manifest = project.json("node_modules/a/package.json");
    assert_eq!(manifest["name"], "a");
}

#[test]
fn start_alone_changes_nothing_and_needs_no_network() {
    if !may_restart() {
        return;
    }
    let registry = Registry::start();
    let project = project(&registry);
    ok(&project, ["install"]);
    let lockfile = project.read("package-lock.json");
    registry.clear_requests();
    let run = restarted(&project, &["install", "--offline"]).success();
    assert!(run.stdout.starts_with("Already up to date"), "{run}");
    assert_eq!((registry.requests().len(), project.read("package-lock.json")), (0, lockfile));
}

#[test]
fn packages_whose_scripts_made_what_was_lost_are_built_again_after_a_start() {
    if !may_restart() {
        return;
    }
    let registry = Registry::start();
    let script =
        "node -e \"fs.appendFileSync('../../runs', 'x'); fs.writeFileSync('made', 'made')\"";
    registry.package("built", "1.0.0").script("install", script).publish();
    registry.package("a", "1.0.0").dep("built", "1").publish();
    let manifest = r#"{"dependencies":{"a":"1"},"allowScripts":{"built":true}}"#;
    let project = Project::new(&registry).file("package.json", manifest).create();
    ok(&project, ["install"]);
    let made = project.path().join("node_modules/built/made");
    let runs = || project.read("runs").len();
    assert_eq!((fs::read_to_string(&made).unwrap().as_str(), runs()), ("made", 1));

    // What tools have added since is of no consequence, and a start alone runs nothing.
    fs::write(made.with_file_name("cache"), "cached").unwrap();
    let run = restarted(&project, &["install"]).success();
    assert!(run.stdout.starts_with("Already up to date") && runs() == 1, "{run}");

    fs::remove_file(made.with_file_name("cache")).unwrap();
    lose(&made);
    restarted(&project, &["install"]).success();
    assert_eq!((fs::read_to_string(&made).unwrap().as_str(), runs()), ("made", 2));
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");

    // Nothing is known of any package once the notes are lost too.
    lose(&project.path().join("node_modules/.dx/built.json"));
    restarted(&project, &["install"]).success();
    assert_eq!(runs(), 3);
}

#[test]
fn a_script_that_removes_its_package_stops_no_install() {
    let registry = Registry::start();
    let script = "node -e \"fs.rmSync(process.cwd(), { recursive: true })\"";
    registry.package("gone", "1.0.0").script("install", script).publish();
    let manifest = r#"{"dependencies":{"gone":"1"},"allowScripts":{"gone":true}}"#;
    let project = Project::new(&registry).file("package.json", manifest).create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/gone"));
}
