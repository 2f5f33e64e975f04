//! Versions whose time of publishing the registry does not tell, where an age is demanded.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};

use crate::harness::{dx, fails, ok, required};

/// Returns a registry with an old version, one without a time, and one that is too young.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    registry.package("a", "1.1.0").published_at("").publish();
    registry.package("a", "1.2.0").published_at("2090-01-01T00:00:00.000Z").publish();
    registry
}

fn project(registry: &Registry, spec: &str) -> ProjectBuilder {
    Project::new(registry).dep("a", spec).user_npmrc("min-release-age=7")
}

#[test]
fn a_version_without_a_time_is_not_chosen() {
    let registry = registry();
    let project = project(&registry, "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn where_no_other_fits_the_error_says_why_and_what_helps() {
    let registry = registry();
    let refused = project(&registry, "1.1.0").create();
    let stderr = fails(dx(&refused, ["install"]), "DX_NO_MATCHING_VERSION");
    assert!(stderr.contains("does not tell when 1.1.0 was published"), "{stderr}");
    for line in ["min-release-age-ignore-missing-time=true", "min-release-age-exclude[]=a"] {
        assert!(stderr.contains(line), "{stderr}");
        let project = project(&registry, "1.1.0").user_npmrc(line).create();
        ok(&project, ["install"]);
        assert_eq!(required(&project, "a"), "a@1.1.0");
        // Not where only the project says so.
        let project = self::project(&registry, "1.1.0").npmrc(line).create();
        fails(dx(&project, ["install"]), "DX_NO_MATCHING_VERSION");
    }
}

#[test]
fn a_package_that_has_not_changed_for_so_long_needs_no_times() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    registry.package("a", "1.1.0").published_at("").publish();
    let project = project(&registry, "^1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.1.0");
}
