//! Peer conflicts that npm refuses are solved by other versions within the project's ranges.

use dx_pkg_resolve::Resolution;

use crate::world::{Package, World, package, project, rule, tree, world};

fn solving(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    world
}

/// Returns `name@version` of the packages beside the project, and what was moved.
fn outcome(resolution: &Resolution) -> (Vec<String>, Vec<String>) {
    let beside = resolution.lock.packages.iter().filter(|entry| !entry.path.is_empty());
    let moves = resolution.moves.iter().map(|step| {
        let from = step.from.as_deref().unwrap_or("nothing");
        format!("{} {from} -> {}", step.name, step.to)
    });
    let label = |entry: &dx_pkg_lock::LockPackage| {
        let path = entry.path.trim_start_matches("node_modules/");
        format!("{path}@{}", entry.version.as_deref().unwrap_or("?"))
    };
    (beside.map(label).collect(), moves.collect())
}

#[track_caller]
fn assert_solved(resolution: &Resolution, beside: &[&str], moves: &[&str]) {
    assert_eq!(outcome(resolution), (to_owned(beside), to_owned(moves)));
    assert!(!resolution.refused_by_npm && resolution.conflicts.is_empty(), "{resolution:?}");
}

fn to_owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn an_automatically_installed_peer_moves_before_any_direct_dependency() {
    let mut packages: Vec<Package> = ["12.1.5", "12.2.5", "13.0.0"]
        .into_iter()
        .flat_map(|version| {
            let core = package(&format!("core@{version}"));
            let animations = package(&format!("animations@{version}"));
            [core, animations.peer(&format!("core@{version}"))]
        })
        .collect();
    let material = package("material@12.2.5").peer("core@^12.0.0 || ^13.0.0");
    packages.push(material.peer("animations@^12.0.0 || ^13.0.0"));
    let world = solving(packages);
    let resolution = world.install(&project(&["core@~12.1.1", "material@^12.0.0"]));
    assert_solved(
        &resolution,
        &["animations@12.1.5", "core@12.1.5", "material@12.2.5"],
        &["animations 13.0.0 -> 12.1.5"],
    );
}

#[test]
fn an_older_requirer_is_taken() {
    let versions = [("1.8.0", "^16.0.0"), ("1.9.0", "^17.0.3"), ("1.13.0", "^21.0.0")];
    let manager = versions
        .map(|(version, peer)| package(&format!("manager@{version}")).peer(&format!("ng@{peer}")));
    let others = ["16.2.12", "17.0.5", "21.0.0"].map(|version| package(&format!("ng@{version}")));
    let world = solving(manager.into_iter().chain(others));
    let resolution = world.install(&project(&["manager@^1.7.0", "ng@^16.0.0"]));
    assert_solved(&resolution, &["manager@1.8.0", "ng@16.2.12"], &["manager 1.13.0 -> 1.8.0"]);
}

#[test]
fn packages_that_pin_each_other_move_together() {
    let react = ["19.1.0", "19.2.9", "19.3.1"].into_iter().flat_map(|version| {
        let dom = package(&format!("react-dom@{version}")).peer(&format!("react@^{version}"));
        [package(&format!("react@{version}")), dom]
    });
    let fiber = package("fiber@9.7.0").peer("react@>=19 <19.3");
    let ui = package("a-ui@2.2.0").peer("react@^18 || ^19").peer("react-dom@^18 || ^19");
    let world = solving(react.chain([fiber, ui]));
    for names in [
        vec!["a-ui@^2.2.0", "fiber@9.7.0", "react@^19.1.0", "react-dom@^19.1.0"],
        vec!["fiber@9.7.0", "react@^19.1.0", "react-dom@^19.1.0"],
    ] {
        let resolution = world.install(&project(&names));
        let (beside, moves) = outcome(&resolution);
        assert!(beside.contains(&"react@19.2.9".to_owned()), "{beside:?}");
        assert!(beside.contains(&"react-dom@19.2.9".to_owned()), "{beside:?}");
        assert_eq!(moves, ["react 19.3.1 -> 19.2.9", "react-dom 19.3.1 -> 19.2.9"]);
        assert!(!resolution.refused_by_npm, "{resolution:?}");
    }
}

#[test]
fn the_highest_pair_of_exact_siblings_is_taken() {
    let versions = ["3.2.6", "3.2.7", "4.0.0", "5.1.0"];
    let packages = versions.into_iter().flat_map(|version| {
        let coverage = package(&format!("coverage@{version}"));
        [package(&format!("runner@{version}")), coverage.peer(&format!("runner@{version}"))]
    });
    let world = solving(packages);
    let resolution = world.install(&project(&["coverage@>=3", "runner@^3.2.4"]));
    assert_solved(&resolution, &["coverage@3.2.7", "runner@3.2.7"], &["coverage 5.1.0 -> 3.2.7"]);
}

#[test]
fn a_pair_of_which_one_was_moved_in_the_lockfile_agrees_again() {
    let pair = ["1.0.0", "1.1.0", "1.2.0"].into_iter().flat_map(|version| {
        let dom = package(&format!("dom@{version}")).peer(&format!("core@{version}"));
        [package(&format!("core@{version}")), dom]
    });
    let world = solving(pair);
    let project = project(&["core@^1.0.0", "dom@^1.0.0"]);
    let before = world.install(&project);
    // One of the pair is moved on, as bots do.
    let mut lock = before.lock.clone();
    for entry in &mut lock.packages {
        if entry.path == "node_modules/core" {
            *entry = package("core@1.1.0").record("node_modules/core");
            entry.name = None;
        }
    }
    let resolution = world.install_from(&project, &lock);
    assert_solved(&resolution, &["core@1.2.0", "dom@1.2.0"], &[]);
}

