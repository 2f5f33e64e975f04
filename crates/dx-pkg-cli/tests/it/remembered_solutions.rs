//! Conflicts that were solved once: the next install of the same project asks nothing.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx_with_prepared_trees as dx, required};

#[test]
fn a_solved_conflict_is_not_solved_again_and_said_again() {
    let registry = Registry::start();
    registry.cache_control("max-age=300");
    registry.package("pack", "4.0.0").publish();
    registry.package("pack", "5.0.0").publish();
    registry.package("loader", "2.0.0").peer("pack", "^4 || ^5").publish();
    registry.package("loader", "3.0.0").peer("pack", "^5").publish();
    let create = || Project::new(&registry).dep("loader", "*").dep("pack", "^4.0.0");
    let told = "so that peer dependencies agree: loader 2.0.0 instead of 3.0.0";
    let first = create().create();
    assert!(dx(&first, ["install"]).stdout.contains(told));
    // With the lockfile it is said no more.
    first.remove("node_modules");
    assert!(!dx(&first, ["install"]).stdout.contains(told));
    let lock = first.read("package-lock.json");
    // Another clone without a lockfile.
    let second = create().store(first.store()).create();
    registry.clear_requests();
    let run = dx(&second, ["install"]);
    assert!(run.stdout.contains(told), "{run}");
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
    assert_eq!(required(&second, "loader"), "loader@2.0.0");
    assert_eq!(second.read("package-lock.json"), lock);
    // Another requirement is another conflict.
    let third =
        Project::new(&registry).dep("loader", "*").dep("pack", "*").store(first.store()).create();
    assert!(!dx(&third, ["install"]).stdout.contains(told));
    assert_eq!(required(&third, "loader"), "loader@3.0.0");
}
