//! Registries that make up packages without end.

use dx_pkg_core::Coded as _;

use crate::world::{Package, package, project, world};

/// `n0`, `n1`, and so on, each of which requires the next.
fn chain(length: usize) -> Vec<Package> {
    (0..length)
        .map(|number| {
            let this = package(&format!("n{number}@1.0.0"));
            if number + 1 < length { this.needs(&format!("n{}@1", number + 1)) } else { this }
        })
        .collect()
}

#[test]
fn a_chain_of_dependencies_has_an_end() {
    let longest = world(chain(200)).install(&project(&["n0@1"]));
    assert_eq!(longest.lock.packages.len(), 201);
    let world = world(chain(1000));
    let error = world.try_install(&project(&["n0@1"]), None).unwrap_err();
    assert_eq!(error.code(), "DX_TOO_MANY_PACKAGES");
    assert!(error.to_string().starts_with("more than 200 packages require one another"), "{error}");
    assert!(error.to_string().ends_with("n199@1.0.0 requires n200"), "{error}");
    assert_eq!(world.asked.borrow().len(), 201, "nothing is requested beyond it");
}

#[test]
fn a_chain_may_be_longer_where_more_packages_may_be_loaded() {
    let mut world = world(chain(201));
    world.options.max_packages = 20_100;
    assert_eq!(world.install(&project(&["n0@1"])).lock.packages.len(), 202);
}

#[test]
fn a_long_chain_of_optional_dependencies_is_refused_too() {
    let packages = (0..300)
        .map(|number| package(&format!("n{number}@1.0.0")).optional(&format!("n{}@1", number + 1)));
    let error = world(packages).try_install(&project(&["n0@1"]), None).unwrap_err();
    assert_eq!(error.code(), "DX_TOO_MANY_PACKAGES");
}

#[test]
fn the_shortest_way_to_a_package_counts() {
    // The project requires each of them, so that no chain is longer than two.
    let names: Vec<_> = (0..400).map(|number| format!("n{number}@1")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(world(chain(400)).install(&project(&names)).lock.packages.len(), 401);
}

#[test]
fn the_number_of_packages_is_limited() {
    let tree = || {
        (1..16).map(|number| {
            let this = package(&format!("n{number}@1.0.0"));
            let requires = |this: Package, number: usize| this.needs(&format!("n{number}@1"));
            if number < 8 { requires(requires(this, 2 * number), 2 * number + 1) } else { this }
        })
    };
    let mut world = world(tree());
    world.options.max_packages = 15;
    assert_eq!(world.install(&project(&["n1@1"])).lock.packages.len(), 16);
    world.options.max_packages = 14;
    let error = world.try_install(&project(&["n1@1"]), None).unwrap_err();
    assert_eq!(error.code(), "DX_TOO_MANY_PACKAGES");
    assert!(error.to_string().contains("more than 14 packages"), "{error}");
    assert!(error.hint().unwrap().contains("max-packages"));
}

#[test]
fn what_manifests_hold_is_limited() {
    let range = "^20 ".repeat(1 << 18);
    let names: Vec<_> = (0..40).map(|number| format!("n{number}@1.0.0")).collect();
    let world = world(names.iter().map(|name| package(name).node(&range)));
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let error = world.try_install(&project(&names), None).unwrap_err();
    assert_eq!(error.code(), "DX_TOO_MANY_PACKAGES");
    assert!(error.to_string().contains("hold more than 32 MB"), "{error}");
}

#[test]
fn what_a_package_declares_is_limited() {
    let many = |count: usize| {
        let peers = (0..count).map(|number| format!("peer-{number}@1"));
        world([peers.fold(package("a@1.0.0"), |this, peer| this.optional_peer(&peer))])
    };
    many(2_000).install(&project(&["a@1"]));
    let error = many(100_000).try_install(&project(&["a@1"]), None).unwrap_err();
    assert_eq!(error.code(), "DX_TOO_MANY_PACKAGES");
    assert!(error.to_string().contains("declares more than 2000 dependencies"), "{error}");
}

#[test]
fn of_many_declarations_of_a_name_the_last_counts() {
    let mut this = package("a@1.0.0");
    for number in 0..20 {
        this = this.peer(&format!("p{number}@1")).optional(&format!("p{number}@2"));
    }
    let packages = (0..20).flat_map(|number| {
        [package(&format!("p{number}@1.0.0")), package(&format!("p{number}@2.0.0"))]
    });
    let resolution = world(packages.chain([this])).install(&project(&["a@1"]));
    let versions = resolution.lock.packages.iter().filter(|own| own.path.contains("/p"));
    let versions: Vec<_> = versions.map(|own| own.version.as_deref().unwrap()).collect();
    assert_eq!(versions, ["2.0.0"; 20]);
}
