//! Changes that end conflicts of packages that are released together, and older dependents where
//! the siblings that they pin cannot be had.

use dx_pkg_resolve::Resolution;
use dx_pkg_resolve::peers::Ending;

use crate::world::{Package, World, package, project, world};

fn solving(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    world
}

fn lines(resolution: &Resolution) -> Vec<String> {
    let told = resolution.explanations.iter();
    told.flat_map(|one| one.lines(Ending::Installed, &|_, _| None)).collect()
}

fn commands(resolution: &Resolution) -> Vec<String> {
    let changes = resolution.explanations.iter().flat_map(|one| &one.changes);
    changes.map(|change| change.in_words()).collect()
}

/// A framework of which five packages move to another major version together.
fn framework() -> Vec<Package> {
    let mut packages = Vec::new();
    for (major, others) in [("10.0.0", "9.0.0"), ("11.0.0", "10.0.0")] {
        let core = format!("core@^{major}");
        packages.push(package(&format!("core@{major}")));
        packages.push(package(&format!("http@{major}")).peer(&core));
        for name in ["config", "docs", "jwt"] {
            packages.push(package(&format!("{name}@{others}")).peer(&core));
        }
        packages.push(package(&format!("testing@{major}")).peer(&core).peer("http@*"));
    }
    packages
}

#[test]
fn all_dependents_of_a_peer_that_has_moved_are_moved_by_one_command() {
    let world = solving(framework());
    let resolution = world.install(&project(&[
        "core@^11.0.0",
        "config@^9.0.0",
        "docs@^9.0.0",
        "http@^10.0.0",
        "jwt@^9.0.0",
        "testing@^10.0.0",
    ]));
    assert_eq!(
        commands(&resolution),
        [
            "dx add config@^10.0.0 docs@^10.0.0 http@^11.0.0 jwt@^10.0.0 testing@^11.0.0",
            "dx add core@^10.0.0",
        ]
    );
}

#[test]
fn further_dependents_of_the_peer_are_named() {
    let mut packages = vec![package("react@18.3.1"), package("react@19.2.0")];
    for name in ["dnd", "helmet", "quill"] {
        packages.push(package(&format!("{name}@1.0.0")).peer("react@^18.0.0"));
    }
    let world = solving(packages);
    let resolution =
        world.install(&project(&["dnd@^1.0.0", "helmet@^1.0.0", "quill@^1.0.0", "react@^19.0.0"]));
    let told = lines(&resolution);
    assert_eq!(
        told,
        [
            "no published version of dnd (1.0.0 is the newest) accepts react 19.2.0",
            "  package.json asks for react ^19.0.0",
            "  package.json asks for dnd ^1.0.0; 1.0.0, the newest, needs react ^18.0.0",
            "  Likewise helmet 1.0.0 and quill 1.0.0 with react 19.2.0",
            "  What would help: dx add react@^18.3.1",
            "  Installed as npm --force would; npm ci refuses this lockfile. More: docs/peer-conflicts.md",
        ],
        "{told:#?}"
    );
}

#[test]
fn a_newer_version_without_the_peer_accepts_it() {
    let world = solving([
        package("picker@8.0.0").peer("dates@^3.0.0"),
        package("picker@9.0.0"),
        package("dates@3.0.0"),
        package("dates@4.0.0"),
    ]);
    let resolution = world.install(&project(&["dates@^4.0.0", "picker@^8.0.0"]));
    assert_eq!(lines(&resolution)[0], "picker 8.0.0 does not accept dates 4.0.0");
    assert_eq!(commands(&resolution), ["dx add picker@^9.0.0", "dx add dates@^3.0.0"]);
}

#[test]
fn a_caret_is_written_where_its_newest_version_would_do() {
    let world = solving([
        package("plugin@0.5.0").peer("format@>=2.0.0"),
        package("plugin@0.5.14").peer("format@^3.0.0"),
        package("plugin@0.6.0").peer("format@^3.0.0"),
        package("format@2.8.8"),
        package("format@3.0.0"),
    ]);
    let resolution = world.install(&project(&["format@^2.8.0", "plugin@^0.6.0"]));
    assert_eq!(commands(&resolution), ["dx add -E plugin@0.5.0", "dx add format@^3.0.0"]);
}

