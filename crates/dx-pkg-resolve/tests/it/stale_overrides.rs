//! Overrides that were added, changed or removed after the lockfile was written.

use dx_pkg_lock::Lock;
use dx_pkg_resolve::{Override, Resolution, ResolveError};

use crate::world::{Package, World, package, project, rule, tree, world};

/// `dom` has `ui` as a peer, `app` depends on `lib`, which depends on `leaf`.
fn registry() -> World {
    world([
        package("dom@1.0.0").peer("ui@^1.1.0"),
        package("kit@1.0.0").needs("dom@^1"),
        package("ui@1.0.0"),
        package("ui@1.1.0"),
        package("ui@2.0.0"),
        package("app@1.0.0").needs("lib@^1"),
        package("tool@1.0.0").needs("leaf@^1.0.0"),
        package("lib@1.0.0").needs("leaf@^1.0.0"),
        package("leaf@1.0.0"),
        package("leaf@1.1.0"),
        package("leaf@2.0.0"),
        package("other@1.0.0"),
        package("other@1.1.0"),
    ])
}

fn with(overrides: Vec<Override>) -> World {
    let mut world = registry();
    world.overrides = overrides;
    world
}

fn one(key: &str, value: &str) -> Vec<Override> {
    vec![rule(key, Some(value), Vec::new())]
}

/// The lock of `project` with these overrides.
fn lock_with(project: &Package, overrides: Vec<Override>) -> Lock {
    with(overrides).install(project).lock
}

/// The result with the overrides `now`, from a lock that was written with those of `before`.
fn later(project: &Package, before: Vec<Override>, now: Vec<Override>) -> Resolution {
    with(now).install_from(project, &lock_with(project, before))
}

fn is_refused(project: &Package, before: Vec<Override>, now: Vec<Override>) -> bool {
    let mut world = with(now);
    world.options.frozen = true;
    let outcome = world.try_install(project, Some(&lock_with(project, before)));
    matches!(outcome, Err(ResolveError::Frozen { .. }))
}

#[test]
fn an_override_of_a_peer_takes_effect_on_a_lockfile() {
    let project = project(&["dom@1"]);
    let resolution = later(&project, vec![], one("ui", "1.0.0"));
    assert_eq!(tree(&resolution), ["dom@1.0.0", "ui@1.0.0"]);
    assert!(resolution.changed);
    assert!(resolution.conflicts.is_empty());
    assert!(is_refused(&project, vec![], one("ui", "1.0.0")));
}

#[test]
fn an_override_of_a_peer_further_down_takes_effect_on_a_lockfile() {
    let project = project(&["kit@1"]);
    let resolution = later(&project, vec![], one("ui", "2.0.0"));
    assert_eq!(tree(&resolution), ["dom@1.0.0", "kit@1.0.0", "ui@2.0.0"]);
    assert!(is_refused(&project, vec![], one("ui", "2.0.0")));
}

#[test]
fn an_override_of_a_dependency_takes_effect_on_a_lockfile() {
    let project = project(&["app@1"]);
    let resolution = later(&project, vec![], one("leaf", "1.0.0"));
    // Older versions are nested, as npm does it.
    assert_eq!(tree(&resolution), ["app@1.0.0", "lib@1.0.0", "lib > leaf@1.0.0"]);
    assert!(is_refused(&project, vec![], one("leaf", "1.0.0")));
}

#[test]
fn nested_rules_take_effect_below_their_package_only() {
    let project = project(&["app@1", "tool@1"]);
    let nested = vec![rule("lib", None, one("leaf", "2.0.0"))];
    let resolution = later(&project, vec![], nested.clone());
    let expected = ["app@1.0.0", "leaf@1.1.0", "lib@1.0.0", "lib > leaf@2.0.0", "tool@1.0.0"];
    assert_eq!(tree(&resolution), expected);
    assert!(is_refused(&project, vec![], nested));
}

#[test]
fn a_package_and_what_it_needs_are_overridden_together() {
    let project = project(&["app@1"]);
    let both = vec![rule("lib", Some("1.0.0"), one("leaf", "2.0.0"))];
    let resolution = later(&project, vec![], both);
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@2.0.0", "lib@1.0.0"]);
}

#[test]
fn a_key_with_a_range_takes_effect_where_it_meets_the_requirement() {
    let project = project(&["app@1"]);
    let resolution = later(&project, vec![], one("leaf@^1", "2.0.0"));
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@2.0.0", "lib@1.0.0"]);
    let resolution = later(&project, vec![], one("leaf@^2", "1.0.0"));
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@1.1.0", "lib@1.0.0"]);
    assert!(!resolution.changed);
}

#[test]
fn a_reference_takes_the_version_of_the_projects_own_dependency() {
    let before = project(&["app@1"]);
    let after = project(&["app@1", "leaf@2.0.0"]);
    let lock = lock_with(&before, vec![]);
    let resolution = with(one("leaf", "$leaf")).install_from(&after, &lock);
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@2.0.0", "lib@1.0.0"]);
}

