//! Resolution from a lockfile that tells too little: optional packages that it lacks, and entries
//! that were completed.

use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::{ResolveError, resolve_upgraded};

use crate::world::{World, package, project, tree, world};

/// Returns a registry with an optional package for each system, and the lock of a project on
/// another system, which lacks the one for this.
fn other_systems() -> (World, Lock) {
    let world = world([
        package("a@1.0.0").optional("here@^1").optional("there@^1"),
        package("here@1.0.0").os("linux").needs("b@^1"),
        package("there@1.0.0").os("darwin"),
        package("b@1.0.0"),
    ]);
    let mut lock = world.install(&project(&["a@^1"])).lock;
    lock.packages.retain(|entry| !["node_modules/here", "node_modules/b"].contains(&&*entry.path));
    (world, lock)
}

#[test]
fn optional_package_that_the_lock_lacks_is_added() {
    let (world, lock) = other_systems();
    let resolution = world.install_from(&project(&["a@^1"]), &lock);
    assert!(resolution.changed);
    assert_eq!(resolution.lock.packages.len(), 5);
    assert!(resolution.lock.get("node_modules/here").unwrap().optional);
}

#[test]
fn frozen_refuses_a_lock_that_lacks_an_optional_package() {
    let (mut world, lock) = other_systems();
    world.options.frozen = true;
    let error = world.try_install(&project(&["a@^1"]), Some(&lock)).unwrap_err();
    let ResolveError::Frozen { name, is_optional, .. } = error else { panic!("{error}") };
    assert_eq!((name.as_str(), is_optional), ("here", true));
}

#[test]
fn frozen_accepts_that_an_optional_package_does_not_exist() {
    let mut world = world([package("a@1.0.0").optional("nowhere@^1")]);
    let lock = world.install(&project(&["a@^1"])).lock;
    world.options.frozen = true;
    let resolution = world.install_from(&project(&["a@^1"]), &lock);
    assert!(!resolution.changed);
    assert_eq!(resolution.skipped.len(), 1, "it is said");
}

/// Returns the lock as it would be without manifests, as version 1 has it.
fn bare(lock: &Lock) -> Lock {
    let packages = lock.packages.iter().map(|entry| LockPackage {
        path: entry.path.clone(),
        version: entry.version.clone(),
        resolved: entry.resolved.clone(),
        ..LockPackage::default()
    });
    Lock { packages: packages.collect(), ..lock.clone() }
}

#[test]
fn frozen_lock_stays_where_only_the_completion_brings_requirements() {
    let world = world([
        package("a@1.0.0").needs("b@^1").peer("p@^1").optional("o@^1"),
        package("b@1.0.0"),
        package("p@1.0.0"),
        package("o@1.0.0"),
    ]);
    let mut full = world.install(&project(&["a@^1"])).lock;
    full.packages.retain(|entry| !["node_modules/p", "node_modules/o"].contains(&&*entry.path));
    let bare = bare(&full);
    for frozen in [false, true] {
        let mut options = world.options.clone();
        options.frozen = frozen;
        let requirements = world.requirements(&project(&["a@^1"]));
        world.closed.set(frozen);
        let resolution = resolve_upgraded(&requirements, (&bare, &full), &world, &options).unwrap();
        let expected = if frozen {
            vec!["a@1.0.0", "b@1.0.0"]
        } else {
            // A frozen install would miss the peer.
            vec!["a@1.0.0", "b@1.0.0", "o@1.0.0", "p@1.0.0"]
        };
        assert_eq!(tree(&resolution), expected);
        let a = resolution.lock.get("node_modules/a").unwrap();
        assert_eq!(a.peer_dependencies.len(), 1, "but they are recorded");
    }
}
