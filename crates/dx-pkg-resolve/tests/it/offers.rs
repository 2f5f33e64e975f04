//! Offers of more than one own requirement, of peers that no requirement names, and of what npm
//! accepts as a lockfile only. `brute.rs` has the rest.

use dx_pkg_resolve::peers::{Ending, Finding};
use dx_pkg_resolve::{Resolution, resolve};

use crate::world::{Package, World, package, project, tree, world};

fn solving(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    world
}

/// Returns the lines of the only explanation about what is offered.
fn taking(resolution: &Resolution) -> Vec<String> {
    let [explanation] = resolution.explanations.as_slice() else { panic!("{resolution:?}") };
    assert_eq!(explanation.finding, Finding::Offered);
    let lines = explanation.lines(Ending::Installed, &|_, _| None);
    lines.into_iter().filter(|line| line.contains("To take it")).collect()
}

/// Returns the tree after the first change of the only explanation.
fn taken(world: &World, project: &Package, from: &Resolution) -> Resolution {
    let mut options = world.options.clone();
    let mut requirements = world.requirements(project);
    for wanted in &from.explanations[0].changes[0].requirements {
        let own = &mut requirements.root.dependencies;
        own.retain(|(name, _)| *name != wanted.name);
        own.push((wanted.name.clone(), wanted.range.clone()));
        options.update.push(wanted.name.clone());
    }
    resolve(&requirements, Some(&from.lock), world, &options).unwrap()
}

#[test]
fn a_peer_that_came_by_itself_gets_a_requirement() {
    let world = solving([
        package("app@1.0.0").peer("loader@*").peer("runtime@^2.0.0"),
        package("loader@1.1.0"),
        package("loader@2.0.0").peer("runtime@^1.0.0"),
        package("runtime@1.0.0"),
        package("runtime@2.0.0"),
    ]);
    let project = project(&["app@^1.0.0"]);
    let resolution = world.install(&project);
    assert_eq!(
        taking(&resolution),
        ["  To take it: dx add loader@^1.1.0  (1.1.0 is accepted only because it says nothing of \
          runtime; the newer 2.0.0 restricts itself to ^1.0.0)"]
    );
    let after = taken(&world, &project, &resolution);
    assert_eq!(tree(&after), ["app@1.0.0", "loader@1.1.0", "runtime@2.0.0"]);
    assert!(!after.refused_by_npm && after.conflicts.is_empty());
}

#[test]
fn a_requirement_for_a_peer_goes_where_the_others_are() {
    let world = solving([
        package("app@1.0.0").peer("loader@*").peer("runtime@^2.0.0"),
        package("loader@1.1.0"),
        package("loader@2.0.0").peer("runtime@^1.0.0"),
        package("runtime@1.0.0"),
        package("runtime@2.0.0"),
    ]);
    let resolution = world.install(&package("project@1.0.0").dev("app@^1.0.0"));
    assert!(taking(&resolution)[0].contains("dx add -D loader@^1.1.0"), "{resolution:?}");
}

#[test]
fn packages_of_one_conflict_are_offered_together() {
    let world = solving([
        package("lint@1.0.0"),
        package("lint@2.0.0"),
        package("one@1.0.0"),
        package("one@1.1.0").peer("lint@^1.0.0"),
        package("two@1.0.0"),
        package("two@1.1.0").peer("lint@^1.0.0"),
    ]);
    let project = project(&["lint@^2.0.0", "one@*", "two@*"]);
    let resolution = world.install(&project);
    assert!(resolution.explanations.iter().all(|one| one.finding == Finding::Offered));
    let commands: Vec<String> = resolution
        .explanations
        .iter()
        .map(|one| one.changes[0].command().unwrap_or_default())
        .collect();
    assert_eq!(commands, ["dx add one@~1.0.0 two@~1.0.0"]);
}

#[test]
fn a_change_counts_where_npm_accepts_its_lockfile() {
    let world = solving([
        package("app@1.1.0").optional_peer("side@*"),
        package("app@2.0.0").peer("side@*").peer("core@^2.0.0"),
        package("base@2.0.0").peer("host@~1.0.0"),
        package("core@1.0.0"),
        package("core@2.0.0").peer("base@2.0.0").peer("host@1.1.0"),
        package("host@1.0.0").peer("app@2.0.0"),
        package("host@1.1.0").peer("core@~1.0.0"),
        package("side@1.1.0").optional_peer("base@*"),
    ]);
    let project = project(&["app@>=1"]);
    let resolution = world.install(&project);
    let told = taking(&resolution);
    assert!(told[0].contains("dx add app@^1.1.0"), "{told:?}");
    let after = taken(&world, &project, &resolution);
    assert_eq!(tree(&after), ["app@1.1.0"]);
    assert!(after.conflicts.is_empty());
}
