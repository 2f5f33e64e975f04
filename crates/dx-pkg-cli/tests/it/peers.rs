//! Peer dependencies.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, files, locked, ok, required};

#[test]
fn peers_are_installed() {
    let registry = Registry::start();
    registry.package("plugin", "1.0.0").peer("host", "^2").publish();
    registry.package("host", "2.1.0").publish();
    registry.package("host", "3.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").create();
    let run = ok(&project, ["install"]);
    assert_eq!(required(&project, "host"), "host@2.1.0");
    assert_eq!(locked(&project, "node_modules/host")["peer"], true);
    assert_eq!(run.stderr, "");
}

#[test]
fn version_that_serves_dependency_and_peer_is_shared() {
    let registry = Registry::start();
    registry.package("plugin", "1.0.0").peer("host", "^2").publish();
    registry.package("host", "2.1.0").publish();
    registry.package("host", "2.5.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").dep("host", "~2.1.0").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "host"), "host@2.1.0");
    assert_eq!(project.installed().len(), 2);
}

#[test]
fn optional_peer_is_not_installed() {
    let registry = Registry::start();
    registry.package("plugin", "1.0.0").peer_optional("host", "^2").publish();
    registry.package("host", "2.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/host"));
}

fn conflict() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("plugin", "1.0.0").peer("host", "^2").publish();
    registry.package("host", "2.0.0").publish();
    registry.package("host", "3.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").dep("host", "^3").create();
    (registry, project)
}

#[test]
fn conflicting_peers_are_installed_with_a_warning() {
    let (_registry, project) = conflict();
    let run = ok(&project, ["install"]);
    assert_eq!(required(&project, "host"), "host@3.0.0");
    let told = "no published version of plugin (1.0.0 is the newest) accepts host 3.0.0";
    assert!(run.stderr.contains(told), "{run}");
    assert!(run.stderr.contains("1.0.0, the newest, needs host ^2"), "{run}");
    let json: serde_json::Value =
        serde_json::from_str(&ok(&project, ["ci", "--json"]).stdout).unwrap();
    assert_eq!(json["conflicts"].as_array().unwrap().len(), 1, "{json}");
}

#[test]
fn conflicting_peers_are_refused_when_strict() {
    let (_registry, project) = conflict();
    let before = files(&project);
    let stderr = fails(dx(&project, ["install", "--strict-peer-deps"]), "DX_PEER_CONFLICT");
    assert!(stderr.contains("1.0.0, the newest, needs host ^2"), "{stderr}");
    assert_eq!(files(&project), before);
}

#[test]
fn legacy_peer_deps_leave_peers_out() {
    let (registry, project) = conflict();
    let run = ok(&project, ["install", "--legacy-peer-deps"]);
    assert_eq!(run.stderr, "");
    let alone = Project::new(&registry).dep("plugin", "1").npmrc("legacy-peer-deps=true").create();
    ok(&alone, ["install"]);
    assert_eq!(alone.installed().into_keys().collect::<Vec<_>>(), ["node_modules/plugin"]);
}

#[test]
fn omitting_peers_leaves_them_in_the_lockfile() {
    let registry = Registry::start();
    registry.package("plugin", "1.0.0").peer("host", "^2").publish();
    registry.package("host", "2.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").create();
    ok(&project, ["install", "--omit=peer"]);
    assert!(!project.exists("node_modules/host"));
    assert_eq!(locked(&project, "node_modules/host")["version"], "2.0.0");
}
