//! How long a packument may be used after a registry has confirmed it with a 304.

use std::fs;

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{ok, required};

/// Returns a project whose registry's 304 answers have no `Cache-Control`, after two installs.
fn confirmed(cache_control: &str) -> (Registry, Project) {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.cache_control(cache_control);
    registry.bare_not_modified();
    let project = Project::new(&registry).dep("a", "^1").create();
    ok(&project, ["install"]);
    again(&project);
    registry.clear_requests();
    (registry, project)
}

/// Resolves and installs anew, with what is in the metadata cache.
fn again(project: &Project) {
    project.remove("package-lock.json");
    fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    let _ = fs::remove_dir_all(project.store().join("v1/resolutions"));
    ok(project, ["install"]);
}

#[test]
fn a_packument_that_is_always_to_be_revalidated_stays_so_after_a_304() {
    for cache_control in ["no-cache", "max-age=0", "public, max-age=0, must-revalidate"] {
        let (registry, project) = confirmed(cache_control);
        registry.package("a", "1.1.0").publish();
        again(&project);
        assert_eq!(required(&project, "a"), "a@1.1.0", "{cache_control}");
        assert_eq!(registry.metadata_requests(), 1, "{cache_control}");
    }
}

#[test]
fn a_packument_keeps_its_lifetime_after_a_304() {
    let (registry, project) = confirmed("max-age=3600");
    again(&project);
    assert_eq!(registry.metadata_requests(), 0);
}