#[test]
fn what_is_added_beside_a_known_conflict_leaves_it_alone() {
    let mut world = solving([
        package("plugin@1.0.0").peer("host@^1.0.0"),
        package("host@1.0.0"),
        package("host@2.0.0"),
        package("other@1.0.0"),
    ]);
    let before = world.install(&project(&["host@^2.0.0", "plugin@^1.0.0"]));
    assert_eq!(before.explanations.len(), 1);
    world.options.known_conflicts = before.conflicts.iter().map(ToString::to_string).collect();
    let own = project(&["host@^2.0.0", "other@^1.0.0", "plugin@^1.0.0"]);
    world.options.explicit = vec!["other".to_owned()];
    let after = world.install(&own);
    assert_eq!(after.conflicts, before.conflicts);
    assert!(after.explanations.is_empty(), "{after:?}");
    // What it is about is looked at again.
    world.options.explicit = vec!["host".to_owned()];
    assert_eq!(world.install(&own).explanations.len(), 1);
}

/// Each importer has versions that agree; together they have none.
#[test]
fn a_conflict_between_importers_is_explained_by_the_requirements_that_meet() {
    let world = solving([package("host@1.0.0"), package("host@2.0.0")])
        .workspace("packages/ui", package("ui@1.0.0").peer("host@^1.0.0"));
    let resolution = world.install(&project(&["host@^2.0.0"]));
    assert_eq!(
        lines(&resolution),
        [
            "ui 1.0.0 does not accept host 2.0.0",
            "  packages/ui/package.json asks for host ^1.0.0",
            "  package.json asks for host ^2.0.0",
            "  What would help: \"host\": \"^2.0.0\" in packages/ui/package.json",
            "  or: dx add host@^1.0.0",
            "  Installed as npm --force would; npm ci refuses this lockfile. \
             More: docs/peer-conflicts.md",
        ]
    );
}

#[test]
fn what_is_removed_beside_a_known_conflict_leaves_it_alone_unless_it_was_in_the_way() {
    let mut world = solving([
        package("plugin@1.0.0").peer("host@^1.0.0"),
        package("frame@1.0.0").peer("host@^2.0.0"),
        package("host@1.0.0"),
        package("host@2.0.0"),
        package("other@1.0.0"),
    ]);
    let whole = project(&["frame@^1.0.0", "host@*", "other@^1.0.0", "plugin@^1.0.0"]);
    let before = world.install(&whole);
    assert_eq!(before.explanations.len(), 1);
    world.options.known_conflicts = before.conflicts.iter().map(ToString::to_string).collect();
    world.options.removed = vec!["other".to_owned()];
    let own = project(&["frame@^1.0.0", "host@*", "plugin@^1.0.0"]);
    let after = world.install_from(&own, &before.lock);
    assert_eq!(after.conflicts, before.conflicts);
    assert!(after.explanations.is_empty(), "{after:?}");
    world.options.removed = vec!["frame".to_owned()];
    let own = project(&["host@*", "other@^1.0.0", "plugin@^1.0.0"]);
    let after = world.install_from(&own, &before.lock);
    assert!(after.conflicts.is_empty(), "{after:?}");
}

/// Packages that pin each other exactly, the newest of one of which is missing.
#[test]
fn siblings_that_pin_each_other_go_back_together() {
    let mut packages = vec![package("motion@1.0.0"), package("motion@1.1.0")];
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        let browser = package(&format!("browser@{version}"));
        packages.push(browser.optional_peer(&format!("motion@{version}")));
        let router = package(&format!("router@{version}"));
        packages.push(router.peer(&format!("browser@{version}")));
    }
    let world = solving(packages);
    let resolution = world.install(&project(&["browser@^1.0.0", "motion@^1.0.0", "router@^1.0.0"]));
    let version = |name: &str| {
        let entry = resolution.lock.get(&format!("node_modules/{name}"));
        entry.and_then(|entry| entry.version.clone()).unwrap()
    };
    assert_eq!(["browser", "motion", "router"].map(version), ["1.1.0"; 3]);
    assert!(resolution.conflicts.is_empty() && !resolution.refused_by_npm);
}
