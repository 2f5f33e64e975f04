//! Workspaces and linked folders.

use crate::world::{package, project, tree, world};

#[test]
fn workspaces_are_linked_and_their_dependencies_hoisted_to_the_project() {
    let world =
        world([package("a@1.0.0")]).workspace("packages/one", package("one@1.0.0").needs("a@^1"));
    assert_eq!(
        tree(&world.install(&project(&[]))),
        ["a@1.0.0", "one -> packages/one", "packages/one@1.0.0"]
    );
}

#[test]
fn a_workspace_keeps_a_version_that_conflicts_with_the_projects_in_its_own_folder() {
    let world = world([package("a@1.0.0"), package("a@2.0.0")])
        .workspace("packages/one", package("one@1.0.0").needs("a@^1"));
    assert_eq!(
        tree(&world.install(&project(&["a@^2"]))),
        ["a@2.0.0", "one -> packages/one", "packages/one@1.0.0", "packages/one > a@1.0.0"]
    );
}

#[test]
fn workspaces_find_each_other_through_the_projects_links() {
    let world = world([])
        .workspace("packages/one", package("one@1.0.0").needs("two@^1"))
        .workspace("packages/two", package("two@1.0.0"));
    assert_eq!(
        tree(&world.install(&project(&[]))),
        ["one -> packages/one", "two -> packages/two", "packages/one@1.0.0", "packages/two@1.0.0"]
    );
}

#[test]
fn a_workspaces_development_dependencies_are_installed() {
    let world =
        world([package("a@1.0.0")]).workspace("packages/one", package("one@1.0.0").dev("a@^1"));
    assert_eq!(
        tree(&world.install(&project(&[]))),
        ["a@1.0.0", "one -> packages/one", "packages/one@1.0.0"]
    );
}

#[test]
fn a_folder_that_is_depended_on_is_linked() {
    let world = world([package("a@1.0.0")]).folder("lib/here", package("here@1.0.0").needs("a@^1"));
    let project = project(&[]).needs_as("here", "file:lib/here");
    assert_eq!(tree(&world.install(&project)), ["lib/here@1.0.0", "a@1.0.0", "here -> lib/here"]);
}

#[test]
fn a_workspace_that_is_new_to_the_lockfile_is_added_and_one_that_is_gone_removed() {
    let old =
        world([package("a@1.0.0")]).workspace("packages/one", package("one@1.0.0").needs("a@^1"));
    let lock = old.install(&project(&[])).lock;
    let new = world([package("a@1.0.0")]).workspace("packages/two", package("two@1.0.0"));
    assert_eq!(
        tree(&new.install_from(&project(&[]), &lock)),
        ["two -> packages/two", "packages/two@1.0.0"]
    );
}

#[test]
fn a_lockfile_with_workspaces_is_obeyed_without_any_request() {
    let world = world([package("a@1.0.0"), package("a@2.0.0")])
        .workspace("packages/one", package("one@1.0.0").needs("a@^1"))
        .folder("lib/here", package("here@1.0.0").needs("a@^1"));
    let project = project(&["a@^2"]).needs_as("here", "file:lib/here");
    let first = world.install(&project);
    let again = {
        let mut closed = world;
        closed.closed.set(true);
        closed.options.frozen = true;
        closed.install_from(&project, &first.lock)
    };
    assert!(!again.changed);
    assert_eq!(tree(&again), tree(&first));
}
