//! `--offline` and `--prefer-offline`.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{dx, fails, files, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("b", "1.0.0").publish();
    registry
}

#[test]
fn offline_installs_from_the_store_with_and_without_a_lockfile() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "1").create();
    ok(&first, ["install"]);
    registry.stop();
    let with_lock = Project::new(&registry)
        .dep("a", "1")
        .store(first.store())
        .file("package-lock.json", first.read("package-lock.json"))
        .create();
    ok(&with_lock, ["ci", "--offline"]);
    assert_eq!(required(&with_lock, "b"), "b@1.0.0");
    let without = Project::new(&registry).dep("a", "1").store(first.store()).create();
    ok(&without, ["install", "--offline"]);
    assert_eq!(required(&without, "b"), "b@1.0.0");
    assert_eq!(without.read("package-lock.json"), first.read("package-lock.json"));
}

#[test]
fn lockfile_and_store_need_no_network_even_without_the_flag() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "1").create();
    ok(&first, ["install"]);
    registry.stop();
    let lock = first.read("package-lock.json");
    let other = Project::new(&registry)
        .dep("a", "1")
        .store(first.store())
        .file("package-lock.json", lock)
        .create();
    ok(&other, ["install"]);
    assert_eq!(required(&other, "b"), "b@1.0.0");
}

#[test]
fn offline_error_names_the_missing_package() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let before = files(&project);
    let stderr = fails(dx(&project, ["install", "--offline"]), "DX_OFFLINE");
    assert!(stderr.contains("a is not in the metadata cache"), "{stderr}");
    assert_eq!(files(&project), before);

    let other = Project::new(&registry).dep("a", "1").create();
    ok(&other, ["install"]);
    project.write("package-lock.json", other.read("package-lock.json"));
    let before = files(&project);
    let stderr = fails(dx(&project, ["ci", "--offline"]), "DX_OFFLINE");
    assert!(stderr.contains("@1.0.0 is not in the store"), "{stderr}");
    assert_eq!(files(&project), before);
    let requests = registry.requests().len();
    dx(&project, ["ci", "--offline"]);
    assert_eq!(registry.requests().len(), requests, "offline asks nobody");
}

#[test]
fn fresh_metadata_is_not_requested_again_and_stale_is_revalidated() {
    let registry = registry();
    let first = Project::new(&registry).dep("a", "1").create();
    ok(&first, ["install"]);
    registry.clear_requests();
    let second = Project::new(&registry).dep("a", "1").store(first.store()).create();
    ok(&second, ["install"]);
    assert_eq!(registry.requests().len(), 0);

    let registry = self::registry();
    registry.cache_control("no-cache");
    let first = Project::new(&registry).dep("a", "1").create();
    ok(&first, ["install"]);
    registry.clear_requests();
    let second = Project::new(&registry).dep("a", "1").store(first.store()).create();
    ok(&second, ["install"]);
    let asked = registry.requests();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|request| request.header("if-none-match").is_some()), "{asked:?}");
    registry.clear_requests();
    let third = Project::new(&registry).dep("a", "1").store(first.store()).create();
    ok(&third, ["install", "--prefer-offline"]);
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn prefer_offline_fetches_missing_packages() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install", "--prefer-offline"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn metadata_of_one_registry_is_not_used_for_another() {
    let (one, two) = (registry(), Registry::start());
    two.package("a", "1.5.0").publish();
    let first = Project::new(&one).dep("a", "1").create();
    ok(&first, ["install"]);
    let second = Project::new(&two).dep("a", "1").store(first.store()).create();
    ok(&second, ["install"]);
    assert_eq!(required(&second, "a"), "a@1.5.0");
}
