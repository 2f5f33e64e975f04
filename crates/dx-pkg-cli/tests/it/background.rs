//! Installs that leave nothing running: by the setting, by the variable, and on battery.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dx_pkg_testkit::{Project, Registry, Run, require};
use serde_json::Value;

use crate::harness::{command, dx_with_prepared_trees, fails, maintain, ok, required, until};
use crate::worker::{Backlog, workers};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("index.js", "module.exports = 'a1'").publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b1'").publish();
    registry
}

/// Installs with prepared trees and this variable; nothing may be left running, although a job
/// waits that a process would be busy with.
#[track_caller]
fn installs_alone(project: &Project, variable: Option<&str>, args: &[&str]) -> Run {
    let backlog = Backlog::queue(project.store(), 10);
    let mut command = command(project).env("DX_PREPARED_TREES", "1").args(args);
    if let Some(value) = variable {
        command = command.env("DX_BACKGROUND", value);
    }
    let run = command.run().success();
    let left = workers(project.store());
    assert_eq!((left, backlog.is_waiting()), (Vec::new(), true), "{run}");
    backlog.remove();
    run
}

/// Checks that the packages of the tree in place are in the store, so that nothing of them is lost.
#[track_caller]
fn is_stored(project: &Project, registry: &Registry) {
    let pending = project.store().join("v1/pending");
    assert_eq!(fs::read_dir(pending).map_or(0, Iterator::count), 0, "nothing waits to be stored");
    ok(project, ["store", "verify"]);
    project.remove("node_modules");
    registry.clear_requests();
    ok(project, ["ci", "--offline"]);
    assert_eq!(registry.requests().len(), 0);
    assert_eq!(required(project, "a"), "a1");
}

#[test]
fn the_variable_the_setting_and_the_flag_leave_nothing_running_and_nothing_unstored() {
    let registry = registry();
    let ways: [(&str, Option<&str>, &[&str]); 4] = [
        ("loglevel=notice", Some("0"), &["install"]),
        ("background=true", Some("false"), &["install"]),
        ("background=false", None, &["install"]),
        ("loglevel=notice", None, &["install", "--no-background"]),
    ];
    for (setting, variable, args) in ways {
        let project = Project::new(&registry).dep("a", "1").npmrc(setting).create();
        installs_alone(&project, variable, args);
        is_stored(&project, &registry);
        // An incremental install, and one of another command.
        installs_alone(&project, variable.or(Some("0")), &["add", "b"]);
        assert_eq!(required(&project, "b"), "b1");
        installs_alone(&project, variable.or(Some("0")), &["ci"]);
        is_stored(&project, &registry);
    }
}

#[test]
fn the_variable_wins_over_the_setting_and_the_next_process_prepares_what_waits() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").npmrc("background=false").create();
    installs_alone(&project, None, &["install"]);
    let jobs = || fs::read_dir(project.store().join("v1/prepared/jobs")).unwrap().count();
    assert_eq!(jobs(), 1, "the job waits");
    let other = Project::new(&registry).dep("b", "1").store(project.store()).create();
    command(&other)
        .env("DX_PREPARED_TREES", "1")
        .env("DX_BACKGROUND", "1")
        .args(["install"])
        .run()
        .success();
    maintain(&project);
    assert_eq!(jobs(), 0);
    project.remove("node_modules");
    let run = command(&project).env("DX_PREPARED_TREES", "1").args(["install", "--json"]).run();
    let result: Value = serde_json::from_str(&run.success().stdout).unwrap();
    assert_eq!(result["statistics"]["prepared_trees"], 1, "{result}");
}

#[test]
fn maintain_does_what_was_left() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    installs_alone(&project, Some("0"), &["install"]);
    assert_eq!(maintain(&project)["prepared"], 1);
    assert_eq!(maintain(&project)["prepared"], 0);
}

#[test]
fn replaced_trees_are_deleted_where_no_process_would_do_it() {
    let registry = registry();
    for (variable, value) in [("DX_BACKGROUND", "0"), ("DX_PREPARED_TREES", "0"), ("CI", "true")] {
        let project = Project::new(&registry).dep("a", "1").create();
        for _ in 0..3 {
            // With `CI` no trees are prepared either.
            let trees = if variable == "CI" { "" } else { "1" };
            let command = command(&project).env("DX_PREPARED_TREES", trees).env(variable, value);
            let words = if project.exists("package-lock.json") { ["ci"] } else { ["install"] };
            command.args(words).run().success();
        }
        let trash = fs::read_dir(project.store().join("v1/trash"));
        assert_eq!(trash.map_or(0, Iterator::count), 0, "{variable}={value}");
    }
}

