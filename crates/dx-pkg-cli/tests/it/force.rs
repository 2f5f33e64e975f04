//! `--force`: packages for other platforms and versions of Node.js.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, locked, locked_version, ok};

/// Returns a project that requires a package for a system that is not this one, and another one
/// optionally.
fn project() -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("there", "1.0.0").os(["aix"]).publish();
    registry.package("maybe", "1.0.0").os(["aix"]).publish();
    let project = Project::new(&registry).dep("there", "1").optional("maybe", "1").create();
    (registry, project)
}

#[test]
fn force_installs_what_is_for_another_platform_with_a_warning() {
    for flag in ["--force", "-f"] {
        let (_registry, project) = project();
        fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PLATFORM");
        let run = ok(&project, ["install", flag]);
        assert!(run.stderr.contains("there@1.0.0 requires os aix"), "{run}");
        assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/there"]);
        assert_eq!(locked(&project, "node_modules/there")["os"][0], "aix");
        // The lockfile does not remember it, as with npm.
        fails(dx(&project, ["ci"]), "DX_UNSUPPORTED_PLATFORM");
        ok(&project, ["ci", flag]);
        assert!(project.exists("node_modules/there"));
    }
}

#[test]
fn force_writes_a_lockfile_alone_too() {
    let (_registry, project) = project();
    fails(dx(&project, ["install", "--package-lock-only"]), "DX_UNSUPPORTED_PLATFORM");
    ok(&project, ["install", "--package-lock-only", "--force"]);
    assert_eq!(locked_version(&project, "node_modules/there"), "1.0.0");
    assert!(!project.exists("node_modules"));
}

#[test]
fn force_also_overcomes_engine_strict() {
    let registry = Registry::start();
    registry.package("old", "1.0.0").engines("node", "0.8").publish();
    let project = Project::new(&registry).dep("old", "1").npmrc("engine-strict=true").create();
    fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PLATFORM");
    ok(&project, ["install", "--force"]);
    assert!(project.exists("node_modules/old"));
}
