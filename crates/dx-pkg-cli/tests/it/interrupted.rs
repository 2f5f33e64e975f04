//! Commands that Ctrl-C or SIGTERM cancels, once or twice.

use std::io::Read;
use std::process::Child;

use dx_pkg_testkit::{Fault, Project, Registry};

use crate::harness::{command, files, ok, required, until};

/// Returns a registry with `a` and `b`, of which `b` never arrives.
fn stalling() -> (Registry, dx_pkg_testkit::FaultHandle) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").file("data", "x".repeat(4000)).publish();
    registry.package("b", "1.0.0").publish();
    let fault = registry.fault("/b/-/*", Fault::Stall);
    (registry, fault)
}

fn signal(child: &Child, name: &str) {
    let status =
        std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Waits for the end; returns the exit code and standard error.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    (child.wait().unwrap().code(), stderr)
}

/// Counts the fetched packages, which are in the store's folder for unfinished work or in the
/// tree being built.
fn fetched(project: &Project) -> usize {
    let names =
        |folder: std::path::PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let unfinished = names(project.store().join("v1/tmp"));
    let trees = names(project.path())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(".node_modules-dx-"));
    // Of a package's files its manifest is written last.
    let is_whole = |package: &std::fs::DirEntry| package.path().join("package.json").exists();
    unfinished.chain(trees).map(|folder| names(folder.path()).filter(is_whole).count()).sum()
}

#[test]
fn interrupted_install_keeps_fetched_packages_and_changes_nothing() {
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let (registry, fault) = stalling();
        let project = Project::new(&registry).dep("a", "1").dep("b", "1").create();
        let before = files(&project);
        let child = command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).spawn();
        until("a is there, b stalls", || {
            registry.tarball_requests() == 2 && fetched(&project) == 1
        });
        signal(&child, name);
        let (status, stderr) = end(child);
        assert_eq!(status, Some(code), "{stderr}");
        assert!(stderr.contains("[DX_CANCELLED]") && stderr.contains("help:"), "{stderr}");
        assert_eq!(files(&project), before);

        fault.clear();
        command(&project).env("DX_PREPARED_TREES", "1").args(["store", "maintain"]).run().success();
        registry.clear_requests();
        ok(&project, ["install"]);
        assert_eq!(registry.tarball_requests(), 1, "{:?}", registry.requests());
        assert_eq!(
            (required(&project, "a"), required(&project, "b")),
            ("a@1.0.0".to_owned(), "b@1.0.0".to_owned())
        );
    }
}

#[test]
fn fetched_packages_are_stored_at_once_without_a_background_process() {
    let (registry, fault) = stalling();
    let project = Project::new(&registry).dep("a", "1").dep("b", "1").create();
    let child = command(&project).args(["install"]).spawn();
    until("a is stored, b stalls", || {
        registry.tarball_requests() == 2 && crate::harness::unpacked(&project).len() == 1
    });
    signal(&child, "-INT");
    assert_eq!(end(child).0, Some(130));
    fault.clear();
    registry.clear_requests();
    ok(&project, ["install"]);
    assert_eq!(registry.tarball_requests(), 1, "{:?}", registry.requests());
}

#[test]
fn a_resolution_that_waits_for_the_registry_can_be_interrupted() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let fault = registry.fault("/a", Fault::Stall);
    let project = Project::new(&registry).dep("a", "1").create();
    let before = files(&project);
    let child = command(&project).args(["install"]).spawn();
    until("the packument was asked for", || fault.hits() > 0);
    signal(&child, "-INT");
    assert_eq!(end(child).0, Some(130));
    assert_eq!(files(&project), before);
}

#[test]
fn script_is_ended_with_the_command_and_runs_again_the_next_time() {
    let registry = Registry::start();
    registry
        .package("s", "1.0.0")
        .script(
            "postinstall",
            "echo began > ../../began; [ -e ../../quick ] || exec sleep 60; echo done > done.txt",
        )
        .publish();
    let project = Project::new(&registry)
        .dep("s", "1")
        .field("allowScripts", serde_json::json!({"s": true}))
        .create();
    let child = command(&project).args(["install"]).spawn();
    until("the script runs", || project.exists("began"));
    signal(&child, "-TERM");
    let (status, stderr) = end(child);
    assert_eq!(status, Some(143), "{stderr}");
    project.write("quick", "");
    ok(&project, ["install"]);
    assert_eq!(project.read("node_modules/s/done.txt"), "done\n");
}

#[test]
fn second_interrupt_ends_the_command_at_once() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .script("preinstall", "trap '' INT TERM; echo $$ > pid; exec sleep 60")
        .create();
    let child = command(&project).args(["install"]).spawn();
    until("the script runs", || project.exists("pid") && !project.read("pid").is_empty());
    let script = project.read("pid").trim().to_owned();
    signal(&child, "-INT");
    // The first cancels and waits for the script, which ignores it.
    until("the second ends it", || {
        signal_if_alive(&child, "-INT");
        is_over(child.id())
    });
    let killed = std::process::Command::new("kill").args(["-KILL", &script]).status().unwrap();
    assert!(killed.success(), "the script was still running");
    assert_eq!(end(child).0, Some(130));
}

fn signal_if_alive(child: &Child, name: &str) {
    let _ = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
}

/// Returns whether a child that was not waited for yet has ended.
fn is_over(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}
