//! Placement: hoisting, nesting, replacing, pruning, loops.

use crate::world::{flags, package, project, tree, world};

#[test]
fn a_dependency_is_hoisted_to_the_shallowest_free_place() {
    let world = world([
        package("a@1.0.0").needs("b@^1"),
        package("b@1.0.0").needs("c@^1"),
        package("c@1.0.0"),
    ]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0", "b@1.0.0", "c@1.0.0"]);
}

#[test]
fn a_conflicting_version_is_nested_under_its_dependent() {
    let world = world([package("a@1.0.0").needs("b@^1"), package("b@1.0.0"), package("b@2.0.0")]);
    assert_eq!(
        tree(&world.install(&project(&["a@^1", "b@^2"]))),
        ["a@1.0.0", "a > b@1.0.0", "b@2.0.0"]
    );
}

#[test]
fn the_projects_own_dependency_takes_the_top_whatever_the_alphabetical_order() {
    let world = world([package("a@1.0.0").needs("z@^1"), package("z@1.0.0"), package("z@2.0.0")]);
    assert_eq!(
        tree(&world.install(&project(&["a@^1", "z@^2"]))),
        ["a@1.0.0", "a > z@1.0.0", "z@2.0.0"]
    );
}

#[test]
fn the_first_dependent_by_name_decides_which_version_is_hoisted() {
    let world = world([
        package("a@1.0.0").needs("c@^1"),
        package("b@1.0.0").needs("c@^2"),
        package("c@1.0.0"),
        package("c@2.0.0"),
    ]);
    assert_eq!(
        tree(&world.install(&project(&["b@^1", "a@^1"]))),
        ["a@1.0.0", "b@1.0.0", "b > c@2.0.0", "c@1.0.0"]
    );
}

#[test]
fn a_newer_version_that_satisfies_everyone_replaces_the_older_one() {
    let world = world([
        package("a@1.0.0").needs("c@1.0.0 - 1.1.0"),
        package("b@1.0.0").needs("c@1.1.0"),
        package("c@1.0.0"),
        package("c@1.1.0"),
        package("c@1.2.0"),
    ])
    .tag("c", "latest", "1.0.0");
    assert_eq!(
        tree(&world.install(&project(&["a@^1", "b@^1"]))),
        ["a@1.0.0", "b@1.0.0", "c@1.1.0"]
    );
}

#[test]
fn a_duplicate_that_a_replacement_makes_superfluous_is_pruned() {
    let world = world([
        package("a@1.0.0").needs("x@1.0.0"),
        package("b@1.0.0").needs("x@^2"),
        package("x@1.0.0"),
        package("x@2.0.0"),
    ]);
    let before = world.install(&project(&["a@^1", "b@^1"]));
    assert_eq!(tree(&before), ["a@1.0.0", "b@1.0.0", "b > x@2.0.0", "x@1.0.0"]);
    let after = world.install_from(&project(&["b@^1", "x@^2"]), &before.lock);
    assert_eq!(tree(&after), ["b@1.0.0", "x@2.0.0"]);
}

#[test]
fn circular_dependencies_are_placed_side_by_side() {
    let world = world([package("a@1.0.0").needs("b@^1"), package("b@1.0.0").needs("a@^1")]);
    assert_eq!(tree(&world.install(&project(&["a@^1"]))), ["a@1.0.0", "b@1.0.0"]);
}

#[test]
fn a_circle_through_two_versions_ends_in_a_link_to_its_beginning() {
    let world = world([
        package("a@1.0.0").needs("b@1.0.0"),
        package("b@1.0.0").needs("a@2.0.0"),
        package("a@2.0.0").needs("b@2.0.0"),
        package("b@2.0.0").needs("a@1.0.0"),
    ]);
    let resolution = world.install(&project(&["a@1.0.0", "b@2.0.0"]));
    assert_eq!(
        tree(&resolution),
        [
            "a@1.0.0",
            "a > a@2.0.0",
            "a > a > a -> node_modules/a",
            "a > a > b@2.0.0",
            "a > b@1.0.0",
            "b@2.0.0"
        ]
    );
    let deep = world.install(&project(&["b@1.0.0"]));
    assert_eq!(
        tree(&deep),
        [
            "a@2.0.0",
            "a > a@1.0.0",
            "a > a > a -> node_modules/a",
            "a > a > b@1.0.0",
            "a > b@2.0.0",
            "b@1.0.0"
        ]
    );
}

#[test]
fn names_that_differ_in_case_only_never_share_a_folder() {
    let world =
        world([package("JSONStream@1.0.0").needs("jsonstream@^2"), package("jsonstream@2.0.0")]);
    let resolution = world.install(&project(&["JSONStream@^1"]));
    assert_eq!(tree(&resolution), ["JSONStream@1.0.0", "JSONStream > jsonstream@2.0.0"]);
}

#[test]
fn flags_say_which_installations_need_a_package() {
    let world = world([
        package("a@1.0.0").needs("shared@^1"),
        package("d@1.0.0").needs("shared@^1").needs("only@^1"),
        package("o@1.0.0").needs("both@^1"),
        package("e@1.0.0").needs("both@^1"),
        package("shared@1.0.0"),
        package("only@1.0.0"),
        package("both@1.0.0"),
    ]);
    let resolution = world.install(&project(&["a@^1"]).dev("d@^1").dev("e@^1").optional("o@^1"));
    assert!(flags(&resolution, "node_modules/shared").is_empty());
    assert_eq!(flags(&resolution, "node_modules/only"), ["dev"]);
    assert_eq!(flags(&resolution, "node_modules/o"), ["optional"]);
    assert_eq!(flags(&resolution, "node_modules/both"), ["devOptional"]);
}

#[test]
fn bundled_packages_come_from_the_tarball_and_are_not_asked_for() {
    let world = world([package("a@1.0.0").needs("b@^1").bundles("b"), package("b@1.5.0")])
        .bundle("a", &["b@1.2.0"]);
    let resolution = world.install(&project(&["a@^1"]));
    assert_eq!(tree(&resolution), ["a@1.0.0", "a > b@1.2.0"]);
    assert!(resolution.lock.get("node_modules/a/node_modules/b").unwrap().in_bundle);
    assert_eq!(*world.asked.borrow(), ["a"]);
}

#[test]
fn packages_that_displace_each_other_for_ever_are_an_error_not_a_hang() {
    // Found by comparison with npm, which does not end on such projects either.
    for line in include_str!("../fixtures/endless.jsonl").lines() {
        let case = crate::oracle::Case::parse(line);
        let step = &case.steps()[0];
        let outcome =
            dx_pkg_resolve::resolve(&case.requirements(step), None, &case, &case.options(step));
        assert!(
            matches!(outcome, Err(dx_pkg_resolve::ResolveError::Endless { .. })),
            "{}",
            case.label()
        );
    }
}

#[test]
fn where_packages_displace_each_other_for_ever_a_version_that_is_missing_is_told_first() {
    let line = include_str!("../fixtures/endless.jsonl").lines().next().unwrap();
    let root = r#""dependencies":{"Nu":"1.0.0","#;
    assert!(line.contains(root));
    let line = line.replace(root, &format!(r#"{root}"tau":"^9.0.0","#));
    let tau = r#""registry":{"tau":{"name":"tau","versions":{"1.0.0":{"name":"tau","version":"1.0.0"}}},"#;
    let case = crate::oracle::Case::parse(&line.replacen(r#""registry":{"#, tau, 1));
    let step = &case.steps()[0];
    let mut options = case.options(step);
    let mut outcome = |solves: bool| {
        options.solves_conflicts = solves;
        dx_pkg_resolve::resolve(&case.requirements(step), None, &case, &options)
    };
    let plain = outcome(false);
    assert!(matches!(plain, Err(dx_pkg_resolve::ResolveError::Endless { .. })), "{plain:?}");
    let told = outcome(true);
    assert!(matches!(told, Err(dx_pkg_resolve::ResolveError::NoVersion { .. })), "{told:?}");
}

#[test]
fn a_replacement_stays_although_what_the_older_version_required_leads_back_to_it() {
    let world = world([
        package("d@1.0.0").needs("a@^2").needs("b@^1").needs("g@*"),
        package("a@1.0.0"),
        package("a@2.0.0").optional("g@>=1").optional("b@^2"),
        package("b@1.0.0"),
        package("b@2.0.0").needs("d@1").optional("a@^2").optional("g@2"),
        package("g@1.0.0").needs("d@^1").needs("b@1"),
        package("g@2.0.0").needs("a@2"),
    ])
    .tag("g", "latest", "1.0.0");
    let project = project(&["b@^1", "d@^1", "a@^1"]);
    let resolution = world.install(&project);
    assert_eq!(
        tree(&resolution),
        [
            "a@1.0.0",
            "b@1.0.0",
            "d@1.0.0",
            "d > a@2.0.0",
            "d > a > b@2.0.0",
            "g@2.0.0",
            "g > a@2.0.0",
            "g > b@2.0.0",
        ]
    );
}
