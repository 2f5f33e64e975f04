//! Peer conflicts that npm refuses: solved within the project's ranges, and said.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, ok, required};

/// Publishes `loader`, whose newer versions do not accept the `pack` that the project has.
fn loaders() -> Registry {
    let registry = Registry::start();
    registry.package("pack", "4.0.0").publish();
    registry.package("pack", "5.0.0").publish();
    registry.package("loader", "1.0.0").peer("pack", "^3 || ^4").publish();
    registry.package("loader", "2.0.0").peer("pack", "^4 || ^5").publish();
    registry.package("loader", "3.0.0").peer("pack", "^5").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    Project::new(registry).dep("loader", "*").dep("pack", "^4.0.0").create()
}

#[test]
fn the_newest_version_that_agrees_is_installed_and_said_once() {
    let registry = loaders();
    let project = project(&registry);
    let first = ok(&project, ["install"]);
    let told = "so that peer dependencies agree: loader 2.0.0 instead of 3.0.0";
    assert!(first.stdout.contains(told), "{first}");
    assert_eq!(required(&project, "loader"), "loader@2.0.0");
    let lock = project.read("package-lock.json");
    // From then on the lockfile has it.
    for command in ["install", "ci"] {
        std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
        let run = ok(&project, [command]);
        assert!(!run.stdout.contains("agree") && !run.stderr.contains("peer"), "{run}");
        assert_eq!(required(&project, "loader"), "loader@2.0.0");
        assert_eq!(project.read("package-lock.json"), lock);
    }
    assert!(ok(&project, ["install"]).stdout.contains("up to date"));
}

#[test]
fn without_a_lockfile_it_is_said_each_time() {
    let registry = loaders();
    let project = project(&registry);
    for _ in 0..2 {
        let run = ok(&project, ["install", "--no-package-lock", "--json"]);
        let fields: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(fields["solved"], serde_json::json!(["loader 2.0.0 instead of 3.0.0"]));
        std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    }
}

#[test]
fn solving_can_be_turned_off() {
    let registry = loaders();
    for flag in ["--no-solve", "--force", "--legacy-peer-deps"] {
        let project = project(&registry);
        ok(&project, ["install", flag]);
        assert_eq!(required(&project, "loader"), "loader@3.0.0", "{flag}");
    }
    let strict = project(&registry);
    let run = dx(&strict, ["install", "--no-solve", "--strict-peer-deps"]);
    assert_ne!(run.status, Some(0), "{run}");
    ok(&strict, ["install", "--strict-peer-deps"]);
    assert_eq!(required(&strict, "loader"), "loader@2.0.0");
}