#[test]
fn a_reference_means_what_the_package_says_that_a_peer_is_gathered_for() {
    // Among the peers of `kit` the project has no `ui`, so `dom` has no place beside it.
    let project = project(&["kit@1", "ui@2.0.0"]);
    let resolution = with(one("ui", "$ui")).install(&project);
    assert_eq!(tree(&resolution), ["kit@1.0.0", "kit > dom@1.0.0", "ui@2.0.0"]);
    assert!(resolution.conflicts.is_empty());
}

#[test]
fn an_override_can_name_another_package() {
    let project = project(&["app@1", "dom@1"]);
    let other = || [one("leaf", "npm:other@^1.0.0"), one("ui", "npm:other@^1.0.0")].concat();
    let resolution = later(&project, vec![], other());
    let expected = ["app@1.0.0", "dom@1.0.0", "lib@1.0.0", "lib > leaf@1.1.0", "ui@1.1.0"];
    assert_eq!(tree(&resolution), expected);
    for path in ["node_modules/lib/node_modules/leaf", "node_modules/ui"] {
        assert_eq!(resolution.lock.get(path).unwrap().name.as_deref(), Some("other"), "{path}");
    }
    assert!(is_refused(&project, vec![], other()));
    assert!(!later(&project, other(), other()).changed);
}

#[test]
fn a_changed_override_moves_the_package_again() {
    let project = project(&["dom@1"]);
    let resolution = later(&project, one("ui", "1.0.0"), one("ui", "2.0.0"));
    assert_eq!(tree(&resolution), ["dom@1.0.0", "ui@2.0.0"]);
    assert!(is_refused(&project, one("ui", "1.0.0"), one("ui", "2.0.0")));
}

#[test]
fn a_removed_override_leaves_what_satisfies_without_it() {
    let project = project(&["app@1"]);
    let resolution = later(&project, one("leaf", "1.0.0"), vec![]);
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@1.0.0", "lib@1.0.0"]);
    assert!(!resolution.changed);
    let resolution = later(&project, one("leaf", "2.0.0"), vec![]);
    assert_eq!(tree(&resolution), ["app@1.0.0", "lib@1.0.0", "lib > leaf@1.1.0"]);
}

#[test]
fn a_removed_override_of_a_peer_moves_it_back() {
    let project = project(&["dom@1"]);
    let resolution = later(&project, one("ui", "2.0.0"), vec![]);
    assert_eq!(tree(&resolution), ["dom@1.0.0", "ui@1.1.0"]);
    assert!(is_refused(&project, one("ui", "2.0.0"), vec![]));
}

#[test]
fn an_override_that_the_lockfile_meets_asks_for_nothing() {
    let project = project(&["dom@1", "app@1"]);
    for frozen in [false, true] {
        let mut world =
            with(vec![rule("leaf", Some("^1.0.0"), vec![]), rule("ui", Some(">=1"), vec![])]);
        let lock = lock_with(&project, vec![]);
        world.options.frozen = frozen;
        world.closed.set(true);
        assert!(!world.install_from(&project, &lock).changed);
    }
}

#[test]
fn a_frozen_lockfile_is_taken_where_an_override_only_makes_a_copy_redundant() {
    let project = project(&["leaf@2.0.0", "app@1"]);
    let mut world = with(one("leaf", "2.0.0"));
    world.options.frozen = true;
    let resolution = world.install_from(&project, &lock_with(&project, vec![]));
    assert_eq!(tree(&resolution), ["app@1.0.0", "leaf@2.0.0", "lib@1.0.0"]);
}

#[test]
fn an_override_whose_package_cannot_be_loaded_is_an_error() {
    let project = project(&["dom@1"]);
    let lock = lock_with(&project, vec![]);
    let error = with(one("ui", "9.9.9")).try_install(&project, Some(&lock)).unwrap_err();
    assert!(matches!(error, ResolveError::NoVersion { name, .. } if name == "ui"));
    let world = with(one("ui", "npm:gone@1"));
    let error = world.try_install(&project, Some(&lock)).unwrap_err();
    assert!(matches!(error, ResolveError::Load { name, .. } if name == "ui"));
}

#[test]
fn an_override_reaches_optional_and_development_dependencies_and_workspaces() {
    let project = package("project@1.0.0").dev("app@1").optional("dom@1");
    let overrides = || [one("leaf", "2.0.0"), one("ui", "2.0.0")].concat();
    let resolution = later(&project, vec![], overrides());
    let expected = ["app@1.0.0", "dom@1.0.0", "leaf@2.0.0", "lib@1.0.0", "ui@2.0.0"];
    assert_eq!(tree(&resolution), expected);
    let member = || package("one@1.0.0").needs("app@1").needs("dom@1");
    let lock = registry().workspace("packages/one", member()).install(&self::project(&[])).lock;
    let world = with(overrides()).workspace("packages/one", member());
    let resolution = world.install_from(&self::project(&[]), &lock);
    let versions = tree(&resolution);
    assert!(versions.contains(&"leaf@2.0.0".to_owned()), "{versions:?}");
    assert!(versions.contains(&"ui@2.0.0".to_owned()), "{versions:?}");
}
