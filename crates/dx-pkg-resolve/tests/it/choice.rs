//! Which version is chosen: tags, deprecation, engines, time, aliases, overrides.

use dx_pkg_core::Coded;
use dx_pkg_resolve::ResolveError;

use crate::world::{package, project, rule, tree, world};

#[test]
fn the_default_tag_wins_over_a_newer_version_in_range() {
    let world = world([package("a@1.0.0"), package("a@1.1.0")]).tag("a", "latest", "1.0.0");
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0"]);
}

#[test]
fn a_tag_means_its_version_whatever_the_order() {
    let world =
        world([package("a@1.0.0"), package("a@2.0.0-beta.1")]).tag("a", "next", "2.0.0-beta.1");
    assert_eq!(tree(&world.install(&project(&["a@next"]))), ["a@2.0.0-beta.1"]);
}

#[test]
fn a_star_means_releases_but_accepts_a_prerelease_that_is_there() {
    let packages = || {
        [package("a@1.0.0").node(">=99"), package("a@2.0.0-rc.1"), package("b@1.0.0").needs("a@*")]
    };
    assert_eq!(tree(&world(packages()).install(&project(&["a@*"]))), ["a@1.0.0"]);
    let both = world(packages()).install(&project(&["a@2.0.0-rc.1", "b@^1"]));
    assert_eq!(tree(&both), ["a@2.0.0-rc.1", "b@1.0.0"]);
}

#[test]
fn a_deprecated_version_is_avoided() {
    let world = world([package("a@1.0.0"), package("a@1.1.0").deprecated()]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0"]);
}

#[test]
fn a_version_for_another_node_is_avoided_even_for_a_deprecated_one() {
    let world = world([package("a@1.0.0").deprecated(), package("a@1.1.0").node(">=99")]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0"]);
}

#[test]
fn a_required_version_for_another_node_is_installed_and_reported() {
    let world = world([package("a@1.0.0").node(">=99")]);
    let resolution = world.install(&project(&["a@^1"]));
    assert_eq!(tree(&resolution), ["a@1.0.0"]);
    assert_eq!(
        (&*resolution.unfit[0].package, &*resolution.unfit[0].wants),
        ("a@1.0.0", "Node >=99")
    );
}

#[test]
fn versions_published_after_the_cutoff_are_not_seen_but_for_the_names_excluded() {
    let versions = |name: &str| {
        [1u64, 9].map(|minor| package(&format!("{name}@1.{minor}.0")).published(minor))
    };
    let mut world = world(versions("a").into_iter().chain(versions("b")).chain(versions("@s/c")));
    world.options.pick.before = Some(5);
    world.options.pick.before_excluded = vec!["b".into(), "@s/*".into()];
    let resolution = world.install(&project(&["a@^1", "b@^1", "@s/c@^1"]));
    assert_eq!(tree(&resolution), ["@s/c@1.9.0", "a@1.1.0", "b@1.9.0"]);
}

#[test]
fn an_alias_is_placed_under_its_own_name_and_records_the_packages() {
    let world = world([package("a@1.0.0"), package("b@1.0.0").needs("a@^1")]);
    let resolution = world.install(&project(&["b@^1"]).needs_as("old", "npm:a@^1"));
    assert_eq!(tree(&resolution), ["a@1.0.0", "b@1.0.0", "old@1.0.0"]);
    assert_eq!(resolution.lock.get("node_modules/old").unwrap().name.as_deref(), Some("a"));
}

#[test]
fn no_version_in_range_names_the_dependent_and_existing_versions() {
    let world = world([package("a@1.0.0").needs("b@^3"), package("b@1.0.0"), package("b@2.0.0")]);
    let error = world.try_install(&project(&["a@^1"]), None).unwrap_err();
    assert_eq!(error.code(), "DX_NO_MATCHING_VERSION");
    assert_eq!(
        error.to_string(),
        "no version of b matches \"^3\", required by a@1.0.0; published are 2.0.0 (latest), 1.0.0"
    );
}

#[test]
fn an_override_replaces_a_requirement_everywhere() {
    let world = world([package("a@1.0.0").needs("b@^1"), package("b@1.0.0"), package("b@2.0.0")])
        .overriding("b", "2.0.0");
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0", "b@2.0.0"]);
}

fn overridden() -> [crate::world::Package; 6] {
    [
        package("a@1.0.0").needs("c@^1"),
        package("b@1.0.0").needs("c@^1"),
        package("a@2.0.0").needs("c@^1"),
        package("c@1.0.0"),
        package("c@1.1.0"),
        package("c@2.0.0"),
    ]
}

#[test]
fn a_nested_override_applies_below_its_package_only() {
    let mut world = world(overridden());
    world.overrides = vec![rule("a", None, vec![rule("c", Some("2.0.0"), vec![])])];
    assert_eq!(
        tree(&world.install(&project(&["a@^1", "b@^1"]))),
        ["a@1.0.0", "b@1.0.0", "b > c@1.1.0", "c@2.0.0"]
    );
}

#[test]
fn a_dot_overrides_the_package_itself_beside_what_is_below_it() {
    let mut world = world(overridden().into_iter().chain([package("d@1.0.0").needs("a@^1")]));
    world.overrides = vec![rule("a", Some("2.0.0"), vec![rule("c", Some("2.0.0"), vec![])])];
    assert_eq!(tree(&world.install(&project(&["d@^1"]))), ["a@2.0.0", "c@2.0.0", "d@1.0.0"]);
}

#[test]
fn a_key_with_a_range_leaves_other_requirements_alone() {
    let packages = [
        package("a@1.0.0").needs("c@^1"),
        package("b@1.0.0").needs("c@^2"),
        package("c@1.0.0"),
        package("c@2.0.0"),
        package("c@3.0.0"),
    ];
    let world = world(packages).overriding("c@^2", "3.0.0");
    assert_eq!(
        tree(&world.install(&project(&["a@^1", "b@^1"]))),
        ["a@1.0.0", "b@1.0.0", "b > c@3.0.0", "c@1.0.0"]
    );
}

#[test]
fn a_reference_follows_the_projects_own_dependency() {
    let world = world(overridden()).overriding("c", "$c");
    assert_eq!(tree(&world.install(&project(&["a@^1", "c@1.0.0"]))), ["a@1.0.0", "c@1.0.0"]);
}

#[test]
fn an_override_that_contradicts_a_direct_dependency_is_refused() {
    let world = world(overridden()).overriding("c", "2.0.0");
    let error = world.try_install(&project(&["c@^1"]), None).unwrap_err();
    assert!(matches!(error, ResolveError::Override { name, .. } if name == "c"));
}

#[test]
fn a_reference_to_no_direct_dependency_is_refused() {
    let world = world(overridden()).overriding("c", "$missing");
    let error = world.try_install(&project(&["a@^1"]), None).unwrap_err();
    assert!(
        matches!(error, ResolveError::OverrideReference { reference } if reference == "$missing")
    );
}