/// Otherwise the background process would look at the tree right afterwards.
#[test]
fn an_altered_file_of_a_prepared_tree_is_found_before_where_no_process_would_find_it() {
    let registry = registry();
    for (variable, value) in [("DX_BACKGROUND", "0"), ("DX_PREPARED_TREES", "0")] {
        let project = Project::new(&registry).dep("a", "1").create();
        dx_with_prepared_trees(&project, ["install"]);
        project.write("node_modules/a/index.js", "module.exports = 'edited in place'");
        project.remove("node_modules");
        let command = command(&project).env("DX_PREPARED_TREES", "1").env(variable, value);
        command.args(["install"]).run().success();
        assert_eq!(required(&project, "a"), "a1", "{variable}={value}");
    }
}

#[test]
fn the_state_of_an_install_is_the_same_with_and_without_a_process() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    installs_alone(&project, None, &["install", "--no-background"]);
    let again = |variable: &str, args: &[&str]| {
        let command =
            command(&project).env("DX_PREPARED_TREES", "1").env("DX_BACKGROUND", variable);
        command.args(args).run().success().stdout
    };
    for (variable, args) in [("", &["install"][..]), ("0", &["install"]), ("1", &["install"])] {
        assert_eq!(again(variable, args), "Already up to date\n", "{variable}");
    }
    assert_eq!(again("", &["install", "--no-background"]), "Already up to date\n");
}

#[test]
fn neither_yes_nor_no_is_an_error_that_says_what_to_write() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let run = command(&project).env("DX_BACKGROUND", "later").args(["install"]).run();
    let message = fails(run, "DX_CONFIG_INVALID");
    assert!(message.contains("DX_BACKGROUND=later") && message.contains("0 or 1"), "{message}");
    project.write(".npmrc", project.read(".npmrc") + "background=later\n");
    fails(command(&project).args(["install"]).run(), "DX_CONFIG_INVALID");
    assert!(!project.exists("node_modules"));
}

/// Runs `dx` where a folder stands for the power supplies of the machine; `None` where this may not
/// be mounted.
fn with_supplies(project: &Project, supplies: &Path, args: &str) -> Option<Run> {
    let bind = format!("mount --bind {} /sys/class/power_supply", supplies.display());
    let works = require::output("unshare", ["-m", "sh", "-c", &format!("{bind} && echo yes")]);
    require::met(require::Need::Mounts, works)?;
    // As the program of the project's command, so that it has its environment.
    let script = project.home().join("dx-on-battery");
    let dx = env!("CARGO_BIN_EXE_dx");
    let text = format!("#!/bin/sh\nexec unshare -m sh -c '{bind} && exec {dx} {args}'\n");
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let command = project.dx(&script).env("DX_PREPARED_TREES", "1").env("CI", "");
    Some(command.run().success())
}

fn write_supply(supplies: &Path, name: &str, files: &[(&str, &str)]) {
    fs::create_dir_all(supplies.join(name)).unwrap();
    for (file, text) in files {
        fs::write(supplies.join(name).join(file), format!("{text}\n")).unwrap();
    }
}

#[test]
fn on_battery_nothing_is_left_running_and_on_mains_the_rest_is_done() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let supplies = tempfile::tempdir().unwrap();
    let supplies = supplies.path();
    write_supply(supplies, "BAT0", &[("type", "Battery"), ("status", "Discharging")]);
    write_supply(supplies, "AC", &[("type", "Mains"), ("online", "0")]);
    let backlog = Backlog::queue(project.store(), Backlog::MANY);
    let Some(run) = with_supplies(&project, supplies, "install") else { return };
    assert!(workers(project.store()).is_empty() && backlog.is_waiting(), "{run}");
    is_stored(&project, &registry);
    let told = with_supplies(&project, supplies, "store status").unwrap();
    assert!(told.stdout.contains("not while this machine runs on its battery"), "{told}");

    write_supply(supplies, "AC", &[("type", "Mains"), ("online", "1")]);
    project.remove("node_modules");
    with_supplies(&project, supplies, "install").unwrap();
    backlog.stop_process(project.store()).release();
    until("the process ends", || workers(project.store()).is_empty());
    assert_eq!(fs::read_dir(project.store().join("v1/prepared/jobs")).unwrap().count(), 0);
}
