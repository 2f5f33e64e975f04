//! Optional dependencies: locked, not installed on other platforms, dropped when they fail.

use crate::world::{flags, package, project, tree, world};

#[test]
fn an_optional_set_for_another_platform_is_locked_whole_and_not_installed() {
    let world = world([
        package("a@1.0.0").optional("mac@^1"),
        package("mac@1.0.0").os("darwin").needs("only-mac@^1").needs("shared@^1"),
        package("only-mac@1.0.0"),
        package("shared@1.0.0"),
    ]);
    let resolution = world.install(&project(&["a@^1", "shared@^1"]));
    assert_eq!(tree(&resolution), ["a@1.0.0", "[mac@1.0.0]", "[only-mac@1.0.0]", "shared@1.0.0"]);
    assert_eq!(flags(&resolution, "node_modules/only-mac"), ["optional"]);
    assert!(resolution.unfit.is_empty());
}

#[test]
fn an_optional_set_with_an_unfit_package_is_left_out_whole() {
    let world = world([
        package("o@1.0.0").needs("mac@^1").needs("beside@^1"),
        package("mac@1.0.0").os("darwin"),
        package("beside@1.0.0"),
    ]);
    let resolution = world.install(&project(&[]).optional("o@^1"));
    assert_eq!(tree(&resolution), ["[beside@1.0.0]", "[mac@1.0.0]", "[o@1.0.0]"]);
}

#[test]
fn an_optional_folder_is_there_without_its_unfit_packages() {
    let world = world([package("mac@1.0.0").os("darwin")])
        .folder("lib/here", package("here@1.0.0").needs("mac@^1"));
    let resolution = world.install(&project(&[]).optional("here@file:lib/here"));
    assert_eq!(tree(&resolution), ["lib/here@1.0.0", "here -> lib/here", "[mac@1.0.0]"]);
}

#[test]
fn an_optional_dependency_that_cannot_be_loaded_is_left_out_and_reported() {
    let world = world([package("a@1.0.0").optional("gone@^1")]);
    let resolution = world.install(&project(&["a@^1"]));
    assert_eq!(tree(&resolution), ["a@1.0.0"]);
    assert_eq!(resolution.skipped, ["cannot load gone@^1, required by a@1.0.0: gone is not there"]);
}

#[test]
fn a_required_dependency_of_an_optional_one_takes_it_along_when_it_fails() {
    let world =
        world([package("o@1.0.0").needs("gone@^1").needs("only@^1"), package("only@1.0.0")]);
    let resolution = world.install(&project(&[]).optional("o@^1"));
    assert_eq!(tree(&resolution), ["[o@1.0.0]", "[only@1.0.0]"]);
}

#[test]
fn the_same_failure_ends_the_resolution_where_it_is_required() {
    let world = world([package("a@1.0.0").needs("gone@^1")]);
    let error = world.try_install(&project(&["a@^1"]), None).unwrap_err();
    assert_eq!(error.to_string(), "cannot load gone@^1, required by a@1.0.0: gone is not there");
}

#[test]
fn a_required_package_for_another_platform_is_reported() {
    let world = world([package("mac@1.0.0").os("darwin")]);
    let resolution = world.install(&project(&["mac@^1"]));
    assert_eq!(tree(&resolution), ["mac@1.0.0"]);
    assert!(resolution.unfit[0].platform);
}