#[test]
fn a_looser_old_range_is_no_solution() {
    let hooks = package("hooks@8.0.1").peer("react@^16.9.0 || ^17.0.0");
    let old = package("hooks@7.0.2").peer("react@>=16.9.0");
    let react = ["17.0.2", "18.3.1"].map(|version| package(&format!("react@{version}")));
    let world = solving(react.into_iter().chain([hooks, old]));
    let resolution = world.install(&project(&["hooks@>=7", "react@^18.0.0"]));
    assert!(resolution.moves.is_empty(), "{resolution:?}");
    assert_eq!(resolution.conflicts.len(), 1);
}

#[test]
fn without_a_solution_the_result_is_as_before() {
    let plugin = package("plugin@7.0.0").peer("lint@^9.7.0");
    let world = solving([plugin, package("lint@9.7.0"), package("lint@10.0.0")]);
    let project = project(&["lint@^10.0.0", "plugin@^7.0.0"]);
    let solved = world.install(&project);
    let mut plain = world.clone();
    plain.options.solves_conflicts = false;
    let plain = plain.install(&project);
    assert_eq!((solved.lock, solved.conflicts), (plain.lock, plain.conflicts));
}

#[test]
fn a_solution_that_cannot_be_installed_is_none() {
    let old = package("plugin@1.0.0").peer("lint@^8.0.0").needs("gone@^1.0.0");
    let new = package("plugin@2.0.0").peer("lint@^9.0.0");
    let lint = ["8.0.0", "9.0.0"].map(|version| package(&format!("lint@{version}")));
    let world = solving(lint.into_iter().chain([old, new]));
    let resolution = world.install(&project(&["lint@^8.0.0", "plugin@*"]));
    assert!(resolution.moves.is_empty() && resolution.refused_by_npm, "{resolution:?}");
}

#[test]
fn each_workspace_is_solved_for_itself() {
    let versions = [("1.0.0", "^8.0.0"), ("2.0.0", "^9.0.0")];
    let plugin = versions
        .map(|(version, peer)| package(&format!("plugin@{version}")).peer(&format!("lint@{peer}")));
    let lint = ["8.1.0", "9.1.0"].map(|version| package(&format!("lint@{version}")));
    let mut world = solving(plugin.into_iter().chain(lint));
    let old = package("old@1.0.0").needs("lint@^8.0.0").needs("plugin@>=1");
    let new = package("new@1.0.0").needs("lint@^9.0.0").needs("plugin@>=1");
    world = world.workspace("packages/new", new).workspace("packages/old", old);
    let resolution = world.install(&project(&[]));
    let index = resolution.lock.index();
    let version = |from: &str, name: &str| {
        index.resolve(from, name).and_then(|found| found.version.clone()).unwrap_or_default()
    };
    for (folder, lint, plugin) in
        [("packages/new", "9.1.0", "2.0.0"), ("packages/old", "8.1.0", "1.0.0")]
    {
        assert_eq!(version(folder, "lint"), lint, "{folder}");
        let is_known = resolution.refused_by_npm || !resolution.conflicts.is_empty();
        assert!(is_known || version(folder, "plugin") == plugin, "{folder} {resolution:?}");
    }
}

/// A rule below a package applies to the peers of its peers, too: which ones do follows from the
/// version of the dependent.
#[test]
fn overrides_that_a_dependent_passes_on_to_its_peers_count() {
    let mut world = solving([
        package("host@1.0.0"),
        package("host@2.0.0"),
        package("plugin@1.0.0").peer("host@^1.0.0"),
        package("suite@1.0.0").peer("plugin@*"),
        package("kit@1.0.0").peer("suite@^1.0.0"),
        package("kit@2.0.0").peer("plugin@*"),
    ]);
    let to_host = rule("host", Some("$host"), Vec::new());
    world.overrides = vec![rule("suite", None, vec![to_host])];
    let found = world.install(&project(&["host@^2.0.0", "plugin@*", "kit@*"]));
    let beside = ["host@2.0.0", "kit@1.0.0", "plugin@1.0.0", "suite@1.0.0"];
    assert_eq!(outcome(&found), (to_owned(&beside), to_owned(&["kit 2.0.0 -> 1.0.0"])));
    assert!(found.conflicts.is_empty() && found.explanations.is_empty());
}

/// npm exhausts its stack here: each of two packages brings the other rules that displace those
/// of the project.
#[test]
fn overrides_that_displace_each_other_in_a_circle_come_to_an_end() {
    let mut world = solving([
        package("a@1.0.0").peer("c@^1.0.0"),
        package("a@2.0.0").peer("c@^1.0.0"),
        package("c@1.0.0").peer("a@^1.0.0"),
        package("c@2.0.0").peer("a@^1.0.0"),
    ]);
    let below = |of: &str, name: &str| {
        rule(of, None, vec![rule(name, Some(&format!("${name}")), Vec::new())])
    };
    world.overrides = vec![below("a", "c"), below("c", "a")];
    let found = world.install(&project(&["a@^2.0.0", "c@^2.0.0"]));
    assert_eq!(tree(&found), ["a@2.0.0", "c@2.0.0"]);
}
