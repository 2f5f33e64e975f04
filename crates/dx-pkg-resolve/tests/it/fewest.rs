//! The fewest versions of a tree: what may be chosen, and what stays.

use dx_pkg_resolve::Resolution;
use dx_pkg_resolve::dedupe::{Aim, Fewer, minimise};

use crate::world::{Package, World, package, project, world};

/// `tool` of which the newest needs another `part` than `other`.
fn parts(older: Package) -> World {
    world([
        package("part@1.0.0"),
        package("part@2.0.0"),
        package("other@1.0.0").needs("part@^1.0.0"),
        package("tool@2.0.0").needs("part@^2.0.0"),
        older,
    ])
}

fn fewest(world: &World, project: &Package) -> (Resolution, Fewer) {
    let requirements = world.requirements(project);
    minimise(&requirements, None, world, &world.options, Aim::Fewest, &|_| false).unwrap()
}

fn version(resolution: &Resolution, name: &str) -> String {
    let path = format!("node_modules/{name}");
    resolution.lock.get(&path).unwrap().version.clone().unwrap()
}

#[track_caller]
fn assert_stays(world: &World, project: &Package) {
    let (found, fewer) = fewest(world, project);
    assert_eq!(fewer.after, fewer.before);
    assert!(fewer.steps.is_empty() && fewer.is_complete, "{fewer:?}");
    assert_eq!(found.lock, world.install(project).lock);
}

#[test]
fn an_older_version_that_shares_its_part_is_chosen() {
    let world = parts(package("tool@1.9.0").needs("part@^1.0.0"));
    for (spec, name) in [("*", "tool"), ("npm:tool@*", "renamed")] {
        let project = project(&["other@*"]).needs_as(name, spec);
        let (found, fewer) = fewest(&world, &project);
        assert_eq!((fewer.before.versions, fewer.after.versions), (4, 3), "{name}");
        assert_eq!(version(&found, name), "1.9.0");
        let tool = fewer.steps.iter().find(|step| step.name == "tool").unwrap();
        assert!(tool.is_older && tool.from == ["2.0.0"] && tool.to == ["1.9.0"], "{tool:?}");
        // What an install makes of it is the same.
        let again = world.install_from(&project, &found.lock);
        assert!(!again.changed && again.conflicts.is_empty(), "{again:?}");
    }
}

#[test]
fn versions_that_nobody_should_choose_anew_are_not_chosen() {
    let good = || package("tool@1.9.0").needs("part@^1.0.0");
    for older in [
        good().deprecated(),
        package("tool@1.9.0-beta.1").needs("part@^1.0.0"),
        good().needs("unheard-of@*"),
        good().node(">=99"),
    ] {
        let mut world = parts(older);
        world.options.pick.node = dx_pkg_core::Version::parse("24.0.0").ok();
        assert_stays(&world, &project(&["tool@*", "other@*"]));
    }
}

#[test]
fn what_the_projects_rules_concern_stays() {
    let world = parts(package("tool@1.9.0").needs("part@^1.0.0"));
    let world = world.overriding("part@^9", "9.0.0");
    assert_stays(&world, &project(&["tool@*", "other@*"]));
}

#[test]
fn a_range_of_the_project_holds() {
    let world = parts(package("tool@1.9.0").needs("part@^1.0.0"));
    assert_stays(&world, &project(&["tool@^2.0.0", "other@*"]));
    assert_stays(&world, &project(&["tool@*", "other@*", "part@2.0.0"]));
}

#[test]
fn without_time_the_tree_stays() {
    let world = parts(package("tool@1.9.0").needs("part@^1.0.0"));
    let project = project(&["tool@*", "other@*"]);
    let requirements = world.requirements(&project);
    let (found, fewer) =
        minimise(&requirements, None, &world, &world.options, Aim::Fewest, &|_| true).unwrap();
    assert_eq!(found.lock, world.install(&project).lock);
    assert!(!fewer.is_complete && fewer.steps.is_empty(), "{fewer:?}");
}

#[test]
fn several_packages_move_together_where_one_alone_would_not_help() {
    let registry = || {
        let newer = |name: &str| package(&format!("{name}@2.0.0")).needs("part@^2.0.0");
        let older = |name: &str| package(&format!("{name}@1.0.0")).needs("part@^1.0.0");
        let mut all = vec![package("part@1.0.0"), package("part@2.0.0")];
        for name in ["a", "b", "c"] {
            all.extend([newer(name), older(name)]);
        }
        all.push(package("other@1.0.0").needs("part@^1.0.0"));
        world(all)
    };
    let world = registry();
    let (found, fewer) = fewest(&world, &project(&["a@*", "b@*", "c@*", "other@*"]));
    assert_eq!((fewer.before.versions, fewer.after.versions), (6, 5));
    for name in ["a", "b", "c", "part"] {
        assert_eq!(version(&found, name), "1.0.0");
    }
}
