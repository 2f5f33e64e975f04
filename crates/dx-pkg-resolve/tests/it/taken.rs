//! A frozen install takes the lock that an install wrote, also where npm's refuses its own.

use dx_pkg_resolve::resolve;

use crate::oracle::fixture;
use crate::world::{package, project, tree, world};

#[test]
fn a_frozen_install_takes_what_an_install_wrote() {
    let mut refused = Vec::new();
    for case in fixture() {
        for step in case.steps() {
            let requirements = case.requirements(step);
            let mut options = case.options(step);
            let Ok(first) = resolve(&requirements, None, case, &options) else { continue };
            options.frozen = true;
            if let Err(error) = resolve(&requirements, Some(&first.lock), case, &options) {
                refused.push(format!("{}: {error}", case.label()));
            }
        }
    }
    assert!(refused.is_empty(), "{} refused: {refused:#?}", refused.len());
}

#[test]
fn what_a_bundled_package_lacks_and_another_hides_from_it_is_installed() {
    let world = world([
        package("pack@1.0.0").needs("inner@^1").needs("leaf@^2").bundles("inner"),
        package("inner@1.0.0").needs("leaf@^1"),
        package("leaf@1.0.0"),
        package("leaf@2.0.0"),
    ])
    .bundle_of("pack", [package("inner@1.0.0").needs("leaf@^1")]);
    let project = project(&["pack@1"]);
    let first = world.install(&project);
    let mut frozen = world.clone();
    frozen.options.frozen = true;
    let again = frozen.try_install(&project, Some(&first.lock));
    assert!(again.is_ok(), "{:?} {:?}", tree(&first), again.err());
}
