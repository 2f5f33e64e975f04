//! Peer requirements: gathered as sets, met by packages in place, reported where they conflict.

use dx_pkg_resolve::ResolveError;

use crate::world::{flags, package, project, tree, world};

#[test]
fn a_peer_is_installed_beside_its_dependent() {
    let world = world([package("a@1.0.0").peer("p@^1"), package("p@1.0.0"), package("p@2.0.0")]);
    let resolution = world.install(&project(&["a@^1"]));
    assert_eq!(tree(&resolution), ["a@1.0.0", "p@1.0.0"]);
    assert_eq!(flags(&resolution, "node_modules/p"), ["peer"]);
}

#[test]
fn the_projects_own_choice_satisfies_a_peer() {
    let world = world([package("a@1.0.0").peer("p@>=1"), package("p@1.0.0"), package("p@2.0.0")]);
    assert_eq!(tree(&world.install(&project(&["a@^1", "p@^1"]))), ["a@1.0.0", "p@1.0.0"]);
}

#[test]
fn peers_of_peers_come_along_as_one_set() {
    let world = world([
        package("a@1.0.0").peer("p@^1"),
        package("p@1.0.0").peer("q@^1"),
        package("q@1.0.0").peer("a@*"),
        package("q@2.0.0"),
    ]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0", "p@1.0.0", "q@1.0.0"]);
}

#[test]
fn a_set_that_does_not_fit_above_is_nested_whole() {
    let world = world([
        package("b@1.0.0").needs("a@^1"),
        package("a@1.0.0").peer("p@^1"),
        package("p@1.0.0"),
        package("p@2.0.0"),
    ]);
    let resolution = world.install(&project(&["b@^1", "p@^2"]));
    assert_eq!(tree(&resolution), ["b@1.0.0", "b > a@1.0.0", "b > p@1.0.0", "p@2.0.0"]);
    assert!(resolution.conflicts.is_empty());
}

#[test]
fn a_conflict_among_the_projects_own_is_reported_as_one_that_npm_refuses() {
    let world = world([package("a@1.0.0").peer("p@^1"), package("p@1.0.0"), package("p@2.0.0")]);
    let resolution = world.install(&project(&["a@^1", "p@^2"]));
    assert_eq!(tree(&resolution), ["a@1.0.0", "p@2.0.0"]);
    let [conflict] = resolution.conflicts.as_slice() else { panic!("{:?}", resolution.conflicts) };
    assert_eq!(conflict.path, "node_modules/a");
    assert!(resolution.refused_by_npm);
    assert_eq!(
        conflict.to_string(),
        "a@1.0.0 needs p@^1, but found p@2.0.0 (project requires p@^2)"
    );
}

#[test]
fn strict_peer_deps_refuses_a_conflict() {
    let mut world =
        world([package("a@1.0.0").peer("p@^1"), package("p@1.0.0"), package("p@2.0.0")]);
    world.options.strict_peer_deps = true;
    let outcome = world.try_install(&project(&["a@^1", "p@^2"]), None);
    assert!(
        matches!(outcome, Err(ResolveError::PeerConflict(conflicts)) if conflicts[0].name == "p")
    );
}

#[test]
fn legacy_peer_deps_leaves_peers_out() {
    let mut world = world([package("a@1.0.0").peer("p@^1"), package("p@1.0.0")]);
    world.options.legacy_peer_deps = true;
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0"]);
}

#[test]
fn an_optional_peer_is_not_installed_for_its_own_sake() {
    let world = world([package("a@1.0.0").optional_peer("p@^1"), package("p@1.0.0")]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0"]);
}

#[test]
fn an_optional_peer_that_is_there_for_another_must_still_fit() {
    let world = world([
        package("a@1.0.0").optional_peer("p@^1"),
        package("b@1.0.0").needs("p@>=1"),
        package("p@1.0.0"),
        package("p@2.0.0"),
    ]);
    let resolution = world.install(&project(&["a@^1", "b@^1"]));
    let found = resolution.lock.get("node_modules/p").unwrap().version.clone().unwrap();
    let beside_a = found == "1.0.0" || !resolution.conflicts.is_empty();
    assert!(beside_a, "{:?}", tree(&resolution));
}
