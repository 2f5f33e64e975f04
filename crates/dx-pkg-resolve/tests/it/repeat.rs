//! Resolutions that are made again from their own lock, until that stays as it is, and packages
//! that are looked at and not installed.

use dx_pkg_lock::Lock;
use dx_pkg_resolve::rules::Extension;
use dx_pkg_resolve::{Requirements, Resolution, ResolveError, resolve};

use crate::oracle::{differences, fixture};
use crate::world::{Package, World, package, project, tree, world};

fn repeating(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = world(packages);
    world.options.repeats = true;
    world
}

/// Installs, and checks that a second install changes nothing and a frozen one takes the lockfile.
fn installed(world: &World, project: &Package) -> Resolution {
    let first = world.install(project);
    let again = world.install_from(project, &first.lock);
    assert!(!again.changed, "{:?}", differences(&first.lock, &again.lock));
    let mut frozen = world.clone();
    frozen.options.frozen = true;
    frozen.try_install(project, Some(&first.lock)).unwrap();
    first
}

#[test]
fn what_bundled_packages_lack_is_installed_at_once() {
    let world = repeating([
        package("pack@1.0.0").needs("inner@^1").bundles("inner"),
        package("inner@1.0.0").needs("leaf@^1"),
        package("leaf@1.0.0").needs("twig@^1"),
        package("twig@1.0.0"),
    ])
    .bundle_of("pack", [package("inner@1.0.0").needs("leaf@^1")]);
    let resolution = installed(&world, &project(&["pack@1"]));
    assert_eq!(tree(&resolution), ["leaf@1.0.0", "pack@1.0.0", "pack > inner@1.0.0", "twig@1.0.0"]);
}

#[test]
fn what_bundled_packages_lack_and_nobody_has_is_told_and_left_out() {
    let world = repeating([package("pack@1.0.0").needs("inner@^1").bundles("inner")])
        .bundle_of("pack", [package("inner@1.0.0").needs("leaf@^1")]);
    let project = project(&["pack@1"]);
    let resolution = installed(&world, &project);
    assert_eq!(tree(&resolution), ["pack@1.0.0", "pack > inner@1.0.0"]);
    let [told] = &world.install_from(&project, &resolution.lock).bundles_lack[..] else {
        panic!("{:?}", resolution.bundles_lack);
    };
    assert!(told.contains("leaf"), "{told}");
}

#[test]
fn a_frozen_install_takes_what_an_install_wrote() {
    for case in fixture() {
        // Where overrides overlap, the order in which packages are met decides, as with npm.
        for step in case.steps().iter().filter(|step| step["root"]["overrides"].is_null()) {
            let requirements = case.requirements(step);
            let mut options = case.options(step);
            options.repeats = true;
            let Ok(first) = resolve(&requirements, None, case, &options) else { continue };
            let again = resolve(&requirements, Some(&first.lock), case, &options).unwrap();
            // As with npm, what only optional peers lead to is removed then.
            let added = differences(&first.lock, &again.lock);
            let added: Vec<&String> =
                added.iter().filter(|line| !line.starts_with("missing")).collect();
            assert_eq!(added, Vec::<&String>::new(), "{}", case.label());
            options.frozen = true;
            resolve(&requirements, Some(&first.lock), case, &options)
                .unwrap_or_else(|error| panic!("{}: {error} {:#?}", case.label(), tree(&first)));
        }
    }
}

/// `m` wants another `n` as a peer than the newest one that the project allows.
fn with_passed_over_version() -> (World, Requirements) {
    let world = world([
        package("m@1.0.0").peer("n@1.0.0"),
        package("n@1.0.0"),
        package("n@1.5.0").needs("q@^1"),
        package("q@1.0.0"),
    ]);
    let requirements = world.requirements(&project(&["m@1", "n@^1"]));
    (world, requirements)
}

fn extended(range: &str) -> Extension {
    Extension {
        selector: format!("n@{range}"),
        name: "n".to_owned(),
        range: Some(range.parse().unwrap()),
        dependencies: vec![("q".to_owned(), "*".to_owned())],
        ..Extension::default()
    }
}

#[test]
fn a_rule_that_cannot_be_applied_to_a_version_that_is_passed_over_is_an_error() {
    let (world, mut requirements) = with_passed_over_version();
    requirements.extensions = vec![extended("1.5.0")];
    let lock: Option<&Lock> = None;
    let error = resolve(&requirements, lock, &world, &world.options).unwrap_err();
    assert!(matches!(error, ResolveError::Extension { .. }), "{error}");
    // npm 12 says of it: EEXTENSIONDUPDEP.
    assert!(error.to_string().contains("already"), "{error}");
    requirements.extensions = vec![extended("1.0.0")];
    resolve(&requirements, lock, &world, &world.options).unwrap();
}
