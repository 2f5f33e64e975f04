//! Lockfiles that do not meet a peer: a bot moved one package on, or the conflict was accepted when
//! the lockfile was written.

use dx_pkg_lock::Lock;
use dx_pkg_resolve::ResolveError;

use crate::world::{Package, World, flags, package, project, tree, world};

/// The lock with the entry at `path` replaced by `version`, as a bot does it.
fn moved(mut lock: Lock, path: &str, version: &Package) -> Lock {
    let entry = lock.packages.iter_mut().find(|entry| entry.path == path).unwrap();
    let peer = entry.peer;
    *entry = version.record(path);
    (entry.name, entry.peer) = (None, peer);
    lock
}

/// Takes a lockfile frozen.
fn frozen(mut world: World, project: &Package, lock: &Lock) -> Result<Vec<String>, ResolveError> {
    world.options.frozen = true;
    world.try_install(project, Some(lock)).map(|resolution| tree(&resolution))
}

fn sorb(version: &str) -> Package {
    package(&format!("sorb@{version}")).peer(&format!("cedar@{version}"))
}

fn cedars() -> World {
    let cedars = ["1.0.0", "1.1.0"].map(|version| package(&format!("cedar@{version}")));
    world(cedars.into_iter().chain(["1.0.0", "1.1.0"].map(sorb)))
}

#[test]
fn a_direct_dependency_moves_to_meet_a_peer() {
    let lock = cedars().install(&project(&["cedar@^1.0.0", "sorb@1.0.0"])).lock;
    let lock = moved(lock, "node_modules/sorb", &sorb("1.1.0"));
    let project = project(&["cedar@^1.0.0", "sorb@^1.1.0"]);
    let resolution = cedars().install_from(&project, &lock);
    assert_eq!(tree(&resolution), ["cedar@1.1.0", "sorb@1.1.0"]);
    assert!(resolution.conflicts.is_empty());
    assert!(matches!(
        frozen(cedars(), &project, &lock),
        Err(ResolveError::Frozen { name, required_by, .. })
            if name == "cedar" && required_by == "sorb@1.1.0"
    ));
}

#[test]
fn a_peer_that_came_by_itself_moves() {
    let lock = cedars().install(&project(&["sorb@1.0.0"])).lock;
    let lock = moved(lock, "node_modules/sorb", &sorb("1.1.0"));
    let resolution = cedars().install_from(&project(&["sorb@^1.1.0"]), &lock);
    assert_eq!(tree(&resolution), ["cedar@1.1.0", "sorb@1.1.0"]);
}

#[test]
fn a_required_peer_that_depends_on_its_dependent_is_not_lost() {
    let pine =
        |version: &str| package(&format!("pine@{version}")).peer(&format!("birch@{version}"));
    let birch = |version: &str| package(&format!("birch@{version}")).needs("pine@^1.0.0");
    let all = || {
        let versions = ["1.0.0", "2.0.0"];
        world(versions.map(pine).into_iter().chain(versions.map(birch)))
    };
    let lock = all().install(&project(&["pine@1.0.0"])).lock;
    let lock = moved(lock, "node_modules/pine", &pine("2.0.0"));
    let resolution = all().install_from(&project(&["pine@^2.0.0"]), &lock);
    assert_eq!(
        resolution.lock.get("node_modules/birch").unwrap().version.as_deref(),
        Some("2.0.0")
    );
}

#[test]
fn a_peer_moves_only_where_the_project_allows_it() {
    let project = project(&["cedar@1.0.0", "sorb@^1.0.0"]);
    let lock = cedars().install(&project).lock;
    let lock = moved(lock, "node_modules/sorb", &sorb("1.1.0"));
    let world = cedars();
    world.closed.set(true);
    let resolution = world.install_from(&project, &lock);
    assert_eq!(tree(&resolution), ["cedar@1.0.0", "sorb@1.1.0"]);
    assert_eq!(resolution.conflicts.len(), 1);
    let world = cedars();
    world.closed.set(true);
    assert_eq!(frozen(world, &project, &lock).unwrap(), ["cedar@1.0.0", "sorb@1.1.0"]);
}

/// Two packages whose peers have no version in common, and the conflict accepted.
fn disputed() -> World {
    world([
        package("a@1.0.0").peer("p@^1"),
        package("b@1.0.0").peer("p@^2"),
        package("p@1.0.0"),
        package("p@2.0.0"),
    ])
}

#[test]
fn an_accepted_conflict_stays_as_it_is_and_is_reported_again() {
    let project = project(&["a@1", "b@1"]);
    let first = disputed().install(&project);
    let again = disputed().install_from(&project, &first.lock);
    assert!(!again.changed);
    assert!(!again.conflicts.is_empty());
    assert_eq!(first.accepted_conflicts.unwrap(), again.conflicts);
    assert_eq!(frozen(disputed(), &project, &first.lock).unwrap(), tree(&again));
}

#[test]
fn a_conflict_whose_other_package_cannot_be_loaded_stays_as_it_is() {
    let project = project(&["a@1", "b@1"]);
    let first = disputed().install(&project);
    let gone = || world([package("a@1.0.0"), package("b@1.0.0")]);
    let again = gone().install_from(&project, &first.lock);
    assert!(!again.changed);
    assert!(again.skipped.is_empty());
    assert_eq!(again.conflicts.len(), 1);
    assert_eq!(frozen(gone(), &project, &first.lock).unwrap(), tree(&again));
}

#[test]
fn an_optional_peer_that_nothing_meets_keeps_the_mark_of_both_sections() {
    let all = || {
        world([
            package("sapele@1.0.0"),
            package("sapele@1.1.0").optional_peer("osier@^3"),
            package("osier@2.0.0"),
            package("osier@3.0.0"),
        ])
    };
    let project = |sapele: &str| package("project@1.0.0").dev("osier@^2").needs(sapele);
    let lock = all().install(&project("sapele@1.0.0")).lock;
    let sapele = package("sapele@1.1.0").optional_peer("osier@^3");
    let lock = moved(lock, "node_modules/sapele", &sapele);
    let resolution = all().install_from(&project("sapele@^1.1.0"), &lock);
    assert_eq!(tree(&resolution), ["osier@2.0.0", "sapele@1.1.0"]);
    assert_eq!(flags(&resolution, "node_modules/osier"), ["devOptional"]);
}

#[test]
fn an_optional_peer_of_a_nested_package_asks_for_nothing() {
    let nested = || package("nested@1.0.0").optional_peer("p@^3");
    let all = || {
        world([
            package("a@1.0.0").needs("nested@1"),
            nested(),
            package("nested@2.0.0"),
            package("p@1.0.0"),
            package("p@3.0.0"),
        ])
    };
    let project = project(&["a@1", "nested@2", "p@1"]);
    let lock = all().install(&project).lock;
    let lock = all().install_from(&project, &lock).lock;
    let expected = ["a@1.0.0", "a > nested@1.0.0", "nested@2.0.0", "p@1.0.0"];
    let world = all();
    world.closed.set(true);
    let resolution = world.install_from(&project, &lock);
    assert_eq!(tree(&resolution), expected);
    assert!(!resolution.changed);
}

#[test]
fn strict_peers_refuse_a_conflict_of_the_lockfile() {
    let project = project(&["cedar@1.0.0", "sorb@1.1.0"]);
    let lock = cedars().install(&project).lock;
    let mut world = cedars();
    world.options.strict_peer_deps = true;
    let error = world.try_install(&project, Some(&lock)).unwrap_err();
    assert!(matches!(error, ResolveError::PeerConflict(_)));
}
