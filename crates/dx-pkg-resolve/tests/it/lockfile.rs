//! Resolution from a lockfile: obeyed, repaired with the least change, pruned, updated on request.

use dx_pkg_lock::Lock;
use dx_pkg_resolve::ResolveError;

use crate::world::{World, package, project, tree, world};

fn registry() -> World {
    world([
        package("a@1.0.0").needs("b@^1").peer("p@^1"),
        package("a@1.1.0").needs("b@^1").peer("p@^1"),
        package("b@1.0.0"),
        package("b@1.1.0"),
        package("c@1.0.0").needs("b@^1"),
        package("p@1.0.0"),
        package("o@1.0.0").os("darwin"),
    ])
}

/// The lock of the project from before any 1.1.0 was published.
fn locked() -> (World, Lock) {
    let mut world = registry();
    world = world.tag("a", "latest", "1.0.0").tag("b", "latest", "1.0.0");
    let lock = world.install(&project(&["a@^1"]).optional("o@^1")).lock;
    (registry(), lock)
}

#[test]
fn a_lockfile_that_satisfies_is_obeyed_without_any_request() {
    let (world, lock) = locked();
    world.closed.set(true);
    let resolution = world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.0.0", "[o@1.0.0]", "p@1.0.0"]);
    assert_eq!(resolution.lock, lock);
    assert!(!resolution.changed);
}

#[test]
fn a_missing_entry_is_added_and_nothing_else_touched() {
    let (world, mut lock) = locked();
    lock.packages.retain(|entry| entry.path != "node_modules/b");
    let resolution = world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.1.0", "[o@1.0.0]", "p@1.0.0"]);
    assert!(resolution.changed);
    assert_eq!(*world.asked.borrow(), ["b"]);
}

#[test]
fn an_entry_that_no_longer_satisfies_is_replaced_and_nothing_else_touched() {
    let (world, lock) = locked();
    let resolution = world.install_from(&project(&["a@^1", "b@^1.1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.1.0", "[o@1.0.0]", "p@1.0.0"]);
    assert_eq!(*world.asked.borrow(), ["b"]);
}

#[test]
fn an_added_dependency_keeps_what_is_locked() {
    let (world, lock) = locked();
    let resolution = world.install_from(&project(&["a@^1", "c@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.0.0", "c@1.0.0", "[o@1.0.0]", "p@1.0.0"]);
}

#[test]
fn packages_that_only_a_removed_dependency_needed_are_pruned() {
    let (world, lock) = locked();
    world.closed.set(true);
    let resolution = world.install_from(&project(&["b@^1"]), &lock);
    assert_eq!(tree(&resolution), ["b@1.0.0"]);
    assert!(resolution.changed);
}

#[test]
fn an_entry_that_nothing_needs_is_pruned_though_the_requirements_are_the_same() {
    let (world, mut lock) = locked();
    let mut stray = lock.get("node_modules/b").unwrap().clone();
    stray.path = "node_modules/stray".into();
    lock.packages.push(stray);
    let resolution = world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.0.0", "[o@1.0.0]", "p@1.0.0"]);
}

#[test]
fn update_chooses_the_named_packages_anew() {
    let (mut world, lock) = locked();
    world.options.update = vec!["b".into()];
    let resolution = world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.1.0", "[o@1.0.0]", "p@1.0.0"]);
}

#[test]
fn an_explicit_request_is_chosen_anew_though_the_locked_one_satisfies() {
    let (mut world, lock) = locked();
    world.options.explicit = vec!["a".into()];
    let resolution = world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock);
    assert_eq!(tree(&resolution), ["a@1.1.0", "b@1.0.0", "[o@1.0.0]", "p@1.0.0"]);
}

#[test]
fn frozen_obeys_a_lockfile_that_satisfies() {
    let (mut world, lock) = locked();
    world.options.frozen = true;
    world.closed.set(true);
    assert!(!world.install_from(&project(&["a@^1"]).optional("o@^1"), &lock).changed);
}

#[test]
fn frozen_refuses_to_add_what_the_lockfile_lacks() {
    let (mut world, lock) = locked();
    world.options.frozen = true;
    world.closed.set(true);
    let error = world.try_install(&project(&["a@^1", "c@^1"]), Some(&lock)).unwrap_err();
    assert!(
        matches!(error, ResolveError::Frozen { name, spec, .. } if name == "c" && spec == "^1")
    );
}

#[test]
fn a_link_to_what_the_lockfile_does_not_describe_is_an_error() {
    let (world, mut lock) = locked();
    let link = dx_pkg_lock::LockPackage {
        path: "node_modules/x".into(),
        link: true,
        resolved: Some("gone".into()),
        ..dx_pkg_lock::LockPackage::default()
    };
    lock.packages.push(link);
    let error = world.try_install(&project(&["a@^1"]), Some(&lock)).unwrap_err();
    assert!(matches!(error, ResolveError::LockLink { target, .. } if target == "gone"));
}

#[test]
fn a_workspace_that_the_lockfile_lacks_keeps_what_is_locked_below_it() {
    let world = world([
        package("a@1.0.0"),
        package("a@2.0.0"),
        package("b@1.0.0").needs("a@*"),
        package("b@1.1.0"),
    ]);
    let project = project(&["a@2.0.0"]);
    let mut lock = world.install(&project).lock;
    lock.packages.push(package("a@1.0.0").record("w/node_modules/a"));
    lock.packages.push(package("b@1.0.0").needs("a@*").record("w/node_modules/b"));
    let world = world.workspace("w", package("w@1.0.0").needs("b@^1"));
    let resolution = world.install_from(&project, &lock);
    // The older copy is not needed.
    assert_eq!(tree(&resolution), ["a@2.0.0", "w -> w", "w@1.0.0", "w > b@1.0.0"]);
}
